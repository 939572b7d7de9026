import { isObject, type JwsFault, openJws } from './jws.ts';
import { SKEW_S, type TrustedKeys } from './trust.ts';
import type { Access, Said } from './verdict.ts';

/** Why a file is not accepted. */
export type Reason =
  | JwsFault
  | 'NO_FILE'
  | 'REVOKED_KEY'
  | 'REVOKED'
  | 'OTHER_TENANT'
  | 'OTHER_INSTALLATION'
  | 'LOWER_EPOCH'
  | 'NOT_YET_VALID'
  | 'ENDED';

/** A stretch of time in which nothing that a file says changes; `from` in milliseconds since 1970. */
export interface Turn extends Said {
  from: number;
}

/** What a file says that was accepted. Times of JWT are seconds since 1970. */
export interface LicenseFile {
  jws: string;
  jti: string;
  epoch: number;
  ver: number;
  iat: number;
  exp: number;
  offlineGraceDays: number;
  course: Turn[];
}

export interface Revocations {
  jws: string;
  seq: number;
  /** There is a newer one by then, seconds since 1970. */
  nextUpdate: number;
  jtis: ReadonlySet<string>;
  kids: ReadonlySet<string>;
  minEpochs: Readonly<Record<string, unknown>>;
}

/** Whom a file is for that names no installation. */
const ANY_INSTALLATION = 'isp-install';
const HOUR_S = 3_600;
export const DAY_S = 86_400;
/** How long gated features can still be read after the days of grace. */
export const OFFLINE_READ_DAYS = 14;
const MAX_GRACE_DAYS = 30;

/** What a file is held against. */
export interface Ground {
  keys: TrustedKeys;
  revocations: Revocations | null;
  tenantId: string;
  installationId: string | null;
  /** The highest epoch ever accepted. */
  epoch: number;
  /** Milliseconds since 1970. */
  now: number;
}

export type Judged = { file: LicenseFile; reason?: undefined } | { file?: undefined; reason: Reason };

/** Whether a text is a licence file of ours for this installation, good now. Never throws, whatever the text. */
export function judgeFile(text: unknown, ground: Ground): Judged {
  const { keys, revocations, tenantId, installationId } = ground;
  const now = ground.now / 1_000;
  const { kid, payload, fault } = openJws(text, 'isp-license+jwt', (name) => keys.at(name, now));
  if (kid !== null && revocations?.kids.has(kid)) return { reason: 'REVOKED_KEY' };
  if (!payload) return { reason: fault ?? 'MALFORMED' };
  const file = fileIn(payload, String(text));
  if (!file) return { reason: 'MALFORMED' };
  if (payload.sub !== tenantId) return { reason: 'OTHER_TENANT' };
  if (payload.aud !== ANY_INSTALLATION && payload.aud !== installationId) return { reason: 'OTHER_INSTALLATION' };
  if (revocations?.jtis.has(file.jti) || file.epoch < minEpochIn(revocations, tenantId)) return { reason: 'REVOKED' };
  if (file.epoch < ground.epoch) return { reason: 'LOWER_EPOCH' };
  if (Math.max(file.iat, Number(payload.nbf)) > now + SKEW_S) return { reason: 'NOT_YET_VALID' };
  if (now >= endOfUse(file)) return { reason: 'ENDED' };
  return { file };
}

/** When a file is of no use any more, seconds since 1970. */
export const endOfUse = (file: LicenseFile) => file.exp + (file.offlineGraceDays + OFFLINE_READ_DAYS) * DAY_S;

function minEpochIn(revocations: Revocations | null, tenantId: string): number {
  const { minEpochs = {} } = revocations ?? {};
  return Object.hasOwn(minEpochs, tenantId) ? Number(minEpochs[tenantId]) : 0;
}

const areWhole = (...values: unknown[]) => values.every((value) => Number.isSafeInteger(value) && Number(value) >= 0);

function fileIn(payload: Record<string, unknown>, jws: string): LicenseFile | undefined {
  const { jti, epoch, ver, iat, nbf, exp, offlineGraceDays, course } = payload;
  if (typeof jti !== 'string' || !areWhole(epoch, ver, iat, nbf, exp, offlineGraceDays)) return undefined;
  const life = Number(exp) - Number(iat);
  if (life < HOUR_S || life > 30 * DAY_S || Number(offlineGraceDays) > MAX_GRACE_DAYS) return undefined;
  const turns = Array.isArray(course) ? course.map(turnIn) : [];
  if (turns.length === 0 || turns.some((turn, i) => !turn || turn.from <= (turns[i - 1]?.from ?? -1))) return undefined;
  return { jws, jti, epoch, ver, iat, exp, offlineGraceDays, course: turns } as LicenseFile;
}

const ACCESS: readonly unknown[] = ['NONE', 'READ', 'FULL'];
const isAccess = (value: unknown): value is Access => ACCESS.includes(value);

function turnIn(turn: unknown): Turn | undefined {
  if (!isObject(turn) || !isObject(turn.features) || !isObject(turn.limits)) return undefined;
  const from = Date.parse(String(turn.from));
  if (Number.isNaN(from) || typeof turn.state !== 'string' || !isAccess(turn.core)) return undefined;
  if (!Object.values(turn.features).every((said) => isObject(said) && isAccess(said.access))) return undefined;
  const isAmount = (value: unknown) => value === null || (typeof value === 'string' && /^\d{1,19}$/.test(value));
  const areLimits = Object.values(turn.limits).every(
    (said) => isObject(said) && isAmount(said.limit) && isAmount(said.overageCap),
  );
  return areLimits ? ({ ...turn, from } as Turn) : undefined;
}

/** The list of what is revoked in a text, or undefined for a text that no key we believe in has signed. */
export function readRevocations(
  text: unknown,
  { keys, revocations, now }: Pick<Ground, 'keys' | 'revocations' | 'now'>,
): Revocations | undefined {
  const isBad = (kid: string) => revocations?.kids.has(kid);
  const keyOf = (kid: string) => (isBad(kid) ? undefined : keys.at(kid, now / 1_000));
  const { kid, payload } = openJws(text, 'isp-license-revocations+jwt', keyOf);
  if (!payload) return undefined;
  const { seq, nextUpdate, jtis, kids, minEpochs } = payload;
  if (!areWhole(seq, nextUpdate) || !Array.isArray(jtis) || !Array.isArray(kids) || !isObject(minEpochs))
    return undefined;
  if (kids.includes(kid)) return undefined; // a key does not speak of itself
  const dates = { seq: Number(seq), nextUpdate: Number(nextUpdate) };
  return { jws: String(text), ...dates, jtis: new Set(jtis), kids: new Set(kids), minEpochs };
}
