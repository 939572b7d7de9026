import { currencyExponent } from '../../../schema/currency.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { emailAddress, languageTag, optionalText, text } from '../../../schema/words.ts';
import { normalizePhone } from '../people/contact-point.rules.ts';
import type { LeadFacts, LeadKind, LeadSource } from './score.rules.ts';

export type LeadStatus = 'NEW' | 'CONTACTED' | 'QUALIFIED' | 'DISQUALIFIED';
/** Why nothing came of it. */
export type LostReason = 'PRICE' | 'COVERAGE' | 'TIMING' | 'COMPETITOR' | 'NO_ANSWER' | 'OTHER';

const NEXT: Record<LeadStatus, readonly LeadStatus[]> = {
  NEW: ['CONTACTED', 'QUALIFIED', 'DISQUALIFIED'],
  CONTACTED: ['QUALIFIED', 'DISQUALIFIED'],
  QUALIFIED: ['DISQUALIFIED'],
  DISQUALIFIED: ['CONTACTED'],
};
const VERB: Record<Exclude<LeadStatus, 'NEW'>, string> = {
  CONTACTED: 'contacted',
  QUALIFIED: 'qualified',
  DISQUALIFIED: 'disqualified',
};

/** Moves a lead to a status, or refuses with INVALID_STATE. */
export function advance(from: LeadStatus, to: Exclude<LeadStatus, 'NEW'>): LeadStatus {
  if (!NEXT[from].includes(to)) throw new Refusal('INVALID_STATE', `A ${from} lead cannot be ${VERB[to]}.`, 'status');
  return to;
}

/** Takes up a lead that was given up; only a DISQUALIFIED one can be. */
export function reopened(from: LeadStatus): LeadStatus {
  if (from !== 'DISQUALIFIED') throw new Refusal('INVALID_STATE', `A ${from} lead cannot be reopened.`, 'status');
  return 'CONTACTED';
}

/** Marks a lead as spoken to for the first time; a DISQUALIFIED one is reopened instead. */
export function contacted(from: LeadStatus): LeadStatus {
  if (from === 'DISQUALIFIED') throw new Refusal('INVALID_STATE', 'A DISQUALIFIED lead is reopened first.', 'status');
  return advance(from, 'CONTACTED');
}

export interface LeadFields {
  kind: LeadKind;
  name: string;
  organisationName: string | null;
  email: string | null;
  phone: string | null;
  source: LeadSource;
  monthlyBudgetMinor: bigint | null;
  currency: string | null;
  isDecisionMaker: boolean | null;
  need: string | null;
  decideBy: string | null;
  priority: number;
  language: string | null;
  ownerId: string | null;
}

/** A lead as it was typed; `monthlyBudget` stands for the two fields it is stored in. */
export type TypedLead = Pick<LeadFields, 'kind' | 'name' | 'source'> &
  Partial<Omit<LeadFields, 'monthlyBudgetMinor' | 'currency'>> & { monthlyBudget?: Budget | null };

interface Budget {
  amountMinor: bigint;
  currency: string;
}

/**
 * A lead's fields in their stored form, or INVALID with the field: at least one way to reach them.
 * @param country where a phone number without a country code is dialled.
 */
export function checkLead(typed: TypedLead, country: string): LeadFields {
  const fields: LeadFields = {
    kind: typed.kind,
    name: text(typed.name, 200, 'name'),
    organisationName: optionalText(typed.organisationName, 200, 'organisationName'),
    email: typed.email ? emailAddress(typed.email) : null,
    phone: typed.phone ? phoneOf(typed.phone, country) : null,
    source: typed.source,
    monthlyBudgetMinor: typed.monthlyBudget?.amountMinor ?? null,
    currency: typed.monthlyBudget?.currency ?? null,
    isDecisionMaker: typed.isDecisionMaker ?? null,
    need: optionalText(typed.need, 2_000, 'need'),
    decideBy: typed.decideBy ?? null,
    priority: typed.priority ?? 3,
    language: languageTag(typed.language),
    ownerId: typed.ownerId ?? null,
  };
  if (!fields.email && !fields.phone)
    throw new Refusal('INVALID', 'A lead has an e-mail address or a telephone number.', 'email');
  if (fields.priority < 1 || fields.priority > 5) throw new Refusal('INVALID', 'A priority is 1 to 5.', 'priority');
  if (fields.decideBy !== null && fields.decideBy < '0001')
    throw new Refusal('INVALID', 'There is no year 0.', 'decideBy');
  if (typed.monthlyBudget) checkBudget(typed.monthlyBudget);
  if (fields.ownerId !== null && !isId(fields.ownerId))
    throw new Refusal('NOT_FOUND', 'There is no such user.', 'ownerId');
  return fields;
}

function checkBudget({ amountMinor, currency }: Budget): void {
  if (amountMinor < 0n) throw new Refusal('INVALID', 'A budget is not below 0.', 'monthlyBudget.amountMinor');
  if (currencyExponent(currency) === undefined)
    throw new Refusal('INVALID', 'A currency is a code of ISO 4217, such as EUR.', 'monthlyBudget.currency');
}

/** A lead has room for the number alone: an extension is never cut off silently. */
function phoneOf(typed: string, country: string): string {
  const { value, extension } = normalizePhone(typed, country);
  if (extension) throw new Refusal('INVALID', 'Write the number without its extension.', 'phone');
  return value;
}

/** A lead's fields with some of them said anew: what is left out stays, and null empties what may be empty. */
export function changedLead(held: LeadFields, said: Partial<TypedLead>): TypedLead {
  const { monthlyBudgetMinor: amountMinor, currency } = held;
  const monthlyBudget = amountMinor !== null && currency !== null ? { amountMinor, currency } : null;
  return {
    ...held,
    monthlyBudget,
    ...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
    kind: said.kind ?? held.kind,
    name: said.name ?? held.name,
    source: said.source ?? held.source,
    priority: said.priority ?? held.priority,
  };
}

const DAY_MS = 86_400_000;

/** What a lead's score is made of at an instant. `today` is the tenant's date then. */
export function factsOf(lead: LeadFields, capturedAt: Date, now: Date, today: string): LeadFacts {
  return {
    kind: lead.kind,
    source: lead.source,
    monthlyBudgetMinor: lead.monthlyBudgetMinor,
    isDecisionMaker: lead.isDecisionMaker,
    need: lead.need,
    daysToDecide: lead.decideBy === null ? null : Math.round((Date.parse(lead.decideBy) - Date.parse(today)) / DAY_MS),
    inboundOf30Days: 0,
    silentDays: Math.floor((now.getTime() - capturedAt.getTime()) / DAY_MS),
  };
}
