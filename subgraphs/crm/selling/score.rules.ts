export type LeadKind = 'RESIDENTIAL' | 'BUSINESS' | 'ENTERPRISE' | 'PUBLIC_SECTOR';
export type LeadSource =
  | 'EXISTING_CUSTOMER'
  | 'REFERRAL'
  | 'EVENT'
  | 'WEBSITE'
  | 'EMAIL'
  | 'SOCIAL'
  | 'ADVERT'
  | 'COLD_CALL'
  | 'OTHER';
export type Verdict = 'SERVICEABLE' | 'PENDING_EXPANSION' | 'REQUIRES_CONSTRUCTION' | 'NOT_SERVICEABLE' | 'UNKNOWN';
export type LeadGrade = 'A' | 'B' | 'C' | 'D';

/** The points of model 1, by which every tenant scores until it has a model of its own. */
export const MODEL_1 = {
  number: 1,
  kind: { RESIDENTIAL: 8, BUSINESS: 14, PUBLIC_SECTOR: 16, ENTERPRISE: 18 },
  verdict: { SERVICEABLE: 25, PENDING_EXPANSION: 10, REQUIRES_CONSTRUCTION: 5, UNKNOWN: 0, NOT_SERVICEABLE: -30 },
  /** From this many minor units a month on, most first. */
  monthlyBudget: [
    { from: 50_000n, points: 12 },
    { from: 10_000n, points: 8 },
    { from: 3_000n, points: 4 },
  ],
  decisionMaker: 6,
  need: 8,
  /** Up to this many days ahead, soonest first; what is past counts nothing. */
  decideWithin: [
    { days: 30, points: 12 },
    { days: 90, points: 6 },
    { days: Number.POSITIVE_INFINITY, points: 2 },
  ],
  source: {
    EXISTING_CUSTOMER: 14,
    REFERRAL: 12,
    EVENT: 8,
    WEBSITE: 7,
    EMAIL: 6,
    SOCIAL: 4,
    ADVERT: 4,
    COLD_CALL: 2,
    OTHER: 1,
  },
  inbound: { each: 3, most: 15 },
  silence: { freeDays: 14, perDays: 7, each: -2, most: -20 },
} as const satisfies ScoreModel;

interface ScoreModel {
  number: number;
  kind: Record<LeadKind, number>;
  verdict: Record<Verdict, number>;
  monthlyBudget: readonly { from: bigint; points: number }[];
  decisionMaker: number;
  need: number;
  decideWithin: readonly { days: number; points: number }[];
  source: Record<LeadSource, number>;
  inbound: { each: number; most: number };
  silence: { freeDays: number; perDays: number; each: number; most: number };
}

export interface LeadFacts {
  kind: LeadKind;
  source: LeadSource;
  /** The newest answer to whether we can serve them, if anybody asked. */
  verdict?: Verdict;
  monthlyBudgetMinor: bigint | null;
  isDecisionMaker: boolean | null;
  need: string | null;
  /** Local days from today until they decide; below 0 is past. */
  daysToDecide: number | null;
  /** Activities that came from them within 30 days. */
  inboundOf30Days: number;
  /** Full days since the last activity, or since the lead was captured. */
  silentDays: number;
}

/** The points before they are held between 0 and 100 (R4). */
export function pointsOf(lead: LeadFacts, model: ScoreModel = MODEL_1): number {
  const { monthlyBudgetMinor: budget, daysToDecide: days } = lead;
  const silence = Math.max(0, Math.floor((lead.silentDays - model.silence.freeDays) / model.silence.perDays));
  return (
    model.kind[lead.kind] +
    (lead.verdict ? model.verdict[lead.verdict] : 0) +
    (budget === null ? 0 : (model.monthlyBudget.find(({ from }) => budget >= from)?.points ?? 0)) +
    (lead.isDecisionMaker ? model.decisionMaker : 0) +
    (lead.need ? model.need : 0) +
    (days === null || days < 0 ? 0 : (model.decideWithin.find((within) => days <= within.days)?.points ?? 0)) +
    model.source[lead.source] +
    Math.min(lead.inboundOf30Days * model.inbound.each, model.inbound.most) +
    Math.max(silence * model.silence.each, model.silence.most)
  );
}

export const gradeOf = (score: number): LeadGrade => (score >= 70 ? 'A' : score >= 50 ? 'B' : score >= 30 ? 'C' : 'D');

/** Score 0 to 100 and grade of a lead (R4). */
export function scoreOf(lead: LeadFacts): { score: number; grade: LeadGrade; scoreModelNumber: number } {
  const score = Math.min(100, Math.max(0, pointsOf(lead)));
  return { score, grade: gradeOf(score), scoreModelNumber: MODEL_1.number };
}
