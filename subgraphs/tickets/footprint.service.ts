import type { FeatureFootprint } from '../../schema/footprint.ts';
import type { Context } from '../_kernel/context.ts';

const MEANING =
  'They stay open. Customers still read theirs in the portal, and nobody can read or answer them here until Tickets is back.';

/** What the caller's tenant has open in Tickets, whether it is licensed or not. */
export async function ticketsFootprint(ctx: Context): Promise<FeatureFootprint[]> {
  const em = await ctx.em();
  const [row] = await em.execute(
    "select count(*)::int as open from tickets.ticket where status in ('NEW', 'OPEN', 'WAITING')",
  );
  return [{ noun: 'open tickets', count: row?.open ?? 0, meaning: MEANING }];
}
