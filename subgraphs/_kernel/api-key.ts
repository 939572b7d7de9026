import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

export type ApiKeyMode = 'LIVE' | 'TEST';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX = { LIVE: 'isp_live_', TEST: 'isp_test_' } as const;
/** Base-62 digits of 32 bytes, and of a CRC-32. */
const BODY = 43;
const CHECK = 6;
const SHAPE = new RegExp(`^(isp_(?:live|test)_[0-9A-Za-z]{${BODY}})([0-9A-Za-z]{${CHECK}})$`);

function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest /= 62n) text = (DIGITS[Number(rest % 62n)] as string) + text;
  return text;
}

const checksumOf = (text: string) => base62(BigInt(crc32(text)), CHECK);

/**
 * An API key as its holder keeps it (identity R14): the mode, 32 bytes big-endian in base 62, and the CRC-32 (IEEE) of all
 * before, so that a typing error needs no look-up and a leaked key is found by its shape.
 */
export function keyText(mode: ApiKeyMode, bytes: Uint8Array): string {
  const text = PREFIX[mode] + base62(BigInt(`0x${Buffer.from(bytes).toString('hex')}`), BODY);
  return text + checksumOf(text);
}

/** Whether a text claims to be an API key, be it a broken one. */
export const looksLikeKey = (text: string): boolean => text.startsWith(PREFIX.LIVE) || text.startsWith(PREFIX.TEST);

/** Whether a text has the shape and the checksum of an API key. */
export function isKeyText(text: string): boolean {
  const [, said, check] = SHAPE.exec(text) ?? [];
  return said !== undefined && checksumOf(said) === check;
}

/** What is kept of a key: SHA-256, hex. */
export const hashOfKey = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The first API key in a text, such as an address. */
export function keyIn(text: string): string | undefined {
  return text.match(new RegExp(`isp_(?:live|test)_[0-9A-Za-z]{${BODY + CHECK}}`, 'g'))?.find(isKeyText);
}
