import type { Context } from '../../_kernel/context.ts';
import { dropHome } from '../../_kernel/home-databases.ts';
import { CONTROL, type Home } from '../../_kernel/homes.ts';
import { clearAway } from '../../_kernel/residence.ts';
import { forgetHome } from './placement.service.ts';

/** Drops a home of one tenant, once this process has left it. One that is gone is no error. */
export async function demolish({ machinery }: Context, home: Home): Promise<void> {
  const { config, copies, homes } = machinery;
  await copies.leave(home);
  await homes.leave(home);
  await dropHome(config, home);
}

/** Deletes what former homes have kept for as long as they should. */
export async function clearFormerHomes(ctx: Context): Promise<void> {
  const due = await ctx.acrossTenants((em) =>
    em.execute('select id, run_tenant_id, from_home from tenancy.fenced_move where fenced_until <= now()'),
  );
  for (const { id, run_tenant_id: tenantId, from_home: home } of due)
    await clearFormerHome(ctx.inTenant(tenantId), id, home);
}

/** The same at once for everything the former homes of the context's tenant keep. */
export async function clearFormerHomesNow(ctx: Context): Promise<void> {
  const kept = await ctx.tx((em) =>
    em.execute('select id, from_home from tenancy.move_run where fenced_until is not null'),
  );
  for (const { id, from_home: home } of kept) await clearFormerHome(ctx, id, home);
}

/** The rows go, or the whole home if it was the tenant's own. */
async function clearFormerHome(ctx: Context, moveId: string, home: Home): Promise<void> {
  if (home === CONTROL) await clearAway(ctx.machinery.config, home, ctx.tenantId);
  else await demolish(ctx, home);
  await ctx.tx(async (em) => {
    await forgetHome(em, home);
    await em.execute('update tenancy.move_run set fenced_until = null where id = ?', [moveId]);
  });
}
