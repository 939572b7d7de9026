import { createHmac, timingSafeEqual } from 'node:crypto';

const SHAPE = /^isp_dv_([0-9a-f]{32})\.([A-Za-z0-9_-]{43})$/;
/** How long a device is known after its session began, milliseconds: 180 days. */
const KNOWN_MS = 180 * 86_400_000;

const macOf = (key: Buffer, userId: string, hex: string) =>
  createHmac('sha256', key).update(`device|${userId}|${hex}`).digest();

/**
 * The mark of a device somebody signed in on, for their next sign-in there (identity R10). It is no proof of anything: who
 * brings it is counted on their own, so that strangers who try passwords do not lock them out.
 */
export function deviceMarkOf(key: Buffer, userId: string, sessionId: string): string {
  const hex = sessionId.replaceAll('-', '');
  return `isp_dv_${hex}.${macOf(key, userId, hex).toString('base64url')}`;
}

/** Which device of a person a mark names; undefined for one that is another's, made up, or too old. */
export function deviceOf(key: Buffer, mark: string, userId: string, now: Date): string | undefined {
  const [, hex, mac] = SHAPE.exec(mark) ?? [];
  if (!hex || !mac || !timingSafeEqual(macOf(key, userId, hex), Buffer.from(mac, 'base64url'))) return undefined;
  const beganAt = Number.parseInt(hex.slice(0, 12), 16); // ids of sessions are UUIDv7
  return now.getTime() - beganAt < KNOWN_MS ? hex : undefined;
}

/** Roughly where an address is: its /24, of IPv6 its /48. Records are cut to it after 90 days. */
export function areaOf(address: string): string {
  const [plain = ''] = address.split('/');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
  if (!mapped.includes(':')) return mapped.split('.').slice(0, 3).join('.');
  const front = (mapped.toLowerCase().split('::')[0] ?? '').split(':').filter(Boolean);
  return [...front, '0', '0', '0']
    .slice(0, 3)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
