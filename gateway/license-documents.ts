import { createHash } from 'node:crypto';
import type { Ask } from './ask.ts';

/** Something everybody may read, as it is served. */
export interface PublicDocument {
  type: string;
  body: string;
  /** Of the body, quoted. */
  etag: string;
  /** How long others may keep it, seconds. */
  maxAgeS: number;
}

/** Documents by path. */
export type PublicDocuments = ReadonlyMap<string, () => Promise<PublicDocument>>;

/** How long a document is served before licensing is asked again, milliseconds. */
const HELD_MS = 15_000;
/** With what is held here and half a minute at others, a revocation is everywhere within the minute (R21). */
const LIST_S = 30;
/** A key is published a day before it signs. */
const KEYS_S = 300;

/** Where an installation finds the keys of licence files, and what is revoked. While licensing is away, the last is served. */
export function licenseDocuments(ask: Ask): PublicDocuments {
  const held = (field: string, type: string, maxAgeS: number) => {
    let last: { at: number; document: PublicDocument } | undefined;
    let asking: Promise<PublicDocument> | undefined;
    const read = async () => {
      const body = (await ask<Record<string, string>>('licensing', `{ ${field} }`))[field] as string;
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
      last = { at: performance.now(), document: { type, body, etag, maxAgeS } };
      return last.document;
    };
    return async () => {
      if (last && performance.now() - last.at < HELD_MS) return last.document;
      asking ??= read().finally(() => {
        asking = undefined;
      });
      return asking.catch((error: Error) => {
        if (last) return last.document;
        throw error;
      });
    };
  };
  return new Map([
    ['/.well-known/license-jwks.json', held('licenseKeySet', 'application/jwk-set+json', KEYS_S)],
    ['/.well-known/license-revocations.jws', held('licenseRevocationList', 'application/jose', LIST_S)],
  ]);
}
