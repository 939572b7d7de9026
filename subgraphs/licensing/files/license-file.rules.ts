import { Refusal } from '../../../schema/errors.ts';
import {
  type Feature,
  type FeatureAccess,
  QUOTA_KEYS,
  type QuotaKey,
  type QuotaPolicy,
} from '../../../schema/features.ts';
import { isId } from '../../../schema/ids.ts';
import { type Counted, termsAfter, turned } from '../../_kernel/quota.rules.ts';
import { type CourseStep, instantsOf, stepFrom } from '../terms/course.rules.ts';
import { entitlementsAt, factsAt, type LicenseFacts } from '../terms/entitlement.rules.ts';
import { endsOf, type HoldLevel, type LicenseState } from '../terms/license.rules.ts';
import { limitAt, termsIn } from '../terms/limit.rules.ts';

const DAY_S = 86_400;
const MAX_TTL_HOURS = 720;
/** How long a file works in full after its end while the platform cannot be reached, days. */
const OFFLINE_GRACE_DAYS = 7;
/** And how long for reading after that, days. The client counts the same. */
const OFFLINE_READ_DAYS = 14;
/** Whom a file is for that names no installation. */
const ANY_INSTALLATION = 'isp-install';

/** A limit as a file says it, in base units; null is without end. */
interface FileLimit {
  limit: string | null;
  policy: QuotaPolicy;
  softMarginPercent: number;
  overageCap: string | null;
}

/** A stretch of time in which nothing that a file says changes. */
interface FileTurn extends CourseStep {
  limits: Record<QuotaKey, FileLimit>;
}

/** What a licence file says (R20). Instants that end with `Until` or `End` are RFC 3339, the three of JWT seconds. */
export interface FilePayload {
  iss: string;
  sub: string;
  aud: string;
  jti: string;
  epoch: number;
  ver: number;
  iat: number;
  nbf: number;
  exp: number;
  plan: string;
  state: LicenseState;
  features: Record<Feature, FeatureAccess>;
  limits: Record<QuotaKey, FileLimit>;
  holds: HoldLevel[];
  trialEndsAt: string | null;
  paidUntil: string | null;
  graceEnd: string | null;
  restrictedEnd: string | null;
  offlineGraceDays: number;
  /** Every turn from `iat` to the last instant at which the file can be of use: with it an answer needs no calendar. */
  course: FileTurn[];
}

/** What a file says beside what follows from the licence. */
export interface FileNames {
  issuer: string;
  tenantId: string;
  installationId: string | null;
  fileId: string;
  epoch: number;
  licenseVersion: number;
  ttlHours: number;
}

/** Refuses with INVALID a lifetime or an installation that cannot be. */
export function checkAsked(ttlHours: number, installationId: string | null): void {
  if (ttlHours < 1 || ttlHours > MAX_TTL_HOURS)
    throw new Refusal('INVALID', `A licence file lives 1 to ${MAX_TTL_HOURS} hours.`, 'ttlHours');
  if (installationId !== null && !isId(installationId))
    throw new Refusal('INVALID', 'An installation is named by its id.', 'installationId');
}

/** Refuses with INVALID_STATE a licence that is suspended or revoked. */
export function checkFileable(state: LicenseState): void {
  if (state === 'SUSPENDED' || state === 'REVOKED')
    throw new Refusal('INVALID_STATE', `A ${state.toLowerCase()} licence has no file.`);
}

const iso = (at: Date | null) => at?.toISOString() ?? null;

/** Counters as they stand when a file is issued; those of which nothing is known go by what the licence says. */
export type Counters = Partial<Record<QuotaKey, Counted>>;

/** What the limits are at an instant, and the counters then: one that is allowed less waits for its next period. */
function limitsAt(facts: LicenseFacts, now: Date, before: Counters) {
  const counters: Counters = {};
  const said = QUOTA_KEYS.map((key) => {
    const [answer, known] = [termsIn(limitAt(facts, key, now)), before[key]];
    const row = known && turned(known, now).row;
    const { terms, next } = row ? termsAfter(row, answer, now) : { terms: answer, next: null };
    if (row) counters[key] = { ...row, ...terms, next };
    const { limit, policy, marginPercent: softMarginPercent, overageCap } = terms;
    const [most, cap] = [limit?.toString() ?? null, overageCap?.toString() ?? null];
    return [key, { limit: most, policy, softMarginPercent, overageCap: cap }];
  });
  return { limits: Object.fromEntries(said) as Record<QuotaKey, FileLimit>, counters };
}

/** The instants from one until another at which counters begin a period. */
function resetsBetween(counters: Counters, from: Date, until: Date): Date[] {
  return Object.values(counters).flatMap((known) => {
    const resets: Date[] = [];
    for (
      let row = turned(known, from).row;
      row.periodEnd && row.periodEnd < until;
      row = turned(row, row.periodEnd).row
    )
      resets.push(row.periodEnd);
    return resets;
  });
}

/** What the licence says from an instant until another, a turn for each instant at which time alone changes it. */
function turnsBetween(facts: LicenseFacts, from: Date, until: Date, known: Counters): FileTurn[] {
  const later = [...instantsOf(facts), ...resetsBetween(known, from, until)].filter((at) => at > from && at < until);
  const instants = [...new Set(later.map((at) => at.getTime()))].sort((a, b) => a - b).map((time) => new Date(time));
  let before = known;
  const turns = [from, ...instants].map((at) => {
    const held = factsAt(facts, at);
    const { limits, counters } = limitsAt(held, at, before);
    before = counters;
    return { ...stepFrom(held, at, endsOf(held)), limits };
  });
  const contentOf = ({ from: _, ...content }: FileTurn) => JSON.stringify(content);
  return turns.filter((turn, i) => i === 0 || contentOf(turn) !== contentOf(turns[i - 1] as FileTurn));
}

/** What the file of a licence says that is issued now. */
export function filePayload(facts: LicenseFacts, now: Date, names: FileNames, counters: Counters = {}): FilePayload {
  const iat = Math.floor(now.getTime() / 1_000);
  const exp = iat + names.ttlHours * 3_600;
  const since = new Date(iat * 1_000);
  const lastUse = new Date((exp + (OFFLINE_GRACE_DAYS + OFFLINE_READ_DAYS) * DAY_S) * 1_000);
  const { graceEnd, restrictedEnd } = endsOf(facts);
  const course = turnsBetween(facts, since, lastUse, counters);
  const { state, limits } = course[0] as FileTurn;
  const access = entitlementsAt(facts, since, state).map((answer) => [answer.feature, answer.access]);
  return {
    ...{ iss: names.issuer, sub: names.tenantId, aud: names.installationId ?? ANY_INSTALLATION, jti: names.fileId },
    ...{ epoch: names.epoch, ver: names.licenseVersion, iat, nbf: iat, exp },
    ...{ plan: facts.plan.code, state, features: Object.fromEntries(access), limits, holds: [...facts.openHolds] },
    ...{ trialEndsAt: iso(facts.trialEndsAt), paidUntil: iso(facts.paidUntil) },
    ...{ graceEnd: iso(graceEnd), restrictedEnd: iso(restrictedEnd) },
    ...{ offlineGraceDays: OFFLINE_GRACE_DAYS, course },
  };
}

/** How long after its end a revoked file is still named, so that none can be of use unnamed; days. */
export const NAMED_AFTER_END_DAYS = OFFLINE_GRACE_DAYS + OFFLINE_READ_DAYS + 1;
