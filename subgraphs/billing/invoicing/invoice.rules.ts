import { addDays, localDate, startOfDay } from '../../../schema/calendar.ts';
import { Refusal } from '../../../schema/errors.ts';

export type InvoiceStatus = 'ISSUED' | 'PAID' | 'VOID';

const NEXT: Record<InvoiceStatus, readonly InvoiceStatus[]> = {
  ISSUED: ['PAID', 'VOID'],
  PAID: ['ISSUED', 'VOID'], // VOID: where the total was nothing, or what had paid it is credit again
  VOID: [],
};

/** Moves an invoice to a status, or refuses with INVALID_STATE. */
export function advance(from: InvoiceStatus, to: InvoiceStatus): InvoiceStatus {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `An invoice that is ${from} cannot become ${to}.`, 'status');
  return to;
}

/** Days an invoice may stay open where nothing else was agreed. */
export const TERMS_DAYS = 14;

/** BY_TERMS: some days from its issue. AT_START: when the period it is for begins. AT_ONCE: on the day of its issue. */
export type DueTerms = 'BY_TERMS' | 'AT_START' | 'AT_ONCE';

/** The local date an invoice is due on: never before the one it is issued on. */
export function dueOn(terms: DueTerms, issuedAt: Date, periodStart: Date, zone: string): string {
  if (terms === 'BY_TERMS') return localDate(addDays(issuedAt, TERMS_DAYS, zone), zone);
  const issuedOn = localDate(issuedAt, zone);
  const startsOn = localDate(periodStart, zone);
  return terms === 'AT_START' && startsOn > issuedOn ? startsOn : issuedOn;
}

/** The instant from which an invoice is overdue: the local midnight that ends the day it is due on [R62]. */
export function lateFrom(due: string, zone: string): Date {
  const morning = startOfDay(due, zone);
  return startOfDay(localDate(addDays(morning, 1, zone), zone), zone);
}

/** Which licence, and which part of it, a document is about. */
export interface Reference {
  licensedTenantId: string;
  licenseId: string;
  changeId?: string;
  periodStart: string;
  periodEnd: string;
}

interface Span {
  periodStart: Date;
  periodEnd: Date;
}

/** What lines are about: each of their periods once, in time. */
export function referencesOf(about: Omit<Reference, 'periodStart' | 'periodEnd'>, spans: readonly Span[]): Reference[] {
  const periods = spans.map(({ periodStart, periodEnd }) => ({
    periodStart: periodStart.toISOString(),
    periodEnd: periodEnd.toISOString(),
  }));
  const distinct = new Map(periods.map((period) => [`${period.periodStart}/${period.periodEnd}`, period]));
  return [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, period]) => ({ ...about, ...period }));
}

/** The series a document is numbered in, and how its numbers begin: a sandbox's have one of their own [R23, R73]. */
export function seriesOf(isTest: boolean, issuedOn: string): { series: string; prefix: string } {
  if (isTest) return { series: 'invoice:test', prefix: 'TEST' };
  const year = issuedOn.slice(0, 4);
  return { series: `invoice:${year}`, prefix: `INV-${year}` };
}
