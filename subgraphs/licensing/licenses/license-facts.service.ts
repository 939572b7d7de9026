import type { LockMode } from '@mikro-orm/postgresql';
import { type Feature, isFeature, isQuotaKey, QUOTAS } from '../../../schema/features.ts';
import type { Config } from '../../_kernel/config.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import type { AddOn, AddOnVersion, LicenseAddOn } from '../catalogue/add-on.entity.ts';
import type { Plan, PlanVersion } from '../catalogue/plan.entity.ts';
import { featuresOf } from '../catalogue/plan.rules.ts';
import { planForSale } from '../catalogue/plan.service.ts';
import { refOf } from '../catalogue/price.rules.ts';
import { readSold } from '../catalogue/sold.service.ts';
import { factsAt, type GrantFacts, type TestOverride } from '../terms/entitlement.rules.ts';
import type { Grant } from '../terms/grant.entity.ts';
import type { Hold } from '../terms/hold.entity.ts';
import type { Override } from '../terms/override.entity.ts';
import { addOnFacts, planFacts } from '../terms/sold-facts.ts';
import type { TopUpFacts } from '../terms/top-up.rules.ts';
import { License } from './license.entity.ts';
import type { PlannedFacts, SnapshotFacts } from './license-change.rules.ts';
import { addOnsWith, factsWith, type Planned, plannedFrom, refOfWanted, versionsOf } from './planned-change.service.ts';
import { readStanding, type Standing } from './standing.service.ts';

/** The tenant's licence of the highest version; one that was withdrawn is none. */
export const newestLicense = (em: EntityManager, lockMode?: LockMode): Promise<License | null> =>
  em.findOne(License, { isWithdrawn: false }, { orderBy: { version: 'desc' }, ...(lockMode ? { lockMode } : {}) });

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
  /** The change that waits, if there is one. */
  planned: Planned | null;
  facts: SnapshotFacts;
}

const among = (ids: Iterable<string>) => ({ id: { $in: [...new Set(ids)] } });

/** Reads licences with all they rest on, in two statements however many they are. */
export const readHeld = async (em: EntityManager, licenses: License[], config: Config): Promise<Held[]> =>
  holdTogether(em, licenses, await readStanding(em, licenses), config);

/** Licences and what stands on them, with what of the catalogue they point at. */
export async function holdTogether(
  em: EntityManager,
  licenses: License[],
  standing: Standing,
  config: Config,
): Promise<Held[]> {
  const sold = await readSold(em, [
    ...licenses.map(({ planVersionId }) => planVersionId),
    ...standing.addOns.map(({ addOnVersionId }) => addOnVersionId),
    ...standing.planned.flatMap(versionsOf),
  ]);
  const test = await testOverrideOf(em, config);
  return licenses.map((license) => {
    const own = <T extends { licenseId: string }>(rows: T[]) => rows.filter((row) => row.licenseId === license.id);
    const [waiting] = own(standing.planned);
    const held = {
      license,
      ...(sold.plans.get(license.planVersionId) as { plan: Plan; planVersion: PlanVersion }),
      addOns: own(standing.addOns).map((row): HeldAddOn => {
        const { addOn, version } = sold.addOns.get(row.addOnVersionId) as Omit<HeldAddOn, 'row'>;
        return { row, addOn, version };
      }),
      overrides: own(standing.overrides),
      grants: own(standing.grants),
      holds: own(standing.holds),
      planned: waiting ? plannedFrom(waiting, sold) : null,
    };
    return { ...held, facts: factsOf(held, test) };
  });
}

const grantFacts = ({ id, kind, key, startsAt, expiresAt, source }: Grant): GrantFacts[] =>
  kind === 'FEATURE' && isFeature(key) && (!expiresAt || startsAt < expiresAt)
    ? [{ id, feature: key, startsAt, expiresAt, source }]
    : [];

function plannedFacts({ row, addOns, ...wanted }: Planned): PlannedFacts {
  const { id: changeId, status, effectiveAt, interval } = row;
  const names = addOns
    .map(({ addOn, version, quantity }) => `${quantity} ${refOf(addOn.code, version.version)}`)
    .sort();
  return {
    changeId,
    status: status as PlannedFacts['status'],
    effectiveAt,
    to: refOfWanted(wanted),
    interval,
    addOns: names,
  };
}

const topUpFacts = ({ id, kind, key, amount, priority, startsAt, expiresAt, rolloverMax }: Grant): TopUpFacts[] =>
  kind === 'TOP_UP' && isQuotaKey(key) && QUOTAS[key].kind === 'COUNTER'
    ? [{ id, key, amount: amount ?? 0n, priority, startsAt, expiresAt, rolloverMax }]
    : [];

function factsOf(held: Omit<Held, 'facts'>, test: TestOverride | undefined): SnapshotFacts {
  const { license, plan, planVersion } = held;
  const facts: SnapshotFacts = {
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
    revokedAt: license.revokedAt,
    openHolds: held.holds.map((hold) => hold.level),
    plan: planFacts(plan, planVersion),
    addOns: held.addOns.map(addOnFacts),
    overrides: held.overrides,
    grants: held.grants.flatMap(grantFacts),
    lost: featuresOf(license.lostFeatures),
    topUps: held.grants.flatMap(topUpFacts),
    test,
  };
  const { planned } = held;
  if (!planned) return facts;
  const known = { ...facts, planned: plannedFacts(planned) };
  if (planned.row.status !== 'SCHEDULED') return known;
  const at = planned.row.effectiveAt;
  const { plan: sold, addOns, graceDays, restrictedDays, interval } = factsWith({ ...held, facts }, planned, at);
  return { ...known, scheduled: { at, plan: sold, addOns, graceDays, restrictedDays, interval } };
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

/** A change whose instant has come holds, though no job has written it down yet. */
function presentOf(held: PresentLicense): PresentLicense {
  const { facts, planned, now } = held;
  if (!planned || !facts.scheduled || now < facts.scheduled.at) return held;
  const { plan, planVersion } = planned;
  return {
    ...held,
    plan,
    planVersion,
    addOns: addOnsWith(held, planned, facts.scheduled.at),
    facts: factsAt(facts, now),
  };
}

export const presentLicense = defineLoader<PresentLicense>('licence at its present', async (em, ids, ctx) => {
  const read = async (reader: EntityManager) =>
    readHeld(reader, await reader.find(License, among(ids)), ctx.machinery.config);
  if (!readsFleet(ctx)) {
    const own = { tenantId: ctx.tenantId, now: ctx.now() };
    return (await read(em)).map((held) => [held.license.id, presentOf({ ...held, ...own })]);
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
      return place ? [[held.license.id, presentOf({ ...held, ...present })] as const] : [];
    });
  });
});

/** Nodes that stand for a licence at another instant than its tenant's present, and what it rests on then. */
const atInstant = new WeakMap<License, PresentLicense>();

/** A licence's node that answers for the instant `now` of what it holds. The node must be nobody else's. */
export function nodeAt(held: PresentLicense): License {
  atInstant.set(held.license, presentOf(held));
  return held.license;
}

/** What a licence's node rests on, read once per request for all its fields: at the present, or at its own instant. */
export const heldOf = async (ctx: Context, license: License): Promise<PresentLicense> =>
  atInstant.get(license) ?? ((await ctx.load(presentLicense, license.id)) as PresentLicense);
