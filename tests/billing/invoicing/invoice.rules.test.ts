import fc from 'fast-check';
import { allocate } from '../../../subgraphs/billing/invoicing/credit.rules.ts';
import {
  advance,
  dueOn,
  type InvoiceStatus,
  lateFrom,
  referencesOf,
  seriesOf,
} from '../../../subgraphs/billing/invoicing/invoice.rules.ts';

const at = (instant: string) => new Date(instant);

describe('an invoice', () => {
  test.each<[InvoiceStatus, InvoiceStatus, boolean]>([
    ['ISSUED', 'PAID', true],
    ['ISSUED', 'VOID', true],
    ['PAID', 'ISSUED', true],
    ['PAID', 'VOID', true],
    ['VOID', 'ISSUED', false],
    ['VOID', 'PAID', false],
    ['VOID', 'VOID', false],
  ])('%s becomes %s: %s', (from, to, isAllowed) => {
    if (isAllowed) expect(advance(from, to)).toBe(to);
    else expect(() => advance(from, to)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });

  test.each([
    ['BY_TERMS', '2027-03-17T10:00Z', '2027-04-01T06:00Z', 'UTC', '2027-03-31'],
    ['BY_TERMS', '2027-03-17T23:30Z', '2027-04-01T06:00Z', 'Europe/Berlin', '2027-04-01'],
    ['AT_START', '2027-03-25T06:00Z', '2027-04-01T06:00Z', 'UTC', '2027-04-01'],
    ['AT_START', '2027-03-25T06:00Z', '2027-04-01T06:00Z', 'America/Los_Angeles', '2027-03-31'],
    ['AT_START', '2027-04-05T06:00Z', '2027-04-01T06:00Z', 'UTC', '2027-04-05'],
    ['AT_ONCE', '2027-03-17T10:00Z', '2027-04-01T06:00Z', 'UTC', '2027-03-17'],
  ] as const)('%s issued %s for %s in %s is due on %s', (terms, issued, start, zone, due) => {
    expect(dueOn(terms, at(issued), at(start), zone)).toBe(due);
  });

  test.each([
    ['2027-03-31', 'UTC', '2027-04-01T00:00:00.000Z'],
    ['2027-03-27', 'Europe/Berlin', '2027-03-27T23:00:00.000Z'],
    ['2027-03-28', 'Europe/Berlin', '2027-03-28T22:00:00.000Z'], // the day that has 23 hours
    ['2026-03-28', 'Asia/Beirut', '2026-03-28T22:00:00.000Z'], // the next midnight is skipped
    ['2026-03-29', 'Asia/Beirut', '2026-03-29T21:00:00.000Z'], // its own midnight was
  ])('due on %s in %s it is late from %s', (due, zone, late) => {
    expect(lateFrom(due, zone).toISOString()).toBe(late);
  });

  test('is not late on the day it is due on, in any zone', () => {
    const day = fc.date({ min: at('2026-01-01T00:00Z'), max: at('2031-01-01T00:00Z'), noInvalidDate: true });
    const zone = fc.constantFrom(
      'UTC',
      'Europe/Berlin',
      'America/Denver',
      'Asia/Beirut',
      'Pacific/Apia',
      'Asia/Kolkata',
    );
    fc.assert(
      fc.property(day, zone, (issued, local) => {
        const due = dueOn('AT_ONCE', issued, issued, local);
        const late = lateFrom(due, local);
        expect(late > issued).toBe(true);
        expect(dueOn('AT_ONCE', new Date(late.getTime() - 1), issued, local)).toBe(due);
        expect(dueOn('AT_ONCE', late, issued, local) > due).toBe(true);
      }),
    );
  });

  test('names each period of its lines once, in time', () => {
    const march = { periodStart: at('2027-03-17T16:15:30Z'), periodEnd: at('2027-04-01T06:00Z') };
    const april = { periodStart: at('2027-04-01T06:00Z'), periodEnd: at('2027-05-01T06:00Z') };
    const about = { licensedTenantId: 't', licenseId: 'l' };
    expect(referencesOf(about, [april, march, april, march])).toEqual([
      { ...about, periodStart: '2027-03-17T16:15:30.000Z', periodEnd: '2027-04-01T06:00:00.000Z' },
      { ...about, periodStart: '2027-04-01T06:00:00.000Z', periodEnd: '2027-05-01T06:00:00.000Z' },
    ]);
    expect(referencesOf({ ...about, changeId: 'c' }, [march])).toMatchObject([{ changeId: 'c' }]);
  });

  test('is numbered by its year, a sandbox’s apart', () => {
    expect(seriesOf(false, '2027-03-17')).toEqual({ series: 'invoice:2027', prefix: 'INV-2027' });
    expect(seriesOf(true, '2027-03-17')).toEqual({ series: 'invoice:test', prefix: 'TEST' });
  });
});

describe('credit', () => {
  const open = [60_00n, 30_00n, 25_00n].map((openMinor, i) => ({ id: `i${i}`, openMinor }));
  const amounts = (...credits: bigint[]) =>
    allocate(
      credits.map((remainingMinor, i) => ({ id: `c${i}`, remainingMinor })),
      open,
    ).map(({ creditId, invoiceId, amountMinor }) => [creditId, invoiceId, amountMinor]);

  test('settles in the order given, as far as it reaches', () => {
    expect(amounts(100_00n)).toEqual([
      ['c0', 'i0', 60_00n],
      ['c0', 'i1', 30_00n],
      ['c0', 'i2', 10_00n],
    ]);
    expect(amounts(120_00n).reduce((sum, [, , amount]) => sum + (amount as bigint), 0n)).toBe(115_00n);
    expect(amounts(50_00n, 0n, 20_00n)).toEqual([
      ['c0', 'i0', 50_00n],
      ['c2', 'i0', 10_00n],
      ['c2', 'i1', 10_00n],
    ]);
    expect(amounts()).toEqual([]);
  });

  test('whatever is open and paid, the parts sum to the lesser whole and none is over-drawn or over-paid', () => {
    const amount = fc.bigInt(0n, 10n ** 17n);
    const sum = (parts: readonly bigint[]) => parts.reduce((total, part) => total + part, 0n);
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 6 }), fc.array(amount, { maxLength: 6 }), (credits, invoices) => {
        const parts = allocate(
          credits.map((remainingMinor, i) => ({ id: `c${i}`, remainingMinor })),
          invoices.map((openMinor, i) => ({ id: `i${i}`, openMinor })),
        );
        const [paid, owed] = [sum(credits), sum(invoices)];
        expect(sum(parts.map(({ amountMinor }) => amountMinor))).toBe(paid < owed ? paid : owed);
        const of = (key: 'creditId' | 'invoiceId', id: string) =>
          sum(parts.filter((part) => part[key] === id).map(({ amountMinor }) => amountMinor));
        for (const [i, given] of credits.entries()) expect(of('creditId', `c${i}`) <= given).toBe(true);
        const covered = invoices.map((asked, i) => of('invoiceId', `i${i}`) === asked);
        expect(covered.indexOf(false) < 0 || sum(invoices.slice(0, covered.indexOf(false) + 1)) > paid).toBe(true);
        for (const { amountMinor } of parts) expect(amountMinor > 0n).toBe(true);
      }),
    );
  });
});
