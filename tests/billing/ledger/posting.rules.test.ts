import fc from 'fast-check';
import {
  ACCOUNT_KINDS,
  amountIn,
  applicationEntries,
  chargeEntries,
  type Entry,
  paymentEntries,
  reversed,
} from '../../../subgraphs/billing/ledger/posting.rules.ts';

const sum = (entries: readonly Entry[]) => entries.reduce((total, { amountMinor }) => total + amountMinor, 0n);

test('whatever is charged, paid, settled or undone, its entries sum to nothing', () => {
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 17n), 10n ** 17n), (amount) => {
      expect(sum(chargeEntries('c', amount))).toBe(0n);
      expect(sum(paymentEntries('c', amount))).toBe(0n);
      expect(sum(applicationEntries('c', amount))).toBe(0n);
      expect(sum(reversed(chargeEntries('c', amount)))).toBe(0n);
    }),
  );
});

test('a charge raises what the customer owes, a payment lowers it, one that goes back raises it, settling moves nothing', () => {
  const ofCustomer = (entries: Entry[]) => sum(entries.filter((entry) => entry.customerId === 'c'));
  expect(ofCustomer(chargeEntries('c', 4748n))).toBe(4748n);
  expect(ofCustomer(paymentEntries('c', 4748n))).toBe(-4748n);
  expect(ofCustomer(reversed(paymentEntries('c', 4748n)))).toBe(4748n);
  expect(ofCustomer(applicationEntries('c', 4748n))).toBe(0n);
});

test('only accounts of a customer name one', () => {
  const named = [...chargeEntries('c', 1n), ...paymentEntries('c', 1n)].map(({ code, customerId }) => [
    code,
    Boolean(customerId),
  ]);
  expect(Object.fromEntries(named)).toEqual({ AR: true, REVENUE: false, BANK: false, CREDIT: true });
  expect(Object.keys(ACCOUNT_KINDS).sort()).toEqual(['AR', 'BANK', 'CREDIT', 'REVENUE']);
});

test('a currency that never moved stands at 0', () => {
  expect(amountIn([{ currency: 'EUR', amountMinor: 5n }], 'USD')).toBe(0n);
});
