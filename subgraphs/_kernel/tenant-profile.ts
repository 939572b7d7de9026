import type { EntityManager } from './db.ts';

/** What every domain may know of the tenant it runs in. Tenancy owns it; this is the kernel's copy. */
export interface TenantProfile {
  slug: string;
  /** What people call it. */
  name: string;
  kind: string;
  state: string;
  /** IANA. */
  zone: string;
  /** ISO 4217. */
  currency: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
}

/** The profile of the tenant the transaction runs in, or null where there is no such tenant. */
export async function findTenantProfile(em: EntityManager): Promise<TenantProfile | null> {
  const [row] = await em.execute(
    'select slug, coalesce(name, slug) as name, kind, state, zone, currency, country from kernel.tenant_profile',
  );
  return (row as TenantProfile | undefined) ?? null;
}

/** The profile of the tenant the transaction runs in, which is known to exist. */
export async function tenantProfile(em: EntityManager): Promise<TenantProfile> {
  const profile = await findTenantProfile(em);
  if (!profile) throw new Error('The tenant has no profile.');
  return profile;
}
