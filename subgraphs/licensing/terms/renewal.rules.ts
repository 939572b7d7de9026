import type { Period } from '../../../schema/calendar.ts';
import type { BillingInterval } from '../catalogue/price.rules.ts';
import { type BillingFacts, type LicenseState, type LicenseTerms, periodAt, type StateFacts } from './license.rules.ts';

/** What the next period of a licence rests on. */
export interface RenewalFacts extends StateFacts {
  terms: LicenseTerms;
  /** End of the last period that billing was asked for; null where nothing ever ends. */
  askedUntil: Date | null;
}

const HOUR_MS = 3_600_000;
/** How long before a period starts billing is asked for it: once it counts when invoiced, and when it must be paid. */
const LEAD_MS = { INVOICED: 24 * HOUR_MS, PAID: 7 * 24 * HOUR_MS };

const RENEWABLE: readonly LicenseState[] = ['TRIAL', 'ACTIVE', 'GRACE', 'RESTRICTED'];

/** When billing has to be asked for the next period (R14); null while nobody asks. */
export function renewalDueAt(facts: RenewalFacts, state: LicenseState): Date | null {
  if (facts.isEndless || !facts.autoRenew || !facts.askedUntil || !RENEWABLE.includes(state)) return null;
  const isInvoiced = facts.terms === 'INVOICED' && facts.paidUntil !== null; // the first period always counts when paid
  return new Date(facts.askedUntil.getTime() - (isInvoiced ? LEAD_MS.INVOICED : LEAD_MS.PAID));
}

/** A first period shorter than this is made one longer: it is what is left when a tenant moves to another zone. */
const SHORTEST_MS: Record<BillingInterval, number> = { MONTH: 14 * 24 * HOUR_MS, YEAR: 183 * 24 * HOUR_MS };

/** The period that follows what was asked for: to the next anchor, whatever zone the tenant lives in now. Half-open. */
export function nextPeriod(facts: BillingFacts, askedUntil: Date): Period {
  const { end } = periodAt(facts, askedUntil);
  const isStub = end.getTime() - askedUntil.getTime() < SHORTEST_MS[facts.interval];
  return { start: askedUntil, end: isStub ? periodAt(facts, end).end : end };
}
