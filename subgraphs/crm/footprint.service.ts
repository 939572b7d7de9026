import type { FeatureFootprint } from '../../schema/footprint.ts';
import type { Context } from '../_kernel/context.ts';

const MEANING = 'They are kept as they are, and nobody can open them until CRM is back.';

/** What the caller's tenant has in CRM, whether it is licensed or not. */
export async function crmFootprint(ctx: Context): Promise<FeatureFootprint[]> {
  const em = await ctx.em();
  const [row] = await em.execute(
    'select (select count(*)::int from crm.contact) as contacts, (select count(*)::int from crm.lead) as leads',
  );
  return [
    { noun: 'contacts', count: row?.contacts ?? 0, meaning: MEANING },
    { noun: 'leads', count: row?.leads ?? 0, meaning: MEANING },
  ];
}
