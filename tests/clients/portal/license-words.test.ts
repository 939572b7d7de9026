import { bannerOf, meterOf, moneyText } from '../../../clients/portal/license-words.ts';

const NOW = new Date('2027-03-17T12:00:00Z');
const license = (state: Parameters<typeof says>[0], dates: object = {}) => says(state, dates);
function says(state: NonNullable<Parameters<typeof bannerOf>[0]>['state'], dates: object) {
  return { state, trialEndsAt: null, graceEndsAt: null, restrictedEndsAt: null, ...dates };
}

describe('What a portal says of its licence', () => {
  test.each([
    [null, 'ALARM', 'There is no licence yet: only the core is open.'],
    [license('TRIAL', { trialEndsAt: '2027-03-26T11:00:00.000Z' }), 'CALM', 'Trial: 9 days left.'],
    [license('TRIAL', { trialEndsAt: '2027-03-18T12:00:00.001Z' }), 'CALM', 'Trial: 2 days left.'],
    [license('TRIAL', { trialEndsAt: '2027-03-18T12:00:00.000Z' }), 'CALM', 'Trial: less than a day left.'],
    [license('TRIAL'), 'CALM', 'This is a trial.'],
    [
      license('GRACE', { graceEndsAt: '2027-03-24T12:00:00.000Z' }),
      'WARNING',
      'The bill is overdue. Everything works until 24 March 2027.',
    ],
    [license('GRACE'), 'WARNING', 'The bill is overdue. Everything works.'],
    [
      license('RESTRICTED', { restrictedEndsAt: '2027-04-01T12:00:00.000Z' }),
      'ALARM',
      'Read only: modules can be read until 1 April 2027, but not changed.',
    ],
    [license('SUSPENDED'), 'ALARM', 'The licence is suspended: modules are shut.'],
    [license('EXPIRED'), 'ALARM', 'The licence has expired: modules are shut until it is renewed.'],
    [license('REVOKED'), 'ALARM', 'The licence was revoked: modules are shut.'],
  ] as const)('%j: %s', (held, tone, text) => {
    expect(bannerOf(held, NOW)).toEqual({ tone, text });
  });

  test('while it is paid there is nothing to say', () => {
    expect(bannerOf(license('ACTIVE'), NOW)).toBeNull();
  });
});

describe('A meter', () => {
  const usage = { key: 'tickets', baseUnit: 'ticket', isUnlimited: false, policy: 'HARD', periodEnd: null } as const;
  test.each([
    ['79', '100', 79, '79 of 100', 0.79, 'CALM'],
    ['80', '100', 80, '80 of 100', 0.8, 'WARNING'],
    ['100', '100', 100, '100 of 100', 1, 'ALARM'],
    ['512345', '500000', 102, '512,345 of 500,000', 1, 'ALARM'],
    ['0', '0', null, 'not included', null, 'CALM'],
  ] as const)('of %s used and %s allowed', (used, limit, percent, text, share, tone) => {
    expect(meterOf({ ...usage, used, limit, percent })).toEqual({ label: 'Tickets', text, share, tone });
  });

  test('without a limit it shows use alone', () => {
    expect(meterOf({ ...usage, used: '4100', limit: null, isUnlimited: true, percent: null })).toMatchObject({
      text: '4,100, no limit',
      share: null,
    });
  });

  test('storage is sold in gigabytes', () => {
    const storage = { ...usage, key: 'storage_gb', baseUnit: 'byte' };
    expect(meterOf({ ...storage, used: '2500000000', limit: '110000000000', percent: 2 })).toMatchObject({
      label: 'Storage',
      text: '2.5 GB of 110 GB',
    });
  });
});

test.each([
  ['9414', 'USD', '$94.14'],
  ['-4660', 'USD', '-$46.60'],
  ['29900', 'EUR', '€299.00'],
  ['500', 'JPY', '¥500'],
  ['0', 'USD', '$0.00'],
])('%s minor units of %s are %s', (amountMinor, currency, text) => {
  expect(moneyText({ amountMinor, currency })).toBe(text);
});
