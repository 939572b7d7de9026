import type { Context } from '../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../_kernel/db.ts';
import { settingIn } from '../_kernel/settings.ts';
import { homeById } from './loaders.ts';
import type { Tenant } from './tenant.stub.ts';

export interface Profile {
  id: string;
  slug: string;
  name: string;
  state: string;
  /** Whether its customers may serve themselves. */
  isPortalOpen: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: the database tells what is in it
type Row = Record<string, any>;

/** As the kernel's copy of a tenant's settings has it. */
const isOpen = (portal: Record<string, string> | null): boolean =>
  settingIn({ values: { portal: portal ?? {} }, registered: {} }, 'portal.self_service');

/** What is read of a row of `kernel.tenant_profile` that goes by the name `p`; `profileIn` finds it again. */
export const PROFILE = `p.tenant_id as of_id, p.slug as of_slug, coalesce(p.name, p.slug) as of_name, p.state as of_state,
  p.settings -> 'portal' as of_portal`;

/** The profile a row holds that was read with `PROFILE`. */
export const profileIn = ({
  of_id: id,
  of_slug: slug,
  of_name: name,
  of_state: state,
  of_portal: portal,
}: Row): Profile => ({
  ...{ id, slug, name, state },
  isPortalOpen: isOpen(portal),
});

/** The kernel's copies of the named tenants, by id; needs a reader across tenants. */
export async function profilesOf(em: EntityManager, ids: readonly string[]): Promise<Map<string, Profile>> {
  const rows = await em.execute(`select ${PROFILE} from kernel.tenant_profile p where p.tenant_id = any(?::uuid[])`, [
    `{${ids.join(',')}}`,
  ]);
  return new Map(rows.map((row) => [row.of_id, profileIn(row)]));
}

/** The id of the tenant with a slug; null when there is none. */
export function tenantIdOf(ctx: Context, slug: string): Promise<string | null> {
  return ctx.acrossTenants(async (em) => {
    const [row] = await em.execute('select tenant_id as id from kernel.tenant_profile where slug = ?', [slug]);
    return row ? String(row.id) : null;
  });
}

/** The caller's own tenant as others may point at it; null for a caller without one. */
export async function ownTenant(ctx: Context): Promise<Tenant | null> {
  const id = ctx.envelope.tenantId;
  return id ? ctx.load(homeById, id) : null;
}

export interface Present {
  /** Database time, which no sandbox moves: tokens and sessions live by it. */
  now: Date;
  slug: string | null;
  name: string | null;
  tenantState: string | null;
  /** Whether its customers may serve themselves. */
  isPortalOpen: boolean;
}

/** What is read of the present, and from where; `presentIn` finds it again. */
export const PRESENT = `clock_timestamp() as now, ${PROFILE}`;
export const PRESENT_FROM = '(select) one left join kernel.tenant_profile p on true';

/** The present a row holds that was read with `PRESENT`. */
export function presentIn(row: Row): Present {
  const { slug, name, state, isPortalOpen } = profileIn(row);
  return { now: new Date(row.now), slug, name, tenantState: state, isPortalOpen };
}

/** The true time, and the tenant a transaction is in. */
export async function presentOf(em: EntityManager): Promise<Present> {
  const [row] = await em.execute(`select ${PRESENT} from ${PRESENT_FROM}`);
  return presentIn(row as Row);
}

/** Reads what belongs to no tenant, also for a caller who has none. */
export async function readGlobally<T>(ctx: Context, read: (em: EntityManager) => Promise<T>): Promise<T> {
  return ctx.envelope.tenantId ? read(await ctx.em()) : readBriefly(ctx, read);
}

/** The same in a transaction that is over at once: use cases hold one connection at a time. */
export async function readBriefly<T>(ctx: Context, read: (em: EntityManager) => Promise<T>): Promise<T> {
  const reader = ctx.inTenant(PLATFORM_TENANT);
  try {
    return await read(await reader.em());
  } finally {
    await reader.end();
  }
}
