import { checkKey } from '../../../subgraphs/billing/idempotency.rules.ts';
import {
  advance,
  checkAmount,
  checkReason,
  checkReceived,
  checkReference,
} from '../../../subgraphs/billing/payments/payment.rules.ts';

describe('money that came', () => {
  test('counts to the last minor unit', () => {
    expect(checkAmount({ amountMinor: 9007199254740993n, currency: 'EUR' }, 'EUR')).toBe(9007199254740993n);
  });

  test.each([
    [0n, 'EUR'],
    [-1n, 'EUR'],
    [10n ** 17n + 1n, 'EUR'],
    [1n, 'USD'],
  ])('%s %s is refused of a customer who pays in EUR', (amountMinor, currency) => {
    expect(() => checkAmount({ amountMinor, currency }, 'EUR')).toThrow(
      expect.objectContaining({ code: 'INVALID', field: 'amount' }),
    );
  });

  test('is not recorded before it came', () => {
    expect(checkReceived('2027-03-17', '2027-03-17')).toBe('2027-03-17');
    expect(() => checkReceived('2027-03-18', '2027-03-17')).toThrow(expect.objectContaining({ field: 'receivedOn' }));
  });

  test('carries what the payer wrote', () => {
    expect(checkReference(' INV 7 ')).toBe('INV 7');
    expect(checkReference(' ')).toBeNull();
    expect(checkReference(undefined)).toBeNull();
    expect(() => checkReference('x'.repeat(141))).toThrow('at most 140 characters');
  });

  test('goes back once', () => {
    expect(advance('SUCCEEDED', 'REVERSED')).toBe('REVERSED');
    for (const to of ['SUCCEEDED', 'REVERSED'] as const)
      expect(() => advance('REVERSED', to)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
    expect(checkReason(' bounced ')).toBe('bounced');
    expect(() => checkReason(' ')).toThrow(expect.objectContaining({ code: 'INVALID', field: 'reason' }));
  });

  test('an idempotency key has 1 to 128 characters', () => {
    expect(checkKey('x'.repeat(128))).toHaveLength(128);
    for (const key of ['', 'x'.repeat(129)])
      expect(() => checkKey(key)).toThrow(expect.objectContaining({ code: 'INVALID', field: 'idempotencyKey' }));
  });
});
