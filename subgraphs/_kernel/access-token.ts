import { type KeyObject, sign, verify } from 'node:crypto';

/** What an access token says (identity R7): who, in which session, for which tenant. No permission, name or mail. */
export interface AccessClaims {
  iss: string;
  aud: typeof AUDIENCE;
  /** The user. */
  sub: string;
  /** The session. */
  sid: string;
  /** Seconds since 1970, as `exp` and `strong`. */
  iat: number;
  exp: number;
  jti: string;
  kind: 'STAFF' | 'PORTAL';
  /** Tenant, membership and its version; absent in a token without tenant. */
  tid?: string;
  mid?: string;
  mv?: number;
  /** When a strong proof was last given. */
  strong?: number;
  /** Who acts in the person's name, and by which impersonation, which then stands in the session's place. */
  act?: { sub: string; imp: string };
}

export type TokenVerdict =
  | { claims: AccessClaims; refused?: undefined }
  | { claims?: undefined; refused: 'EXPIRED' | 'INVALID' };

export const AUDIENCE = 'isp-graph';
/** Longest life of an access token, seconds. */
export const ACCESS_TOKEN_S = 300;
/** The same of one that lets support act in a person's name: it is not renewed. */
export const ACTING_TOKEN_S = 1_800;
/** Clocks of two machines may differ by this much, seconds. */
const SKEW_S = 5;
/** Longer texts are not looked at, bytes. */
const MAX_LENGTH = 4_096;

/** Three parts in base64url; an Ed25519 signature has 86 letters, the last of which carries two bits. */
const SHAPE = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{85}[AQgw])$/;
const INVALID: TokenVerdict = { refused: 'INVALID' };
const EXPIRED: TokenVerdict = { refused: 'EXPIRED' };

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const headerOf = (kid: string) => encode({ alg: 'EdDSA', kid, typ: 'at+jwt' });

/** Signs an access token: a JWS whose header is exactly `alg`, `kid` and `typ` (RFC 9068, RFC 8037). */
export function signAccessToken(claims: AccessClaims, kid: string, privateKey: KeyObject): string {
  const text = `${headerOf(kid)}.${encode(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}

/**
 * Believes a token if a key we know signed exactly our header and claims of ours, now. Says no more than EXPIRED, and
 * that only of a token that was good. Never throws.
 * @param now milliseconds since 1970.
 */
export function verifyAccessToken(
  token: string,
  keyByKid: (kid: string) => KeyObject | undefined,
  expected: { issuer: string; now: number },
): TokenVerdict {
  if (token.length > MAX_LENGTH) return INVALID;
  const [, header, payload, signature] = SHAPE.exec(token) ?? [];
  if (!header || !payload || !signature) return INVALID;
  const kid = parse(header)?.kid;
  if (typeof kid !== 'string' || header !== headerOf(kid)) return INVALID;
  const key = keyByKid(kid);
  if (!key || !verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url')))
    return INVALID;
  const claims = parse(payload);
  if (!claims || !areOurs(claims, expected.issuer)) return INVALID;
  const seconds = expected.now / 1_000;
  if (claims.iat > seconds + SKEW_S) return INVALID;
  return claims.exp + SKEW_S < seconds ? EXPIRED : { claims };
}

function parse(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const isText = (value: unknown) => typeof value === 'string' && value.length > 0;
const isSecond = (value: unknown) => Number.isSafeInteger(value);

function areOurs(claims: Record<string, unknown>, issuer: string): claims is Record<string, unknown> & AccessClaims {
  const { iss, aud, sub, sid, iat, exp, jti, kind, tid, mid, mv, strong, nbf, act } = claims;
  const longest = act === undefined ? ACCESS_TOKEN_S : ACTING_TOKEN_S;
  const isDated = isSecond(iat) && isSecond(exp) && Number(exp) - Number(iat) <= longest && nbf === undefined;
  const isPlaced = tid === undefined ? mid === undefined : isText(tid) && isText(mid) && isSecond(mv);
  return (
    iss === issuer &&
    aud === AUDIENCE &&
    [sub, sid, jti].every(isText) &&
    isDated &&
    isPlaced &&
    (kind === 'STAFF' || kind === 'PORTAL') &&
    (strong === undefined || isSecond(strong)) &&
    (act === undefined || isActing(act, sid))
  );
}

function isActing(act: unknown, sid: unknown): boolean {
  const { sub, imp } = (act ?? {}) as { sub?: unknown; imp?: unknown };
  return isText(sub) && imp === sid;
}
