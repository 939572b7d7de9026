import { createHmac, hkdfSync } from 'node:crypto';
import type { Config } from './config.ts';

/**
 * A mail as domains compare it without telling it to each other: keyed, so that nobody without our secret finds out
 * whose it is. Capital letters make no other mail.
 */
export function mailMark({ DATABASE_ROLE_SECRET }: Pick<Config, 'DATABASE_ROLE_SECRET'>, email: string): string {
  const key = Buffer.from(hkdfSync('sha256', Buffer.from(DATABASE_ROLE_SECRET, 'base64url'), '', 'mail mark', 32));
  return createHmac('sha256', key).update(email.toLowerCase()).digest('base64url');
}
