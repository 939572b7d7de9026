import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { Events } from '../../../schema/events.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, emitToPlatform } from '../../_kernel/events.ts';
import { type AddOn, type AddOnVersion, LicenseAddOn } from '../catalogue/add-on.entity.ts';
import type { Plan, PlanVersion } from '../catalogue/plan.entity.ts';
import { refOf } from '../catalogue/price.rules.ts';
import type { Sold } from '../catalogue/sold.service.ts';
import { lostBy } from '../terms/entitlement.rules.ts';
import { nextPeriod } from '../terms/renewal.rules.ts';
import { addOnFacts, planFacts } from '../terms/sold-facts.ts';
import type { License } from './license.entity.ts';
import type { Held, HeldAddOn } from './license-facts.service.ts';
import { PlannedChange, type WantedAddOn } from './planned-change.entity.ts';

/** An end state a change leads to, read from the catalogue. */
export interface Wanted {
  plan: Plan;
  planVersion: PlanVersion;
  interval: Held['license']['interval'];
  addOns: { addOn: AddOn; version: AddOnVersion; quantity: number }[];
}

/** A change that waits, with what it leads to. */
export interface Planned extends Wanted {
  row: PlannedChange;
}

/** The versions of the catalogue a planned change leads to. */
export const versionsOf = ({ planVersionId, addOns }: PlannedChange): string[] => [
  planVersionId,
  ...addOns.map(({ addOnVersionId }) => addOnVersionId),
];

/** A planned change with what it leads to. */
export function plannedFrom(row: PlannedChange, sold: Sold): Planned {
  const { plan, planVersion } = sold.plans.get(row.planVersionId) as { plan: Plan; planVersion: PlanVersion };
  const addOns = row.addOns.map(({ addOnVersionId, quantity }) => {
    const { addOn, version } = sold.addOns.get(addOnVersionId) as { addOn: AddOn; version: AddOnVersion };
    return { addOn, version, quantity };
  });
  return { row, plan, planVersion, interval: row.interval, addOns };
}

/** What a licence would rest on with a wanted end state from an instant on; add-ons it keeps go on as they are. */
export function factsWith(held: Held, wanted: Wanted, at: Date): Held['facts'] {
  const { plan, planVersion, interval } = wanted;
  const addOns = addOnsWith(held, wanted, at).map(addOnFacts);
  const days = { graceDays: planVersion.graceDays, restrictedDays: planVersion.restrictedDays };
  const after = { ...held.facts, ...days, plan: planFacts(plan, planVersion), interval, addOns };
  return { ...after, scheduled: null, planned: null, lost: lostBy(held.facts, after, at) };
}

/** The add-ons a licence would have; those it keeps go on as they are. */
export function addOnsWith(held: Pick<Held, 'addOns' | 'license'>, wanted: Wanted, at: Date): HeldAddOn[] {
  const kept = new Map(heldAddOns(held, at).map((addOn) => [keyOf(addOn.row), addOn]));
  return wanted.addOns.map(({ addOn, version, quantity }) => {
    const asWanted = { addOnVersionId: version.id, quantity };
    const fresh = { id: `new ${addOn.code}`, licenseId: held.license.id, ...asWanted, startsAt: at, endsAt: null };
    return kept.get(keyOf(asWanted)) ?? { row: Object.assign(new LicenseAddOn(), fresh), addOn, version };
  });
}

const keyOf = ({ addOnVersionId, quantity }: WantedAddOn) => `${addOnVersionId}:${quantity}`;

/** The add-ons a licence holds at an instant. */
export const heldAddOns = (held: Pick<Held, 'addOns'>, at: Date) =>
  held.addOns.filter(({ row }) => row.startsAt <= at && (!row.endsAt || at < row.endsAt));

/** Makes a licence what is wanted, from an instant on. Belongs into `changing`, or into a move that time makes. */
export function applyWanted(em: EntityManager, held: Held, wanted: Wanted, at: Date): void {
  const { license } = held;
  license.lostFeatures = lostBy(held.facts, factsWith(held, wanted, at), at);
  license.planVersionId = wanted.planVersion.id;
  if (license.interval !== wanted.interval) changeInterval(license, wanted.interval, at);
  const wantedKeys = new Set(
    wanted.addOns.map(({ version, quantity }) => keyOf({ addOnVersionId: version.id, quantity })),
  );
  const standing = heldAddOns(held, at);
  for (const { row } of standing.filter(({ row }) => !wantedKeys.has(keyOf(row)))) {
    if (row.startsAt < at) row.endsAt = at;
    else em.remove(row);
  }
  const kept = new Set(standing.map(({ row }) => keyOf(row)));
  for (const { version, quantity } of wanted.addOns) {
    const asWanted = { addOnVersionId: version.id, quantity };
    if (kept.has(keyOf(asWanted))) continue;
    const row = { id: uuidv7(), licenseId: license.id, ...asWanted, startsAt: at, endsAt: null };
    em.persist(em.create(LicenseAddOn, row));
  }
}

/** A period that billing was asked for already is the first of the new interval. */
function changeInterval(license: License, interval: License['interval'], at: Date): void {
  const { askedUntil, trialEndsAt } = license;
  const start = trialEndsAt && trialEndsAt > at ? trialEndsAt : at;
  license.interval = interval;
  if (askedUntil && askedUntil > start) license.askedUntil = nextPeriod(license, start).end;
}

export type NewPlan = Omit<PlannedChange, 'id' | 'licenseId' | 'settledAt' | 'planVersionId' | 'addOns' | 'interval'>;

/** Writes down a change that waits. One that waited before is superseded. */
export async function planChange(
  ctx: Context,
  em: EntityManager,
  held: Held,
  wanted: Wanted,
  terms: NewPlan,
): Promise<PlannedChange> {
  if (held.planned) cancelWaiting(ctx, em, held.planned.row, 'SUPERSEDED');
  await em.flush(); // only one may be open, also in between
  const row = em.create(PlannedChange, {
    ...terms,
    ...{ id: uuidv7(), licenseId: held.license.id, settledAt: null, interval: wanted.interval },
    planVersionId: wanted.planVersion.id,
    addOns: wanted.addOns.map(({ version, quantity }) => ({ addOnVersionId: version.id, quantity })),
  });
  em.persist(row);
  return row;
}

/** Ends a change that waited. */
export function settle(ctx: Context, row: PlannedChange, status: 'APPLIED' | 'CANCELLED' | 'SUPERSEDED'): void {
  if (row.status !== 'SCHEDULED' && row.status !== 'AWAITING_PAYMENT')
    throw new Refusal('INVALID_STATE', 'This change waits no longer.', 'changeId');
  Object.assign(row, { status, settledAt: ctx.now() });
}

/** Ends a change that waits; billing takes back what it asked for it. */
export function cancelWaiting(
  ctx: Context,
  em: EntityManager,
  row: PlannedChange,
  status: 'CANCELLED' | 'SUPERSEDED',
): void {
  settle(ctx, row, status);
  const told = { changeId: row.id, licensedTenantId: ctx.tenantId };
  emit(em, 'licensing.change.cancelled', told);
  emitToPlatform(em, 'licensing.change.cancelled', told);
}

type Told = Events['licensing.change.applied'];

/** Tells a change of what is sold, in the tenant's log and in the platform's, where billing hears it. */
export function tellChange(
  ctx: Context,
  em: EntityManager,
  name: 'licensing.change.scheduled' | 'licensing.change.applied',
  told: Omit<Told, 'licensedTenantId'>,
): void {
  const whole = { ...told, licensedTenantId: ctx.tenantId };
  emit(em, name, whole);
  emitToPlatform(em, name, whole);
}

/** A planned change as events tell it. */
export const toldOf = (
  row: PlannedChange,
  wanted: Wanted,
  version: number,
): Omit<Told, 'licensedTenantId' | 'status'> => ({
  changeId: row.id,
  licenseId: row.licenseId,
  direction: row.direction,
  interval: row.interval,
  from: row.fromRef,
  to: row.toRef,
  addOns: wanted.addOns.map(({ addOn, quantity }) => ({ code: addOn.code, quantity })),
  pricedAt: row.pricedAt.toISOString(),
  effectiveAt: row.effectiveAt.toISOString(),
  previewHash: row.previewHash,
  lines: row.lines,
  version,
});

/** The plan version of an end state as histories name it. */
export const refOfWanted = ({ plan, planVersion }: Pick<Wanted, 'plan' | 'planVersion'>) =>
  refOf(plan.code, planVersion.number);
