import fc from 'fast-check';
import { type InvoiceFacts, paidUntilOf } from '../../../subgraphs/licensing/terms/paid-time.rules.ts';
import { nextPeriod, renewalDueAt } from '../../../subgraphs/licensing/terms/renewal.rules.ts';
import { licensed } from '../facts.ts';

const at = (iso: string) => new Date(iso);
const END = at('2027-06-01T00:00:00Z');

describe('The next period is asked for in time', () => {
  const facts = (over = {}) => ({ ...licensed(), terms: 'INVOICED' as const, askedUntil: END, ...over });

  test.each([
    ['24 hours ahead where it counts when invoiced', facts(), 'ACTIVE', '2027-05-31T00:00:00.000Z'],
    ['7 days ahead where it counts when paid', facts({ terms: 'PREPAID' }), 'ACTIVE', '2027-05-25T00:00:00.000Z'],
    ['7 days ahead for the first', facts({ paidUntil: null, trialEndsAt: END }), 'TRIAL', '2027-05-25T00:00:00.000Z'],
    ['in GRACE too', facts(), 'GRACE', '2027-05-31T00:00:00.000Z'],
    ['never when it shall not renew', facts({ autoRenew: false }), 'ACTIVE', undefined],
    ['never once it has ended', facts(), 'EXPIRED', undefined],
    ['never while it is suspended', facts(), 'SUSPENDED', undefined],
    ['never where nothing ends', facts({ isEndless: true, askedUntil: null }), 'ACTIVE', undefined],
  ] as const)('%s', (_, known, state, due) => {
    expect(renewalDueAt(known, state)?.toISOString()).toBe(due);
  });
});

describe('Periods follow each other without a gap', () => {
  const billing = (over = {}) => ({
    ...{ interval: 'MONTH' as const, anchorDay: 31, zone: 'Europe/Berlin', trialEndsAt: null },
    ...{ validFrom: at('2026-12-31T12:00:00Z'), ...over },
  });

  test('anchor 31: January, February, March, each to its last day', () => {
    const ends: string[] = [];
    let until = at('2027-01-30T23:00:00Z');
    for (let i = 0; i < 4; i++) {
      until = nextPeriod(billing(), until).end;
      ends.push(until.toISOString());
    }
    expect(ends).toEqual([
      ...[
        '2027-02-27T23:00:00.000Z',
        '2027-03-30T22:00:00.000Z',
        '2027-04-29T22:00:00.000Z',
        '2027-05-30T22:00:00.000Z',
      ],
    ]);
  });

  test('whoever moves to another zone gets a whole month, not the hours between two midnights', () => {
    const { end } = nextPeriod(billing({ anchorDay: 1, zone: 'America/Denver' }), at('2027-03-31T22:00:00Z'));
    expect(end.toISOString()).toBe('2027-05-01T06:00:00.000Z');
  });

  test('a period is never shorter than half of it, nor longer than one and a half', () => {
    const zones = fc.constantFrom('Europe/Berlin', 'America/Denver', 'Asia/Manila', 'Pacific/Kiritimati');
    const days = fc.integer({ min: 1, max: 31 });
    fc.assert(
      fc.property(
        zones,
        days,
        fc.date({ min: END, max: at('2031-01-01T00:00:00Z'), noInvalidDate: true }),
        (zone, anchorDay, from) => {
          const { start, end } = nextPeriod(billing({ zone, anchorDay }), from);
          const length = (end.getTime() - start.getTime()) / 86_400_000;
          expect(start).toEqual(from);
          expect(length >= 14 && length <= 46).toBe(true);
        },
      ),
    );
  });
});

describe('Paid time is what the invoices say', () => {
  const invoice = (month: number, over: Partial<InvoiceFacts> = {}): InvoiceFacts => ({
    ...{ changeId: null, periodStart: new Date(Date.UTC(2027, month)), periodEnd: new Date(Date.UTC(2027, month + 1)) },
    ...{ status: 'ISSUED', since: new Date(Date.UTC(2027, month, 2)), ...over },
  });
  const until = (invoices: InvoiceFacts[], over = {}) =>
    paidUntilOf({ terms: 'INVOICED', grantedUntil: END, invoices, ...over })
      ?.toISOString()
      .slice(0, 10);

  test.each([
    ['nothing counts, nothing is paid', until([], { grantedUntil: null }), undefined],
    ['what was given holds', until([]), '2027-06-01'],
    ['an invoice counts when it is issued', until([invoice(5)]), '2027-07-01'],
    ['for a prepaid licence when it is paid', until([invoice(5)], { terms: 'PREPAID' }), '2027-06-01'],
    ['and then it does', until([invoice(5, { status: 'PAID' })], { terms: 'PREPAID' }), '2027-07-01'],
    ['the first one counts when it is paid', until([invoice(5)], { grantedUntil: null }), undefined],
    ['and then it does', until([invoice(5, { status: 'PAID' })], { grantedUntil: null }), '2027-07-01'],
    ['an invoice of a change counts not when it is issued', until([invoice(5, { changeId: 'c' })]), '2027-06-01'],
    ['but when it is paid', until([invoice(5, { changeId: 'c', status: 'PAID' })]), '2027-07-01'],
    [
      'though not for a period that itself is not',
      until([invoice(5), invoice(5, { changeId: 'c', status: 'PAID' })], { terms: 'PREPAID' }),
      '2027-06-01',
    ],
    [
      'overdue sets it back to that instant',
      until([invoice(5, { status: 'OVERDUE', since: at('2027-06-15T00:00:00Z') })]),
      '2027-06-15',
    ],
    [
      'whatever else is paid',
      until([invoice(4, { status: 'OVERDUE', since: at('2027-05-15T00:00:00Z') }), invoice(5, { status: 'PAID' })]),
      '2027-05-15',
    ],
    ['reopened too', until([invoice(5, { status: 'REOPENED', since: at('2027-06-20T00:00:00Z') })]), '2027-06-20'],
    ['what was dropped never counts', until([invoice(5, { status: 'DROPPED' })]), '2027-06-01'],
  ])('%s', (_, said, expected) => {
    expect(said).toBe(expected);
  });
});
