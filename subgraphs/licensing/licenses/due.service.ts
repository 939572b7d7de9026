import type { Context } from '../../_kernel/context.ts';

/** What makes a tenant due, in SQL: `l` is its licence, `t.tenant_now` the present of its own clock. */
export interface Due {
  condition: string;
  /** Who comes first where many are. */
  order?: string;
}

/** Tenants with a licence of which it holds, at most `limit`. */
export async function dueTenants(ctx: Context, { condition, order = 'l.id' }: Due, limit: number): Promise<string[]> {
  const rows = await ctx.acrossTenants((em) =>
    em.execute(
      `select t.licensed_tenant_id from licensing.licensed_tenant t join licensing.license l on l.id = t.license_id
        where ${condition} order by ${order} limit ?`,
      [limit],
    ),
  );
  return rows.map((row) => row.licensed_tenant_id);
}
