import { createHmac } from 'node:crypto';
import { prefixOf } from '../../../schema/address-prefix.ts';
import { ClientError } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';

interface Allowance {
  /** What is counted. */
  what: string;
  most: number;
  /** Within so many seconds from the first. */
  withinS: number;
}

/**
 * Counts that something is asked once more by somebody, of whom the database keeps a keyed hash. Throws RATE_LIMITED with
 * `retryAfterMs` when it was asked too often.
 */
async function count(ctx: Context, { what, most, withinS }: Allowance, who: string): Promise<void> {
  const secret = Buffer.from(ctx.machinery.config.DATABASE_ROLE_SECRET, 'base64url');
  const key = createHmac('sha256', secret).update(`${what}|${who}`).digest('base64url');
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const [row] = await em.execute(
      `insert into tenancy.asked_count as held (key, count, ends_at) values (?, 1, now() + make_interval(secs => ?))
       on conflict (tenant_id, key) do update set
         count = case when held.ends_at <= now() then 1 else held.count + 1 end,
         ends_at = case when held.ends_at <= now() then excluded.ends_at else held.ends_at end
       returning count, ceil(1000 * extract(epoch from ends_at - now()))::int as left_ms`,
      [key, withinS],
    );
    if (Number(row?.count) > most)
      throw new ClientError('RATE_LIMITED', 'Please try again later.', { retryAfterMs: Number(row?.left_ms) });
  });
}

/** Counts by the address of who asks; whoever the gateway could not tell it of counts as one. */
export const countByAddress = (ctx: Context, allowed: Allowance): Promise<void> =>
  count(ctx, allowed, ctx.envelope.address ? prefixOf(ctx.envelope.address) : '');

export const countByMail = (ctx: Context, allowed: Allowance, email: string): Promise<void> =>
  count(ctx, allowed, email);

/** Forgets counts that are over. */
export async function forgetCounts(ctx: Context): Promise<void> {
  await ctx.tx((em) => em.execute('delete from tenancy.asked_count where ends_at <= now()'));
}
