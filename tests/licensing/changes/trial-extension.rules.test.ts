import { checkExtension } from '../../../subgraphs/licensing/changes/trial-extension.rules.ts';
import { licensed } from '../facts.ts';

const NOW = new Date('2027-03-01T12:00:00Z');
const at = (text: string) => new Date(text);
const trial = licensed({ trialEndsAt: at('2027-03-10T00:00:00Z'), paidUntil: null });

describe('A trial is extended while it runs', () => {
  test.each([['2027-03-10T00:00:00.001Z'], ['2027-05-30T11:00:00Z']])('to %s', (until) => {
    expect(() => checkExtension(trial, at(until), NOW)).not.toThrow();
  });

  test.each([
    ['a paid licence', licensed(), 'INVALID_STATE', 'tenantId'],
    [
      'a trial that is over',
      licensed({ trialEndsAt: at('2027-02-10T00:00:00Z'), paidUntil: null }),
      'INVALID_STATE',
      'tenantId',
    ],
    [
      'a trial that is paid already',
      licensed({ trialEndsAt: at('2027-03-10T00:00:00Z') }),
      'INVALID_STATE',
      'tenantId',
    ],
    ['a trial that is held', { ...trial, openHolds: ['SUSPENDED' as const] }, 'INVALID_STATE', 'tenantId'],
    ['a revoked one', { ...trial, isRevoked: true }, 'INVALID_STATE', 'tenantId'],
  ])('%s is not', (_, facts, code, field) => {
    expect(() => checkExtension(facts, at('2027-04-01T00:00:00Z'), NOW)).toThrow(
      expect.objectContaining({ code, field }),
    );
  });

  test.each([
    ['2027-03-10T00:00:00Z'],
    ['2027-03-02T00:00:00Z'],
    ['2027-05-30T11:00:00.001Z'],
    ['2033-01-01T00:00:00Z'],
  ])('not to %s: that is no later, or over 90 days of Berlin away', (until) => {
    expect(() => checkExtension(trial, at(until), NOW)).toThrow(
      expect.objectContaining({ code: 'INVALID', field: 'until' }),
    );
  });
});
