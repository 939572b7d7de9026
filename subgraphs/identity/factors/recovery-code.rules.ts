import { createHash, randomBytes } from 'node:crypto';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'; // base32, RFC 4648
const LENGTH = 10;
const COUNT = 10;
const SHAPE = /^[A-Z2-7]{10}$/;

const drawOne = () => [...randomBytes(LENGTH)].map((byte) => LETTERS[byte % LETTERS.length]).join('');

/** Ten new codes. Each is 50 random bits, so a plain hash keeps them. */
export const drawRecoveryCodes = (): string[] => Array.from({ length: COUNT }, drawOne);

/** What is kept of a code, however it is typed; undefined for a text that is none. */
export function hashOfCode(typed: string): string | undefined {
  const code = typed.replace(/[\s-]/g, '').toUpperCase();
  return SHAPE.test(code) ? createHash('sha256').update(code).digest('base64url') : undefined;
}
