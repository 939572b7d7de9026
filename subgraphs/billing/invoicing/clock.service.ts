import type { Context } from '../../_kernel/context.ts';

/** The present of a customer, and whether it is one of a sandbox. */
export interface Present {
  now: Date;
  isTest: boolean;
}

/** A customer that is a tenant is billed on that tenant's clock, which in a sandbox runs ahead; others on ours [R73]. */
export async function presentOf(
  ctx: Context,
  { licensedTenantId }: { licensedTenantId?: string | null },
): Promise<Present> {
  if (!licensedTenantId) return { now: ctx.now(), isTest: false };
  const [clock] = await ctx.acrossTenants((em) =>
    em.execute('select is_sandbox, offset_seconds from billing.tenant_clock where clock_tenant_id = ?', [
      licensedTenantId,
    ]),
  );
  const aheadMs = Number(clock?.offset_seconds ?? 0) * 1_000;
  return { now: new Date(ctx.now().getTime() + aheadMs), isTest: clock?.is_sandbox ?? false };
}
