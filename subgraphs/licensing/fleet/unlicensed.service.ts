import type { Context } from '../../_kernel/context.ts';
import { gauge } from '../../_kernel/metrics.ts';

/** A tenant may be without a licence this long before somebody is told, milliseconds. */
const PATIENCE_MS = 3_600_000;
/** Tenants looked at in one sweep. */
const BATCH = 500;

const unlicensedTenants = gauge(
  'dotmac_tenants_without_license',
  'Active tenants that had no licence for over an hour when the process last looked.',
);

/** Tells operators of active tenants that have had no licence for over an hour. Returns them. */
export async function alertOfUnlicensed(ctx: Context): Promise<string[]> {
  const rows = await ctx.acrossTenants((em) =>
    em.execute(
      `select p.tenant_id from kernel.tenant_profile p left join kernel.entitlement e on e.tenant_id = p.tenant_id
        where e.tenant_id is null and p.state = 'ACTIVE' order by p.tenant_id limit ?`,
      [BATCH],
    ),
  );
  const found: string[] = [];
  for (const { tenant_id: tenantId } of rows) if (await isOld(ctx.inTenant(tenantId))) found.push(tenantId);
  unlicensedTenants.set(found.length);
  if (found.length > 0) ctx.log.warn({ tenantIds: found }, 'tenants have no licence');
  return found;
}

/** Whether the tenant's log began over an hour ago; one that is empty is of a tenant from before there was a log. */
async function isOld(ctx: Context): Promise<boolean> {
  const em = await ctx.em();
  const [first] = await em.execute('select at from kernel.event order by seq limit 1');
  await ctx.end();
  return !first || Date.now() - new Date(first.at).getTime() >= PATIENCE_MS;
}
