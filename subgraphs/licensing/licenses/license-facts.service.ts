import { type Feature, isFeature } from '../../../schema/features.ts';
import type { Config } from '../../_kernel/config.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { AddOn, AddOnVersion, LicenseAddOn } from '../catalogue/add-on.entity.ts';
import { Plan, PlanVersion } from '../catalogue/plan.entity.ts';
import { addOnLimitsOf, featuresOf, planLimitsOf } from '../catalogue/plan.rules.ts';
import { planForSale } from '../catalogue/plan.service.ts';
import type { AddOnFacts, GrantFacts, PlanFacts, TestOverride } from '../terms/entitlement.rules.ts';
import { Grant } from '../terms/grant.entity.ts';
import { Hold } from '../terms/hold.entity.ts';
import { Override } from '../terms/override.entity.ts';
import { License } from './license.entity.ts';
import type { SnapshotFacts } from './license-change.rules.ts';

/** An add-on of a licence with the version it was bought in. */
export interface HeldAddOn {
  row: LicenseAddOn;
  version: AddOnVersion;
  addOn: AddOn;
}

/** A licence with everything its answers rest on. */
export interface Held {
  license: License;
  plan: Plan;
  planVersion: PlanVersion;
  addOns: HeldAddOn[];
  overrides: Override[];
  grants: Grant[];
  /** Open ones only. */
  holds: Hold[];
  facts: SnapshotFacts;
}

const READ_ONLY = { disableIdentityMap: true } as const;
const byId = <T extends { id: string }>(rows: T[]) => new Map(rows.map((row) => [row.id, row]));
const among = (ids: Iterable<string>) => ({ id: { $in: [...new Set(ids)] } });

/** Reads licences with all they rest on, in a fixed number of statements however many they are. */
export async function readHeld(em: EntityManager, licenses: License[], config: Config): Promise<Held[]> {
  const ofThese = { licenseId: { $in: licenses.map((license) => license.id) } };
  const versions = byId(await em.find(PlanVersion, among(licenses.map((l) => l.planVersionId)), READ_ONLY));
  const plans = byId(await em.find(Plan, among([...versions.values()].map((v) => v.planId)), READ_ONLY));
  const addOns = await readAddOns(em, await em.find(LicenseAddOn, ofThese));
  const overrides = await em.find(Override, ofThese, { orderBy: { key: 'asc' } });
  const grants = await em.find(Grant, ofThese, { orderBy: { startsAt: 'asc', id: 'asc' } });
  const holds = await em.find(Hold, { ...ofThese, liftedAt: null }, { orderBy: { placedAt: 'asc', id: 'asc' } });
  const test = await testOverrideOf(em, config);
  return licenses.map((license) => {
    const planVersion = versions.get(license.planVersionId) as PlanVersion;
    const own = <T extends { licenseId: string }>(rows: T[]) => rows.filter((row) => row.licenseId === license.id);
    const held = {
      license,
      planVersion,
      plan: plans.get(planVersion.planId) as Plan,
      addOns: addOns.filter(({ row }) => row.licenseId === license.id),
      overrides: own(overrides),
      grants: own(grants),
      holds: own(holds),
    };
    return { ...held, facts: factsOf(held, test) };
  });
}

async function readAddOns(em: EntityManager, rows: LicenseAddOn[]): Promise<HeldAddOn[]> {
  if (rows.length === 0) return [];
  const versions = byId(await em.find(AddOnVersion, among(rows.map((row) => row.addOnVersionId)), READ_ONLY));
  const addOns = byId(await em.find(AddOn, among([...versions.values()].map((v) => v.addOnId)), READ_ONLY));
  return rows.map((row) => {
    const version = versions.get(row.addOnVersionId) as AddOnVersion;
    return { row, version, addOn: addOns.get(version.addOnId) as AddOn };
  });
}

export const planFacts = (plan: Plan, version: PlanVersion): PlanFacts => ({
  id: version.id,
  code: plan.code,
  number: version.number,
  features: featuresOf(version.features),
  limits: planLimitsOf(version.limits),
});

const addOnFacts = ({ row, version, addOn }: HeldAddOn): AddOnFacts => ({
  ...{ id: row.id, code: addOn.code, version: version.version },
  ...{ quantity: row.quantity, startsAt: row.startsAt, endsAt: row.endsAt },
  features: featuresOf(version.features),
  limits: addOnLimitsOf(version.limits),
});

const grantFacts = ({ id, kind, key, startsAt, expiresAt, source }: Grant): GrantFacts[] =>
  kind === 'FEATURE' && isFeature(key) ? [{ id, feature: key, startsAt, expiresAt, source }] : [];

function factsOf(held: Omit<Held, 'facts'>, test: TestOverride | undefined): SnapshotFacts {
  const { license, plan, planVersion } = held;
  return {
    zone: license.zone,
    validFrom: license.validFrom,
    trialEndsAt: license.trialEndsAt,
    paidUntil: license.paidUntil,
    autoRenew: license.autoRenew,
    interval: license.interval,
    observeUntil: license.enforcement === 'OBSERVE' ? license.observeUntil : null,
    graceDays: planVersion.graceDays,
    restrictedDays: planVersion.restrictedDays,
    isEndless: plan.isEndless,
    isRevoked: license.revokedAt !== null,
    openHolds: held.holds.map((hold) => hold.level),
    plan: planFacts(plan, planVersion),
    addOns: held.addOns.map(addOnFacts),
    overrides: held.overrides,
    grants: held.grants.flatMap(grantFacts),
    test,
  };
}

/** What the environment of a development or test process puts on top (R26). */
async function testOverrideOf(em: EntityManager, config: Config): Promise<TestOverride | undefined> {
  const { LICENSE_TIER: tier, FEATURE_OVERRIDE: words = [] } = config;
  if (!tier && words.length === 0) return undefined;
  const sold = tier ? await planForSale(em, tier, true) : undefined;
  const named = (isOff: boolean): Feature[] =>
    featuresOf(words.filter((word) => word.startsWith('-') === isOff).map((word) => word.replace(/^-/, '')));
  return { plan: sold ? planFacts(sold.plan, sold.version) : null, on: named(false), off: named(true) };
}

/** Whether the caller looks at licences of other tenants: only the control plane does. */
export const readsFleet = (ctx: Context): boolean => ctx.isPlatform && ctx.can('licensing.fleet.read');

/** A licence with its facts, whose it is, and the present of its tenant, whose clock may be a sandbox's. */
export interface PresentLicense extends Held {
  tenantId: string;
  now: Date;
}

export const presentLicense = defineLoader<PresentLicense>('licence at its present', async (em, ids, ctx) => {
  const read = async (reader: EntityManager) =>
    readHeld(reader, await reader.find(License, among(ids)), ctx.machinery.config);
  if (!readsFleet(ctx)) {
    const own = { tenantId: ctx.tenantId, now: ctx.now() };
    return (await read(em)).map((held) => [held.license.id, { ...held, ...own }]);
  }
  return ctx.acrossTenants(async (reader) => {
    const places = await reader.execute(
      `select license_id, licensed_tenant_id, tenant_now from licensing.licensed_tenant where license_id = any(?::uuid[])`,
      [`{${ids.join(',')}}`],
    );
    const placeOf = new Map(places.map((row) => [row.license_id as string, row]));
    return (await read(reader)).flatMap((held) => {
      const place = placeOf.get(held.license.id);
      const present = { tenantId: place?.licensed_tenant_id as string, now: new Date(place?.tenant_now) };
      return place ? [[held.license.id, { ...held, ...present }] as const] : [];
    });
  });
});
