import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { canonicalJson } from '../../../schema/canonical.ts';

/** What a certificate of deletion says. */
export interface CertificateClaims {
  id: string;
  /** SHA-256 of the tenant's id, hex: who knows the id can check it, and nobody learns it. */
  tenantIdHash: string;
  /** How many rows of each table went. */
  deleted: Record<string, number>;
  /** When every table of tenants was counted and none had a row left, ISO 8601. */
  zeroAt: string;
  /** When the tenant's data key was destroyed, ISO 8601. */
  keyDestroyedAt: string;
  /** When the database was dropped that it had for itself, ISO 8601; null for who shared one. Certificates of old do not say. */
  databaseDroppedAt?: string | null;
  /** Day on which the last backup that may hold anything of it ends. */
  lastBackupEndsOn: string;
  /** What the law makes the platform keep. */
  kept: readonly string[];
  /** The two people who approved. */
  approvedBy: readonly string[];
}

const HEADER = Buffer.from('{"alg":"EdDSA","typ":"deletion-certificate+jws"}').toString('base64url');
/** The last letter of 64 bytes in base64url carries two bits: the other spellings are not ours. */
const SHAPE = /^([\w-]+)\.([\w-]+)\.([\w-]{85}[AQgw])$/;

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Signs a certificate: a compact JWS over its canonical JSON (RFC 8785, RFC 8037). */
export function signCertificate(claims: CertificateClaims, key: KeyObject): string {
  const text = `${HEADER}.${Buffer.from(canonicalJson(claims)).toString('base64url')}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
}

/** What a certificate says, or null where not every letter of it is as we signed it. Never throws. */
export function readCertificate(document: string, key: KeyObject): CertificateClaims | null {
  const [, header, payload, signature] = SHAPE.exec(document) ?? [];
  if (header !== HEADER || !payload || !signature) return null;
  if (!verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))) return null;
  return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as CertificateClaims;
}
