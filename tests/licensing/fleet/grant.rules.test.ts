import { checkGrant, type GrantTerms } from '../../../subgraphs/licensing/fleet/grant.rules.ts';

const NOW = new Date('2027-03-01T00:00:00Z');
const at = (text: string) => new Date(text);
const feature = (over: Partial<GrantTerms> = {}): GrantTerms => ({
  ...{ kind: 'FEATURE', key: 'crm', source: 'SALES', reason: 'Agreed with their sales.' },
  ...over,
});
const topUp = (over: Partial<GrantTerms> = {}): GrantTerms =>
  feature({ kind: 'TOP_UP', key: 'api_calls', amount: 5n, ...over });

describe('A grant says one clear thing', () => {
  test('a feature begins at once, and burns nothing', () => {
    expect(checkGrant(feature({ reason: '  Agreed with their sales. ' }), NOW)).toEqual({
      ...{ kind: 'FEATURE', key: 'crm', source: 'SALES', reason: 'Agreed with their sales.' },
      ...{ amount: null, priority: 50, rolloverMax: 0n, startsAt: NOW, expiresAt: null },
    });
  });

  test.each([
    ['an allowance of calls', topUp()],
    ['one that burns first and of which all rolls over', topUp({ priority: 0, rolloverMax: 5n })],
    ['one that burns last', topUp({ priority: 100, key: 'tickets' })],
    [
      'one that begins later and ends just in time',
      feature({ startsAt: at('2027-04-01T00:00:00Z'), expiresAt: at('2032-03-01T00:00:00Z') }),
    ],
  ])('%s is one', (_, terms) => {
    expect(checkGrant(terms, NOW)).toMatchObject(terms);
  });

  test.each([
    [
      'an end before its start',
      feature({ startsAt: at('2027-05-01T00:00:00Z'), expiresAt: at('2027-04-01T00:00:00Z') }),
      'expiresAt',
    ],
    ['an end at its start', feature({ expiresAt: NOW }), 'expiresAt'],
    ['an end in the past', feature({ expiresAt: at('2027-02-01T00:00:00Z') }), 'expiresAt'],
    ['an end over 5 years away', feature({ expiresAt: at('2032-03-01T00:00:00.001Z') }), 'expiresAt'],
    ['a start in the past', feature({ startsAt: at('2027-02-28T23:59:59.999Z') }), 'startsAt'],
    ['a start over 5 years away', feature({ startsAt: at('2032-03-01T00:00:00.001Z') }), 'startsAt'],
    ['a reason of 4 letters', feature({ reason: ' why? ' }), 'reason'],
    ['a reason of 501 letters', feature({ reason: 'x'.repeat(501) }), 'reason'],
    ['an amount of a feature', feature({ amount: 1n }), 'amount'],
    ['a priority of a feature', feature({ priority: 1 }), 'priority'],
    ['a rollover of a feature', feature({ rolloverMax: 0n }), 'rolloverMax'],
    ['an allowance of nothing', topUp({ amount: 0n }), 'amount'],
    ['an allowance without amount', topUp({ amount: null }), 'amount'],
    ['a top-up of what exists', topUp({ key: 'subscribers' }), 'key'],
    ['a priority below 0', topUp({ priority: -1 }), 'priority'],
    ['a priority over 100', topUp({ priority: 101 }), 'priority'],
    ['more that rolls over than was given', topUp({ rolloverMax: 6n }), 'rolloverMax'],
  ])('%s is refused', (_, terms, field) => {
    expect(() => checkGrant(terms, NOW)).toThrow(expect.objectContaining({ code: 'INVALID', field }));
  });

  test('what is only announced cannot be given', () => {
    expect(() => checkGrant(feature({ key: 'analytics.insights' }), NOW)).toThrow(
      expect.objectContaining({ code: 'INVALID_STATE', message: 'analytics.insights is not available yet.' }),
    );
  });

  test.each([
    [feature({ key: 'crn' }), 'Unknown feature: crn.'],
    [feature({ key: 'tickets.x' }), 'Unknown feature: tickets.x.'],
    [topUp({ key: 'crm' }), 'Unknown quota: crm.'],
  ])('an unknown key is bad input', (terms, sentence) => {
    expect(() => checkGrant(terms, NOW)).toThrow(sentence);
  });
});
