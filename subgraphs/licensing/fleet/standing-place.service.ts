import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';

const TABLES = { hold: 'licensing.hold', grant: 'licensing."grant"' } as const;

/** The tenant on whose licence a hold or a grant stands, for the control plane; null for an unknown one. */
export async function tenantOfStanding(ctx: Context, noun: keyof typeof TABLES, id: string): Promise<string | null> {
  if (!isId(id)) return null;
  const [place] = await ctx.acrossTenants((em) =>
    em.execute(
      `select t.licensed_tenant_id from ${TABLES[noun]} s join licensing.licensed_tenant t on t.license_id = s.license_id
        where s.id = ?`,
      [id],
    ),
  );
  return place?.licensed_tenant_id ?? null;
}
