import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { AddOn, AddOnVersion, type PluginTier } from './add-on.entity.ts';
import { Plan, PlanVersion } from './plan.entity.ts';

/** What is for sale: every plan and add-on, each with its published version. */
export interface Catalogue {
  plans: Plan[];
  addOns: AddOn[];
  /** By id of the plan. */
  versions: Map<string, PlanVersion>;
  /** By id of the add-on. */
  addOnVersions: Map<string, AddOnVersion>;
  /** The newest of every add-on, also of those that are not for sale any more. */
  lastAddOnVersions: Map<string, AddOnVersion>;
}

/** Catalogue rows are read, never written. */
const READ_ONLY = { disableIdentityMap: true } as const;

/** Reads what is for sale now. */
export async function readCatalogue(em: EntityManager): Promise<Catalogue> {
  const plans = await em.find(Plan, {}, { ...READ_ONLY, orderBy: { id: 'asc' } });
  const addOns = await em.find(AddOn, {}, { ...READ_ONLY, orderBy: { id: 'asc' } });
  const versions = await em.find(PlanVersion, { status: 'PUBLISHED' }, READ_ONLY);
  const addOnVersions = await em.find(AddOnVersion, {}, { ...READ_ONLY, orderBy: { version: 'asc' } });
  const byAddOn = (rows: AddOnVersion[]) => new Map(rows.map((version) => [version.addOnId, version])); // the last stays
  return {
    plans,
    addOns,
    versions: new Map(versions.map((version) => [version.planId, version])),
    addOnVersions: byAddOn(addOnVersions.filter(({ status }) => status === 'PUBLISHED')),
    lastAddOnVersions: byAddOn(addOnVersions),
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

/** Changes the catalogue in the platform's own transaction: one change at a time, over all processes. */
export async function changingCatalogue<T>(ctx: Context, change: (em: EntityManager) => Promise<T>): Promise<T> {
  const changed = await ctx.tx(async (em) => {
    await em.execute("select pg_advisory_xact_lock(hashtext('licensing.catalogue'))");
    const result = await change(em);
    await em.flush();
    return result;
  });
  catalogues.delete(ctx); // the rest of the operation reads it anew
  return changed;
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
  const version = plan && (await em.findOne(PlanVersion, { planId: plan.id, status: 'PUBLISHED' }, READ_ONLY));
  if (!plan || !version) throw new Refusal('NOT_FOUND', `There is no plan named ${code.slice(0, 40)}.`, 'newPlan');
  return { plan, version };
}

/** A plan another subgraph points at: a listed one, or for the control plane any. */
export async function planByKey(ctx: Context, { id, code }: { id?: string; code?: string }): Promise<Plan | null> {
  const { plans } = await catalogue(ctx);
  const plan = plans.find((known) => known.id === id || known.code === code);
  return plan && (plan.isListed || ctx.can('licensing.fleet.read')) ? plan : null;
}

/** A version of a plan that `planByKey` would give, for sale or not any more; a draft only for the control plane. */
export async function planVersionById(ctx: Context, id: string): Promise<PlanVersion | null> {
  if (!isId(id)) return null;
  const version = await ctx.acrossTenants((em) => em.findOne(PlanVersion, { id }));
  if (!version || (version.status === 'DRAFT' && !ctx.can('licensing.fleet.read'))) return null;
  return (await planByKey(ctx, { id: version.planId })) ? version : null;
}

/** An add-on by one of its keys, for sale or not any more. */
export async function addOnByKey(ctx: Context, { id, code }: { id?: string; code?: string }): Promise<AddOn | null> {
  const { addOns } = await catalogue(ctx);
  return addOns.find((addOn) => addOn.id === id || addOn.code === code) ?? null;
}
