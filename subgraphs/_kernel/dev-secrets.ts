import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SECRETS } from './config.ts';

/** DER of an Ed25519 private key up to its 32-byte seed (RFC 8410). */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The private key of a 32-byte seed in base64url. */
export function ed25519FromSeed(seed: string) {
  return createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, Buffer.from(seed, 'base64url')]),
    format: 'der',
    type: 'pkcs8',
  });
}

/** The raw public key, base64url, of a seed. */
export function ed25519PublicOf(seed: string): string {
  return String(createPublicKey(ed25519FromSeed(seed)).export({ format: 'jwk' }).x);
}

/** The secrets of a development machine: drawn at its first start, kept in a file only its owner reads. */
export function devSecrets(dataDir: string): Record<string, string> {
  const file = join(dataDir, 'secrets.json');
  let kept: Record<string, string> = {};
  try {
    kept = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const drawn = { ...kept };
  for (const name of SECRETS)
    if (name !== 'ENVELOPE_PUBLIC_KEYS') drawn[name] ??= randomBytes(32).toString('base64url');
  drawn.ENVELOPE_PUBLIC_KEYS = ed25519PublicOf(String(drawn.ENVELOPE_PRIVATE_KEY));
  drawn.SEED_PASSWORD ??= randomBytes(12).toString('base64url');
  if (JSON.stringify(drawn) !== JSON.stringify(kept)) {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(file, `${JSON.stringify(drawn, null, 2)}\n`, { mode: 0o600 });
  }
  return drawn;
}
