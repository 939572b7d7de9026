import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { canonicalJson } from '../../../schema/canonical.ts';

/** What a text of ours is signed as; a text signed as one is never taken for another. */
export type JwsType = 'isp-license+jwt' | 'isp-license-key+jwt' | 'isp-license-revocations+jwt';

/** An Ed25519 key with the name its signatures carry. */
export interface Signer {
  kid: string;
  privateKey: KeyObject;
}

const encode = (value: unknown) => Buffer.from(canonicalJson(value)).toString('base64url');

/** Signs a payload: a compact JWS with header `alg`, `kid`, `typ` and nothing else, both parts canonical JSON (R20). */
export function signJws(typ: JwsType, payload: object, { kid, privateKey }: Signer): string {
  const text = `${encode({ alg: 'EdDSA', kid, typ })}.${encode(payload)}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`;
}

/** The payload of a text that the named key signed as `typ`, or undefined for any other text. */
export function openJws(
  typ: JwsType,
  text: string,
  kid: string,
  publicKey: string,
): Record<string, unknown> | undefined {
  const [header = '', payload = '', signature = '', ...rest] = text.split('.');
  if (rest.length > 0 || header !== encode({ alg: 'EdDSA', kid, typ })) return undefined;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  const isSigned = verify(null, Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'));
  return isSigned ? JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) : undefined;
}

/** The name of a public key (raw 32 bytes, base64url): its thumbprint, RFC 7638. */
export const kidOf = (publicKey: string): string =>
  createHash('sha256')
    .update(canonicalJson({ crv: 'Ed25519', kty: 'OKP', x: publicKey }))
    .digest('base64url');
