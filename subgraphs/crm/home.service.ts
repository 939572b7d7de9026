import type { EntityManager } from '../_kernel/db.ts';

export interface Home {
  country: string;
  zone: string;
}

/** Where the tenant is at home: how its numbers are dialled and its days counted. */
export async function homeOf(em: EntityManager): Promise<Home> {
  const [row] = await em.execute('select country, zone from kernel.tenant_profile');
  if (!row) throw new Error('The tenant has no profile.');
  return { country: row.country, zone: row.zone };
}
