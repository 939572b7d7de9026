import { createHmac, timingSafeEqual } from 'node:crypto';

const SHAPE = /^isp_lk_([0-9a-f]{32})\.([0-9a-z]{1,9})\.([A-Za-z0-9_-]{43})$/;
const LIFE_S = 7 * 86_400;

/** Whose account a link locks. With the next password it no longer works, for then its owner is in charge again. */
export interface Lockable {
  id: string;
  passwordChangedAt?: Date | null;
}

const macOf = (key: Buffer, { id, passwordChangedAt }: Lockable, endsAt: number) =>
  createHmac('sha256', key)
    .update(`lock|${id}|${passwordChangedAt?.getTime() ?? 0}|${endsAt}`)
    .digest();

/** The token of a warning mail's link, good for a week. Computed, so that one warning does not spoil the link of another. */
export function lockTokenOf(key: Buffer, user: Lockable, now: Date): string {
  const endsAt = Math.floor(now.getTime() / 1_000) + LIFE_S;
  return `isp_lk_${user.id.replaceAll('-', '')}.${endsAt.toString(36)}.${macOf(key, user, endsAt).toString('base64url')}`;
}

/** The id of the person a token is about; undefined for a text that is none. It proves nothing yet. */
export function subjectOfLock(token: string): string | undefined {
  const [, hex] = SHAPE.exec(token) ?? [];
  return hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Whether a token locks this person's account now. */
export function locks(key: Buffer, token: string, user: Lockable, now: Date): boolean {
  const [, , endsText = '', mac = ''] = SHAPE.exec(token) ?? [];
  const endsAt = Number.parseInt(endsText, 36);
  if (subjectOfLock(token) !== user.id || !(endsAt * 1_000 > now.getTime())) return false;
  return timingSafeEqual(macOf(key, user, endsAt), Buffer.from(mac, 'base64url'));
}
