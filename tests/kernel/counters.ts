import { randomUUID } from 'node:crypto';
import { QUOTAS, type QuotaKey } from '../../schema/features.ts';
import type { Context } from '../../subgraphs/_kernel/context.ts';
import { readEventsNamed } from '../../subgraphs/_kernel/events.ts';
import { consume } from '../../subgraphs/_kernel/quota.ts';
import type { World } from '../setup/world.ts';
import { asSuperuser, inNewTenant, migrateByHand } from './by-hand.ts';

export const soon = () => new Date(Date.now() + 86_400_000).toISOString();
export const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

/** A tenant whose licence limits one thing, with the columns of its counter as SQL writes them. */
export async function limitedBy(
  world: World,
  key: QuotaKey,
  columns: Record<string, string | number | null>,
): Promise<Context> {
  const ctx = await inNewTenant(world);
  const always = { tenant_id: ctx.tenantId, key, kind: QUOTAS[key].kind, policy: 'HARD', anchor_day: 1, zone: 'UTC' };
  const given = { ...always, ...columns };
  const values = Object.values(given).map((value) => (value === null ? 'null' : `'${value}'`));
  const names = Object.keys(given).map((name) => `"${name}"`);
  await migrateByHand(world, `insert into kernel.quota (${names}) values (${values})`);
  return ctx;
}

export const take = (ctx: Context, amount = 1n, onceKey: string = randomUUID(), key: QuotaKey = 'tickets') =>
  ctx.tx((em) => consume(ctx, em, key, amount, onceKey));

/** A counter as it stands, with what is left of its top-ups. */
export async function counterOf(world: World, ctx: Context, key: QuotaKey = 'tickets') {
  const [row] = await asSuperuser(
    world,
    `select used::int, topped_up::int, reported::int, warned, day_added::int, day_peak::int, period_end,
            (select jsonb_object_agg(t ->> 'grantId', (t ->> 'remaining')::int) from jsonb_array_elements(top_ups) t) as left
       from kernel.quota where tenant_id = $1 and key = $2`,
    [ctx.tenantId, key],
  );
  return row as Record<string, unknown>;
}

/** The percents a tenant was warned of. */
export async function warnedOf(ctx: Context): Promise<number[]> {
  const events = await readEventsNamed(await ctx.em(), 'licensing.quota.threshold_reached', 0, 100);
  await ctx.end();
  return events.map(({ payload }) => payload.percent);
}
