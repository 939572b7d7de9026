import type { EntityManager } from '../_kernel/db.ts';

/** What billing must know of the tenant it runs in, from the kernel's copy. */
export async function tenantProfile(em: EntityManager): Promise<{ zone: string; currency: string }> {
  const [row] = await em.execute('select zone, currency from kernel.tenant_profile');
  if (!row) throw new Error('The kernel holds no profile of this tenant.');
  return { zone: row.zone, currency: row.currency };
}
