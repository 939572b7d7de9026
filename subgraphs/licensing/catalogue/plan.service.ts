import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { AddOn, AddOnVersion, type PluginTier } from './add-on.entity.ts';
import { Plan, PlanVersion } from './plan.entity.ts';

/** What is for sale: every plan and add-on, each with its newest published version. */
export interface Catalogue {
  plans: Plan[];
  addOns: AddOn[];
  /** By id of the plan. */
  versions: Map<string, PlanVersion>;
  /** By id of the add-on. */
  addOnVersions: Map<string, AddOnVersion>;
}

/** Catalogue rows are read, never written. */
const READ_ONLY = { disableIdentityMap: true } as const;

/** Reads what is for sale now. */
export async function readCatalogue(em: EntityManager): Promise<Catalogue> {
  const plans = await em.find(Plan, {}, { ...READ_ONLY, orderBy: { id: 'asc' } });
  const addOns = await em.find(AddOn, {}, { ...READ_ONLY, orderBy: { id: 'asc' } });
  const versions = await em.find(PlanVersion, { status: 'PUBLISHED' }, { ...READ_ONLY, orderBy: { number: 'asc' } });
  const addOnVersions = await em.find(
    AddOnVersion,
    { status: 'PUBLISHED' },
    { ...READ_ONLY, orderBy: { version: 'asc' } },
  );
  return {
    plans,
    addOns,
    versions: new Map(versions.map((version) => [version.planId, version])), // the last, which is the newest, stays
    addOnVersions: new Map(addOnVersions.map((version) => [version.addOnId, version])),
  };
}

const catalogues = new WeakMap<Context, Promise<Catalogue>>();

/** The catalogue, read once per request. It belongs to no tenant, so it is open to callers without one. */
export function catalogue(ctx: Context): Promise<Catalogue> {
  let held = catalogues.get(ctx);
  if (!held) {
    held = ctx.acrossTenants(readCatalogue);
    catalogues.set(ctx, held);
  }
  return held;
}

/** Listed plans that can be bought, cheapest first. */
export async function listPlans(ctx: Context): Promise<Plan[]> {
  const { plans, versions } = await catalogue(ctx);
  const priceOf = (plan: Plan) => Number(versions.get(plan.id)?.priceMinor);
  return plans.filter((plan) => plan.isListed && versions.has(plan.id)).sort((a, b) => priceOf(a) - priceOf(b));
}

/** Add-ons of the marketplace, of one shelf or all. */
export async function listAddOns(ctx: Context, ladder: PluginTier | null): Promise<AddOn[]> {
  const { addOns, addOnVersions } = await catalogue(ctx);
  return addOns.filter((addOn) => addOnVersions.has(addOn.id) && (ladder === null || addOn.ladder === ladder));
}

/** A plan and the version of it that is for sale; refuses with NOT_FOUND one that is unknown, unlisted or retired. */
export async function planForSale(
  em: EntityManager,
  code: string,
  isUnlistedToo = false,
): Promise<{ plan: Plan; version: PlanVersion }> {
  const plan = await em.findOne(Plan, { code, ...(isUnlistedToo ? {} : { isListed: true }) }, READ_ONLY);
  const [version] = plan ? await publishedOf(em, plan) : [];
  if (!plan || !version) throw new Refusal('NOT_FOUND', `There is no plan named ${code.slice(0, 40)}.`, 'newPlan');
  return { plan, version };
}

function publishedOf(em: EntityManager, plan: Plan): Promise<PlanVersion[]> {
  return em.find(
    PlanVersion,
    { planId: plan.id, status: 'PUBLISHED' },
    { ...READ_ONLY, orderBy: { number: 'desc' }, limit: 1 },
  );
}

/** A plan another subgraph points at: a listed one, or for the control plane any. */
export async function planByKey(ctx: Context, { id, code }: { id?: string; code?: string }): Promise<Plan | null> {
  const { plans } = await catalogue(ctx);
  const plan = plans.find((known) => known.id === id || known.code === code);
  return plan && (plan.isListed || ctx.can('licensing.fleet.read')) ? plan : null;
}

/** A published version of a plan that `planByKey` would give. */
export async function planVersionById(ctx: Context, id: string): Promise<PlanVersion | null> {
  const { versions } = await catalogue(ctx);
  const version = [...versions.values()].find((known) => known.id === id);
  return version && (await planByKey(ctx, { id: version.planId })) ? version : null;
}

/** An add-on of the marketplace by one of its keys. */
export async function addOnByKey(ctx: Context, { id, code }: { id?: string; code?: string }): Promise<AddOn | null> {
  const known = await listAddOns(ctx, null);
  return known.find((addOn) => addOn.id === id || addOn.code === code) ?? null;
}
