import { SEED_TENANTS, type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import type { World } from '../../tests/setup/world.ts';

/** What belongs to whom, whatever the services say of it. */
export interface Owners {
  /** Tenants with a row of an id. */
  of: ReadonlyMap<string, ReadonlySet<SeedTenant>>;
  /** Ids of a tenant's rows, by the name of their table without underscores. */
  nouns: Record<SeedTenant, Map<string, string[]>>;
}

const SLUGS = Object.keys(SEED_TENANTS) as SeedTenant[];
const slugOf = new Map(SLUGS.map((slug) => [seedId(SEED_TENANTS[slug]), slug]));

/** Reads, around every wall, whose each row is. A person is of each tenant they are a member of. */
export async function readOwners(world: World): Promise<Owners> {
  const tables: { schema: string; name: string; column: string }[] = await world.sql(
    `select n.nspname as schema, c.relname as name, a.attname as column
       from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
      where exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_wall')
        and a.atttypid = 'uuid'::regtype
        and (a.attname = 'id' or (n.nspname, c.relname, a.attname) = ('identity', 'membership', 'user_id'))
      order by 1, 2, 3`,
  );
  const of = new Map<string, Set<SeedTenant>>();
  const nouns = Object.fromEntries(SLUGS.map((slug) => [slug, new Map<string, string[]>()])) as Owners['nouns'];
  const note = (id: string, slug: SeedTenant, noun: string) => {
    const held = of.get(id) ?? new Set();
    of.set(id, held.add(slug));
    const ids = nouns[slug].get(noun) ?? [];
    nouns[slug].set(noun, ids);
    ids.push(id);
  };
  for (const slug of SLUGS) note(seedId(SEED_TENANTS[slug]), slug, 'tenant');
  for (const { schema, name, column } of tables) {
    const rows = await world.sql(
      `select ${column}::text as id, tenant_id::text as tenant from ${schema}."${name}" order by 1`,
    );
    const noun = column === 'id' ? name.replaceAll('_', '') : 'user';
    for (const { id, tenant } of rows) {
      const slug = slugOf.get(tenant);
      if (slug) note(id, slug, noun);
    }
  }
  return { of, nouns };
}

/** Changes since a moment that somebody made in a tenant they are not of, as the audit log has them. */
export async function changesAcross(world: World, { of }: Owners, since: Date): Promise<string[]> {
  const entries = await world.sql(
    `select distinct actor, tenant_id::text as tenant, table_name from kernel.audit_entry where at >= $1`,
    [since],
  );
  return entries.flatMap(({ actor, tenant, table_name }) => {
    const slug = slugOf.get(tenant);
    const homes = of.get(actor); // nobody's for the system and for strangers
    return slug && homes && !homes.has(slug)
      ? [`${actor} of ${[...homes].join()} changed ${table_name} of ${slug}`]
      : [];
  });
}
