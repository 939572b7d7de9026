import { generateSecret, generateSync, generateURI, ScureBase32Plugin, verifySync } from 'otplib';

/** How far a phone's clock may be off, seconds: one step either way (identity R12; RFC 6238 section 5.2). */
const TOLERANCE_S = 30;
const CODE = /^\d{6}$/;
/** As long as the hash behind the codes, which is SHA-1 (RFC 4226 section 4). */
const SECRET_BYTES = 20;

const base32 = new ScureBase32Plugin();

/** A new secret. */
export const drawSecret = (): Buffer => Buffer.from(base32.decode(generateSecret({ length: SECRET_BYTES })));

/** A secret as people type it into an app. */
export const spellSecret = (secret: Buffer): string => base32.encode(secret, { padding: false });

/** What an app reads from a QR code: whose account at which issuer, and the secret. */
export const uriOf = (secret: Buffer, issuer: string, email: string): string =>
  generateURI({ issuer, label: email, secret: spellSecret(secret) });

/** The step whose code this is, now or one step off; undefined for any other. Whether it was used is the row's to say. */
export function stepOf(secret: Buffer, typed: string, now: Date): bigint | undefined {
  const token = typed.replace(/\s/g, ''); // people write it in groups
  if (!CODE.test(token)) return undefined;
  const epoch = Math.floor(now.getTime() / 1_000);
  const verdict = verifySync({ secret, token, epoch, epochTolerance: TOLERANCE_S });
  return verdict.valid && 'timeStep' in verdict ? BigInt(verdict.timeStep) : undefined;
}

/** The code an app shows at an instant. */
export const codeAt = (secret: Buffer, at: Date): string =>
  generateSync({ secret, epoch: Math.floor(at.getTime() / 1_000) });
