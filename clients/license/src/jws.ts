import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';

/** What a text is signed as; one that was signed as something else is refused. */
export type JwsType = 'isp-license+jwt' | 'isp-license-key+jwt' | 'isp-license-revocations+jwt';

export type JwsFault = 'MALFORMED' | 'BAD_HEADER' | 'UNKNOWN_KEY' | 'BAD_SIGNATURE';

export type Opened =
  | { kid: string; payload: Record<string, unknown>; fault?: undefined }
  | { kid: string | null; payload?: undefined; fault: JwsFault };

/** Longer texts are not looked at, characters. */
const MAX_LENGTH = 1_048_576;
/** Three parts in base64url. A signature has 64 bytes, 86 letters, the last of which carries two bits. */
const SHAPE = /^([A-Za-z0-9_-]{1,512})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{85}[AQgw])$/;
const KEY = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Opens a compact JWS that an Ed25519 key has signed as `typ`. Its header is exactly `alg`, `kid` and `typ`, written in one
 * way only; a member more (`jwk`, `jku`, `x5u`, `crit`), another algorithm or another spelling is refused before any key is
 * looked for, and the payload is not read before the signature holds. Never throws.
 */
export function openJws(text: unknown, typ: JwsType, keyOf: (kid: string) => KeyObject | undefined): Opened {
  if (typeof text !== 'string' || text.length > MAX_LENGTH) return { kid: null, fault: 'MALFORMED' };
  const [, header = '', payload = '', signature = ''] = SHAPE.exec(text) ?? [];
  if (!header) return { kid: null, fault: 'MALFORMED' };
  const kid = parse(header)?.kid;
  if (typeof kid !== 'string' || header !== headerOf(kid, typ)) return { kid: null, fault: 'BAD_HEADER' };
  const key = keyOf(kid);
  if (!key) return { kid, fault: 'UNKNOWN_KEY' };
  if (!isSigned(`${header}.${payload}`, signature, key)) return { kid, fault: 'BAD_SIGNATURE' };
  const said = parse(payload);
  return said ? { kid, payload: said } : { kid, fault: 'MALFORMED' };
}

const headerOf = (kid: string, typ: JwsType) =>
  Buffer.from(JSON.stringify({ alg: 'EdDSA', kid, typ })).toString('base64url');

function isSigned(text: string, signature: string, key: KeyObject): boolean {
  try {
    return verify(null, Buffer.from(text, 'latin1'), key, Buffer.from(signature, 'base64url'));
  } catch {
    return false;
  }
}

function parse(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The Ed25519 key of raw 32 bytes in base64url, or undefined for what is none. */
export function publicKeyOf(x: unknown): KeyObject | undefined {
  if (typeof x !== 'string' || !KEY.test(x)) return undefined;
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

/** The name of a public key: its thumbprint (RFC 7638), so that no other key can have it. */
export const kidOf = (x: string): string =>
  createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url');
