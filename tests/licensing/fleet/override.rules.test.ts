import { checkEnd, checkOverride, checkReason } from '../../../subgraphs/licensing/fleet/override.rules.ts';

const NOW = new Date('2027-03-01T00:00:00Z');
const reason = 'Agreed with their sales.';

describe('An exception says one clear thing', () => {
  test.each([
    [{ key: 'crm', isEnabled: false }],
    [{ key: 'subscribers', limit: 1_200n }],
    [{ key: 'subscribers', isUnlimited: true }],
    [{ key: 'api_calls', policy: 'OVERAGE' as const }],
    [{ key: 'api_calls', softMarginPercent: 50 }],
    [{ key: 'tickets', isEnabled: false }], // a feature and a quota bear this name: an exception may say either, or both
    [{ key: 'tickets', limit: 5n }],
    [{ key: 'tickets', isEnabled: true, limit: 5n }],
    [{ key: 'api_calls', unitRate: '0.000001', expiresAt: new Date('2032-03-01T00:00:00Z') }],
  ])('%p is one', (terms) => {
    expect(checkOverride({ ...terms, reason: `  ${reason} ` }, NOW)).toEqual({ ...terms, reason });
  });

  test.each([
    [{ key: 'crm' }, 'isEnabled'],
    [{ key: 'crm', isEnabled: true, limit: 5n }, 'key'],
    [{ key: 'subscribers', isEnabled: true, limit: 5n }, 'isEnabled'],
    [{ key: 'subscribers' }, 'limit'],
    [{ key: 'tickets' }, 'limit'],
    [{ key: 'subscribers', limit: 5n, isUnlimited: true }, 'isUnlimited'],
    [{ key: 'subscribers', softMarginPercent: 51 }, 'softMarginPercent'],
    [{ key: 'subscribers', softMarginPercent: -1 }, 'softMarginPercent'],
    [{ key: 'subscribers', unitRate: '-1' }, 'unitRate'],
    [{ key: 'subscribers', unitRate: '0.0000001' }, 'unitRate'],
    [{ key: 'crm', isEnabled: true, expiresAt: NOW }, 'expiresAt'],
    [{ key: 'crm', isEnabled: true, expiresAt: new Date('2032-03-01T00:00:00.001Z') }, 'expiresAt'],
    [{ key: 'crm', isEnabled: true, reason: 'why?' }, 'reason'],
  ])('%p is refused for %s', (terms, field) => {
    expect(() => checkOverride({ reason, ...terms }, NOW)).toThrow(expect.objectContaining({ code: 'INVALID', field }));
  });

  test('an unknown key is bad input', () => {
    expect(() => checkOverride({ key: 'crn', isEnabled: true, reason }, NOW)).toThrow('Unknown feature or quota: crn.');
  });

  test('a reason is a sentence', () => {
    expect(() => checkReason('x'.repeat(501))).toThrow('A reason has 5 to 500 characters.');
  });

  test('an end comes after its start', () => {
    const start = new Date('2027-04-01T00:00:00Z');
    expect(() => checkEnd(start, start, NOW, 'expiresAt')).toThrow('The end comes after the start.');
    expect(() => checkEnd(null, start, NOW, 'expiresAt')).not.toThrow();
  });
});
