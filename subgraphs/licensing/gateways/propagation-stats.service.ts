import { badInput } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import type { PropagationStats } from './gateway-feed.entity.ts';

/** How long it is known how changes spread, days. */
const KEPT_DAYS = 7;

/** How the changes of licences of the last `minutes` reached the gateways. */
export async function licensePropagation(ctx: Context, minutes: number): Promise<PropagationStats> {
  if (minutes < 1 || minutes > KEPT_DAYS * 1_440) throw badInput(`A window has 1 to ${KEPT_DAYS * 1_440} minutes.`);
  const [row] = await ctx.acrossTenants((em) =>
    em.execute(
      `select count(*)::int as changes, (count(*) filter (where acknowledged = nodes))::int as complete,
              percentile_disc(0.5) within group (order by waited_ms) as median,
              percentile_disc(0.95) within group (order by waited_ms) as p95, max(waited_ms) as worst
         from licensing.propagation where at > now() - make_interval(mins => ?)`,
      [minutes],
    ),
  );
  return {
    ...{ changes: row?.changes ?? 0, complete: row?.complete ?? 0 },
    ...{ medianMs: row?.median ?? null, p95Ms: row?.p95 ?? null, worstMs: row?.worst ?? null },
  };
}

/** Forgets how old changes spread. */
export async function prunePropagation(ctx: Context): Promise<void> {
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    await em.execute('delete from licensing.propagation where at < now() - make_interval(days => ?)', [KEPT_DAYS]);
  });
}
