import { asText, keyAfter } from '../../schema/cursor.ts';
import { Refusal } from '../../schema/errors.ts';
import { isId } from '../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../schema/page.ts';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { emit, readFeed, tellGateways } from '../_kernel/events.ts';
import { CONTROL } from '../_kernel/homes.ts';
import { lockOrRefuse } from '../_kernel/lock.ts';
import { Placement } from './placement/placement.entity.ts';
import { regionOf } from './placement/placement.rules.ts';
import { placeTenant } from './placement/placement.service.ts';
import { Tenant, type TenantFeedPage, type TenantView } from './tenant.entity.ts';
import { accessModeOf, checkProfile, clockMovedBy, type TenantProfile } from './tenant.rules.ts';

export type NewTenant = Pick<Tenant, 'id' | 'slug' | 'name' | 'kind' | 'country' | 'zone' | 'locale' | 'currency'> &
  Partial<Pick<Tenant, 'state' | 'legalName' | 'contactEmail' | 'billingEmail' | 'sandboxEndsAt'>>;

/** The caller's own tenant. */
export async function ownTenant(ctx: Context): Promise<Tenant | null> {
  return (await ctx.em()).findOne(Tenant, { id: ctx.tenantId });
}

/** Any tenant by id, for the control plane. */
export function tenantById(ctx: Context, id: string): Promise<Tenant | null> {
  return ctx.acrossTenants((em) => em.findOne(Tenant, { id }));
}

/** All tenants by slug, for the control plane. */
export function listTenants(ctx: Context, page: PageArgs): Promise<Connection<Tenant>> {
  return ctx.acrossTenants(async (em) => {
    const after = keyAfter(page, asText);
    const rows = await em.find(Tenant, after === null ? {} : { slug: { $gt: after } }, {
      orderBy: { slug: 'asc' },
      limit: page.first + 1,
    });
    return connect(rows, page, (tenant) => [tenant.slug]);
  });
}

/** Writes a tenant into the register, the kernel's copy with it, and gives it a place at the shared home. Runs in the new tenant itself. */
export function registerTenant(ctx: Context, tenant: NewTenant): Promise<Tenant> {
  return ctx.tx(async (em) => {
    const made = em.create(Tenant, {
      state: 'ACTIVE',
      ...tenant,
      version: 1,
      clockOffsetSeconds: 0,
      isWritePaused: false,
      cutService: false,
      waivesExport: false,
      createdAt: ctx.now(),
    });
    em.persist(made);
    await em.flush();
    await copyToKernel(em, made);
    await placeTenant(em, made.id, { isolation: 'SHARED', region: regionOf(made), home: CONTROL });
    return made;
  });
}

/** Changes the profile of the caller's tenant. */
export function updateTenantProfile(ctx: Context, profile: TenantProfile): Promise<Tenant> {
  return ctx.tx(async (em) => {
    const tenant = await findOrRefuse(em, ctx.tenantId);
    const { name, legalName, zone, locale, contactEmail } = checkProfile(profile);
    tenant.name = name ?? tenant.name;
    tenant.legalName = legalName === undefined ? tenant.legalName : legalName;
    tenant.zone = zone ?? tenant.zone;
    tenant.locale = locale ?? tenant.locale;
    tenant.contactEmail = contactEmail === undefined ? tenant.contactEmail : contactEmail;
    await saveTenant(em, tenant);
    emit(em, 'tenancy.tenant.updated', { version: tenant.version });
    return tenant;
  });
}

/**
 * Moves the clock of a sandbox forward by an ISO 8601 duration. What its licence then says holds from the next request on;
 * what falls due runs at once. Refuses with INVALID_STATE any other tenant, with INVALID what is not forward or too far.
 */
export function advanceClock(ctx: Context, tenantId: string, by: string): Promise<Tenant> {
  const sandbox = inTenant(ctx, tenantId);
  return sandbox.tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    tenant.clockOffsetSeconds = clockMovedBy(tenant, by, sandbox.now());
    await saveTenant(em, tenant);
    emit(em, 'tenancy.clock.advanced', { offsetSeconds: tenant.clockOffsetSeconds });
    return tenant;
  });
}

/** The tenants that changed after a place in the gateways' feed, as they are now. */
export async function tenantFeed(ctx: Context, afterSeq: number, first: number): Promise<TenantFeedPage> {
  return ctx.acrossTenants(async (em) => {
    const { head, rows } = await readFeed(em, 'tenants', afterSeq, first);
    const tenants = await readViews(
      em,
      rows.map((row) => row.subject),
    );
    const known = new Set(tenants.map(({ id }) => id));
    return {
      head: rows.length === first ? (rows.at(-1)?.seq ?? head) : head,
      tenants,
      gone: rows.flatMap(({ subject }) => (known.has(subject) ? [] : [subject])),
    };
  });
}

/** What gateways hold of the named tenants. */
export function tenantViews(ctx: Context, ids: string[]) {
  return ctx.acrossTenants((em) => readViews(em, ids));
}

async function readViews(em: EntityManager, ids: string[]): Promise<TenantView[]> {
  const tenants = await em.find(Tenant, { id: { $in: ids } });
  const places = new Map((await em.find(Placement, { id: { $in: ids } })).map(({ id, version }) => [id, version]));
  return tenants.map((tenant) => ({
    id: tenant.id,
    state: tenant.state,
    clockOffsetSeconds: tenant.clockOffsetSeconds,
    accessMode: accessModeOf(tenant),
    placementVersion: places.get(tenant.id) ?? 0,
  }));
}

/** A caller who acts in the tenant it names; refuses with NOT_FOUND what cannot be one. */
export function inTenant(ctx: Context, tenantId: string): Context {
  if (!isId(tenantId)) throw new Refusal('NOT_FOUND', 'There is no such tenant.', 'tenantId');
  return ctx.inTenant(tenantId);
}

/** The tenant of an id, locked until the transaction ends; or NOT_FOUND. */
export const findOrRefuse = (em: EntityManager, id: string) => lockOrRefuse(em, Tenant, id, 'tenant');

/** Writes a changed tenant down, the kernel's copy with it, and tells the gateways. */
export async function saveTenant(em: EntityManager, tenant: Tenant): Promise<void> {
  tenant.version += 1;
  await em.flush();
  await copyToKernel(em, tenant);
  tellGateways(em, 'tenants', tenant.id);
}

async function copyToKernel(em: EntityManager, tenant: Tenant): Promise<void> {
  await em.execute(
    `insert into kernel.tenant_profile (slug, name, kind, state, zone, locale, currency, country, clock_offset_seconds)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (tenant_id) do update set slug = excluded.slug, name = excluded.name, state = excluded.state, zone = excluded.zone,
       locale = excluded.locale, currency = excluded.currency, country = excluded.country, clock_offset_seconds = excluded.clock_offset_seconds`,
    [
      ...[tenant.slug, tenant.name, tenant.kind, tenant.state, tenant.zone, tenant.locale, tenant.currency],
      ...[tenant.country, tenant.clockOffsetSeconds],
    ],
  );
}
