import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { uuidv7 } from 'uuidv7';
import { addDays, localDate } from '../../../schema/calendar.ts';
import { asId, keyAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { findTenantProfile } from '../../_kernel/tenant-profile.ts';
import { AddOn, AddOnVersion, LicenseAddOn } from '../catalogue/add-on.entity.ts';
import type { Plan, PlanVersion } from '../catalogue/plan.entity.ts';
import { planForSale } from '../catalogue/plan.service.ts';
import type { BillingInterval } from '../catalogue/price.rules.ts';
import { type LicenseState, type LicenseTerms, periodAt } from '../terms/license.rules.ts';
import { License } from './license.entity.ts';
import { LicenseChange } from './license-change.entity.ts';
import { type Changed, issuing, type Told } from './license-change.service.ts';
import { newestLicense, presentLicense, readsFleet } from './license-facts.service.ts';

/** The licence of the caller's tenant; a revoked one as long as no other was issued. */
export async function ownLicense(ctx: Context): Promise<License | null> {
  return newestLicense(await ctx.em());
}

/** The licence of the caller's tenant, unless it is revoked. */
export async function licenseInForce(ctx: Context): Promise<License | null> {
  return (await ctx.em()).findOne(License, { revokedAt: null });
}

/** A tenant's licence by id: the caller's own, or for the control plane any. One that another has followed is none. */
export async function licenseById(ctx: Context, id: string): Promise<License | null> {
  if (readsFleet(ctx) && isId(id)) return (await ctx.load(presentLicense, id))?.license ?? null;
  const own = await ownLicense(ctx);
  return own?.id === id ? own : null;
}

const licenseOfTenant = defineLoader<License>('licence of a tenant', (_, tenantIds, ctx) =>
  ctx.acrossTenants(async (em) => {
    const places = await em.execute(
      'select licensed_tenant_id, license_id from licensing.licensed_tenant where licensed_tenant_id = any(?::uuid[])',
      [`{${tenantIds.join(',')}}`],
    );
    const licenses = await em.find(License, { id: { $in: places.map((place) => place.license_id) } });
    const byId = new Map(licenses.map((license) => [license.id, license]));
    return places.flatMap((place) => {
      const license = byId.get(place.license_id);
      return license ? [[place.licensed_tenant_id as string, license] as const] : [];
    });
  }),
);

/** The licence of a named tenant: the caller's own, or for the control plane any. */
export async function tenantLicense(ctx: Context, tenantId: string): Promise<License | null> {
  if (tenantId === ctx.tenantId) return ownLicense(ctx);
  return readsFleet(ctx) && isId(tenantId) ? ctx.load(licenseOfTenant, tenantId) : null;
}

export interface LicenseQuery {
  plan?: string | null;
  state?: LicenseState | null;
}

/** Licences of all tenants, oldest first, for the control plane. The state is that of the tenant's own present. */
export async function tenantLicenses(ctx: Context, query: LicenseQuery, page: PageArgs): Promise<Connection<License>> {
  const after = keyAfter(page, asId);
  const { plan = null, state = null } = query;
  return ctx.acrossTenants(async (em) => {
    const places = await em.execute(
      `select license_id from licensing.licensed_tenant t
        where (?::uuid is null or license_id > ?::uuid) and (?::text is null or plan = ?) and (?::text is null or ? =
              (select s ->> 'state' from jsonb_array_elements(course) with ordinality c (s, place)
                where (s ->> 'from')::timestamptz <= tenant_now order by place desc limit 1))
        order by license_id limit ?`,
      [after, after, plan, plan, state, state, page.first + 1],
    );
    const ids = places.map((place) => place.license_id as string);
    const rows = await em.find(License, { id: { $in: ids } }, { orderBy: { id: 'asc' } });
    return connect(rows, page, (license) => [license.id]);
  });
}

/** A caller who acts in the tenant it names; refuses with NOT_FOUND what cannot be a tenant. */
export function inTenant(ctx: Context, tenantId: string): Context {
  if (!isId(tenantId)) throw new Refusal('NOT_FOUND', 'There is no such tenant.', 'tenantId');
  return ctx.inTenant(tenantId);
}

export interface NewLicense {
  plan: string;
  interval: BillingInterval;
  isTrial: boolean;
  terms: LicenseTerms;
  idempotencyKey: string;
  /** Facts of a licence that began elsewhere or earlier; what is left out follows from the plan and the present. */
  id?: string;
  anchorDay?: number;
  validFrom?: Date;
  trialEndsAt?: Date;
  paidUntil?: Date;
  addOns?: { code: string; quantity: number }[];
  /** The provisioning run that asked for it. */
  runId?: string;
}

/**
 * Gives the tenant of the context its licence: a trial of the plan's length, or the period that runs now as paid.
 * Refuses with NOT_FOUND an unknown tenant or plan, with CONFLICT a second licence, with INVALID a trial the plan lacks,
 * with INVALID_STATE a second trial.
 */
export function issueLicense(ctx: Context, wanted: NewLicense): Promise<Changed> {
  return ctx.tx(async (em) => {
    const { idempotencyKey: key, ...terms } = wanted;
    const zone = await zoneOrRefuse(em);
    const made = await once(ctx, em, { door: 'issueLicense', key, request: wanted }, async () => {
      const { license, change } = await makeLicense(ctx, em, zone, terms);
      return { licenseId: license.id, changeId: change?.id ?? null };
    });
    return readChanged(em, made);
  });
}

/** What an earlier answer of a use case named. */
export async function readChanged(
  em: EntityManager,
  told: { licenseId: string; changeId: string | null },
): Promise<Changed> {
  const license = await em.findOneOrFail(License, { id: told.licenseId });
  return { license, change: told.changeId ? await em.findOne(LicenseChange, { id: told.changeId }) : null };
}

/** The zone of the tenant of the context. Refuses with NOT_FOUND one that does not exist. */
export async function zoneOrRefuse(em: EntityManager): Promise<string> {
  const tenant = await findTenantProfile(em);
  if (!tenant) throw new Refusal('NOT_FOUND', 'There is no such tenant.', 'tenantId');
  return tenant.zone;
}

/**
 * Writes the licence of a tenant that has none, with its version 1. Belongs into the transaction of a use case.
 * @param furnish what else stands on it from the start.
 */
export async function makeLicense(
  ctx: Context,
  em: EntityManager,
  zone: string,
  wanted: Omit<NewLicense, 'idempotencyKey'>,
  furnish?: (license: License, version: PlanVersion) => Told,
): Promise<Changed> {
  const { plan, version } = await planForSale(em, wanted.plan, ctx.tenantId === PLATFORM_TENANT);
  if (await em.findOne(License, { revokedAt: null })) throw alreadyLicensed();
  if (wanted.isTrial && (await em.count(License, { trialEndsAt: { $ne: null }, isWithdrawn: false })) > 0)
    throw new Refusal('INVALID_STATE', 'This trial has been used.', 'isTrial');
  const [former] = await em.find(License, {}, { orderBy: { version: 'desc' }, limit: 1 });
  const { plan: _, isTrial: __, addOns = [], runId = null, ...facts } = wanted;
  const license = em.create(License, {
    ...{ id: uuidv7(), version: (former?.version ?? 0) + 1, planVersionId: version.id, zone, autoRenew: true },
    ...{ enforcement: 'ENFORCE', observeUntil: null, revokedAt: null, runId, isWithdrawn: false },
    ...{ snapshot: former?.snapshot ?? {}, snapshotAt: null, nextTransitionAt: null },
    ...{ resumesRenewal: false, lapsesAt: null, lapsedSince: null },
    ...{ periodOrigin: null, renewalDueAt: null, lostFeatures: [] },
    ...facts,
    ...datesOf(ctx.now(), zone, wanted, plan, version),
  });
  em.persist(license);
  await em.flush().catch((error: Error) => {
    throw error instanceof UniqueConstraintViolationException ? alreadyLicensed() : error;
  });
  for (const { code, quantity } of addOns) await addOnTo(em, license, code, quantity);
  const told = furnish?.(license, version) ?? { cause: 'ISSUED' };
  await em.flush();
  const changed = await issuing(ctx, em, license, told);
  tellStarted(em, license, plan, addOns);
  return changed;
}

/** Tells that a licence has begun; told again, it says the same to whoever asked for it and has not heard. */
export function tellStarted(em: EntityManager, license: License, plan: Plan, addOns: NewLicense['addOns'] = []): void {
  emit(em, 'licensing.license.started', {
    licenseId: license.id,
    version: license.version,
    plan: plan.code,
    interval: license.interval,
    addOns,
    ...(license.trialEndsAt ? { trialEndsAt: license.trialEndsAt.toISOString() } : {}),
    validUntil: plan.isEndless ? null : ((license.paidUntil ?? license.trialEndsAt)?.toISOString() ?? null),
    ...(license.runId ? { runId: license.runId } : {}),
  });
}

const alreadyLicensed = () => new Refusal('CONFLICT', 'This tenant has a licence already.', 'tenantId');

function datesOf(
  now: Date,
  zone: string,
  wanted: Omit<NewLicense, 'idempotencyKey'>,
  plan: Plan,
  version: PlanVersion,
) {
  if (wanted.isTrial && version.trialDays === 0) throw new Refusal('INVALID', 'This plan has no trial.', 'isTrial');
  const validFrom = wanted.validFrom ?? now;
  const trialEndsAt = wanted.isTrial ? (wanted.trialEndsAt ?? addDays(validFrom, version.trialDays, zone)) : null;
  const anchorDay = wanted.anchorDay ?? Number(localDate(trialEndsAt ?? validFrom, zone).slice(8));
  const period = periodAt({ interval: wanted.interval, anchorDay, zone, validFrom, trialEndsAt }, now);
  const paidUntil = wanted.paidUntil ?? (wanted.isTrial || plan.isEndless ? null : period.end);
  return {
    validFrom,
    trialEndsAt,
    anchorDay,
    paidUntil,
    grantedUntil: paidUntil,
    askedUntil: paidUntil ?? trialEndsAt,
  };
}

async function addOnTo(em: EntityManager, license: License, code: string, quantity: number): Promise<void> {
  const addOn = await em.findOne(AddOn, { code }, { disableIdentityMap: true });
  const [version] = addOn
    ? await em.find(
        AddOnVersion,
        { addOnId: addOn.id, status: 'PUBLISHED' },
        { orderBy: { version: 'desc' }, limit: 1, disableIdentityMap: true },
      )
    : [];
  if (!version) throw new Refusal('NOT_FOUND', `There is no add-on named ${code.slice(0, 40)}.`, 'addOns');
  if (quantity > version.maxQuantity)
    throw new Refusal('INVALID', `At most ${version.maxQuantity} of ${code}.`, 'addOns');
  const row = { id: uuidv7(), licenseId: license.id, addOnVersionId: version.id, quantity };
  em.persist(em.create(LicenseAddOn, { ...row, startsAt: license.validFrom, endsAt: null }));
  await em.flush();
}

/** Every tenant that has a licence, for work over all of them. */
export async function tenantsWithLicense(ctx: Context): Promise<string[]> {
  const rows = await ctx.acrossTenants((em) => em.execute('select tenant_id from kernel.entitlement order by 1'));
  return rows.map((row) => row.tenant_id);
}
