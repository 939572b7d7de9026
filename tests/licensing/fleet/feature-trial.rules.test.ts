import { checkFeatureTrial } from '../../../subgraphs/licensing/fleet/feature-trial.rules.ts';
import { grant, licensed, override, PROFESSIONAL } from '../facts.ts';

const NOW = new Date('2027-03-01T12:00:00Z');
const at = (text: string) => new Date(text);
const trial = licensed({ trialEndsAt: at('2027-03-10T00:00:00Z'), paidUntil: null });

describe('A feature is tried once a year', () => {
  test.each([
    ['in a paid licence', licensed()],
    ['in a trial', trial],
    ['in grace', licensed({ paidUntil: at('2027-02-25T00:00:00Z') })],
    ['though it was granted once', licensed({ grants: [grant('crm', { expiresAt: at('2027-02-01T00:00:00Z') })] })],
  ])('%s', (_, facts) => {
    expect(() => checkFeatureTrial(facts, 'crm', [], NOW)).not.toThrow();
  });

  test('again after 365 days of its start, not a millisecond before', () => {
    const start = at('2026-03-01T12:00:00Z');
    expect(() => checkFeatureTrial(licensed(), 'crm', [start], NOW)).not.toThrow();
    expect(() => checkFeatureTrial(licensed(), 'crm', [new Date(start.getTime() + 1)], NOW)).toThrow(
      'This trial has been used.',
    );
  });

  test.each([
    ['one that is in the plan', licensed(), 'tickets', 'INVALID_STATE', 'This feature is already included.'],
    [
      'one that is granted',
      licensed({ grants: [grant('crm')] }),
      'crm',
      'INVALID_STATE',
      'This feature is already included.',
    ],
    [
      'one that is only announced',
      licensed({ plan: PROFESSIONAL }),
      'crm.integrations',
      'INVALID_STATE',
      'crm.integrations cannot be tried yet.',
    ],
    [
      'one that was shut for the tenant',
      licensed({ overrides: [override('crm', { isEnabled: false })] }),
      'crm',
      'INVALID_STATE',
      'crm is switched off for this tenant.',
    ],
    [
      'a part without its whole',
      licensed(),
      'analytics.advanced',
      'INVALID',
      'analytics.advanced needs the analytics feature.',
    ],
    [
      'any in a licence for reading only',
      licensed({ paidUntil: at('2027-02-20T00:00:00Z') }),
      'crm',
      'INVALID_STATE',
      'No trial starts while the licence is restricted.',
    ],
    [
      'any in a suspended licence',
      licensed({ openHolds: ['SUSPENDED'] }),
      'crm',
      'INVALID_STATE',
      'No trial starts while the licence is suspended.',
    ],
    [
      'any in an expired licence',
      licensed({ paidUntil: at('2027-01-10T00:00:00Z') }),
      'crm',
      'INVALID_STATE',
      'No trial starts while the licence is expired.',
    ],
  ] as const)('not %s', (_, facts, feature, code, message) => {
    expect(() => checkFeatureTrial(facts, feature, [], NOW)).toThrow(
      expect.objectContaining({ code, message, field: 'feature' }),
    );
  });

  test('a part is tried where its whole is open', () => {
    expect(() => checkFeatureTrial(licensed({ plan: PROFESSIONAL }), 'analytics.advanced', [], NOW)).not.toThrow();
  });
});
