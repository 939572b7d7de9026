import { asText, keyAfter } from '../../schema/cursor.ts';
import { Refusal } from '../../schema/errors.ts';
import { isId } from '../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../schema/page.ts';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { emit, readFeed, tellGateways } from '../_kernel/events.ts';
import { lockOrRefuse } from '../_kernel/lock.ts';
import { Tenant, type TenantFeedPage } from './tenant.entity.ts';
import {
  accessModeOf,
  advance,
  checkProfile,
  clockMovedBy,
  type SuspensionReason,
  type TenantProfile,
} from './tenant.rules.ts';

export type NewTenant = Pick<Tenant, 'id' | 'slug' | 'name' | 'kind' | 'country' | 'zone' | 'locale' | 'currency'>;

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

/** Writes a tenant into the register, and the kernel's copy with it. Runs in the new tenant itself. */
export function registerTenant(ctx: Context, tenant: NewTenant): Promise<Tenant> {
  return ctx.tx(async (em) => {
    const made = em.create(Tenant, {
      ...tenant,
      state: 'ACTIVE',
      version: 1,
      clockOffsetSeconds: 0,
      isWritePaused: false,
      createdAt: ctx.now(),
    });
    em.persist(made);
    await em.flush();
    await copyToKernel(em, made);
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

/** Suspends a tenant: its people are refused within a second; its subscribers' service goes on. Nothing is deleted. */
export function suspendTenant(
  ctx: Context,
  tenantId: string,
  reason: SuspensionReason,
  note: string | null,
): Promise<Tenant> {
  return inTenant(ctx, tenantId).tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    if (tenant.kind === 'PLATFORM') throw new Refusal('INVALID_STATE', 'The platform itself is never suspended.');
    tenant.state = advance(tenant.state, 'SUSPENDED');
    Object.assign(tenant, { suspendedAt: new Date(), suspensionReason: reason, suspensionNote: note });
    await saveTenant(em, tenant);
    emit(em, 'tenancy.tenant.suspended', { reason });
    return tenant;
  });
}

/** Lifts a suspension; everything is as it was. */
export function reactivateTenant(ctx: Context, tenantId: string): Promise<Tenant> {
  return inTenant(ctx, tenantId).tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    tenant.state = advance(tenant.state, 'ACTIVE');
    const reason = tenant.suspensionReason ?? 'OWNER_REQUEST';
    Object.assign(tenant, { suspendedAt: null, suspensionReason: null, suspensionNote: null });
    await saveTenant(em, tenant);
    emit(em, 'tenancy.tenant.reactivated', { reason });
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
    const tenants = await em.find(Tenant, { id: { $in: rows.map((row) => row.subject) } });
    return { head: rows.length === first ? (rows.at(-1)?.seq ?? head) : head, tenants: tenants.map(viewOf) };
  });
}

/** What gateways hold of the named tenants. */
export function tenantViews(ctx: Context, ids: string[]) {
  return ctx.acrossTenants(async (em) => (await em.find(Tenant, { id: { $in: ids } })).map(viewOf));
}

const viewOf = (tenant: Tenant) => ({
  id: tenant.id,
  state: tenant.state,
  clockOffsetSeconds: tenant.clockOffsetSeconds,
  accessMode: accessModeOf(tenant),
});

/** A caller who acts in the tenant it names; refuses with NOT_FOUND what cannot be one. */
function inTenant(ctx: Context, tenantId: string): Context {
  if (!isId(tenantId)) throw new Refusal('NOT_FOUND', 'There is no such tenant.', 'tenantId');
  return ctx.inTenant(tenantId);
}

const findOrRefuse = (em: EntityManager, id: string) => lockOrRefuse(em, Tenant, id, 'tenant');

async function saveTenant(em: EntityManager, tenant: Tenant): Promise<void> {
  tenant.version += 1;
  await em.flush();
  await copyToKernel(em, tenant);
  tellGateways(em, 'tenants', tenant.id);
}

async function copyToKernel(em: EntityManager, tenant: Tenant): Promise<void> {
  await em.execute(
    `insert into kernel.tenant_profile (slug, kind, state, zone, locale, currency, country, clock_offset_seconds)
     values (?, ?, ?, ?, ?, ?, ?, ?)
     on conflict (tenant_id) do update set slug = excluded.slug, state = excluded.state, zone = excluded.zone,
       locale = excluded.locale, currency = excluded.currency, country = excluded.country, clock_offset_seconds = excluded.clock_offset_seconds`,
    [
      ...[tenant.slug, tenant.kind, tenant.state, tenant.zone, tenant.locale, tenant.currency, tenant.country],
      tenant.clockOffsetSeconds,
    ],
  );
}
