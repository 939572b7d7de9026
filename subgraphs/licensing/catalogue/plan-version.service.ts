import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { Plan, PlanVersion } from './plan.entity.ts';
import { featuresOf } from './plan.rules.ts';
import { changingCatalogue } from './plan.service.ts';
import { checkPlanTerms, type PlanTerms } from './plan-version.rules.ts';
import { advanceVersion, checkAvailable, checkIsDraft } from './version.rules.ts';

export interface PlanVersionWanted extends PlanTerms {
  /** Code of the plan. */
  plan: string;
  /** A draft to write anew. */
  id?: string | null;
}

/**
 * Writes down the next version of a plan, which nobody sees or buys before it is published; with an id it writes that
 * draft anew. Refuses with NOT_FOUND an unknown plan or version, with INVALID what it may not say, with INVALID_STATE a
 * version that is published.
 */
export function draftPlanVersion(ctx: Context, { plan: code, id, ...terms }: PlanVersionWanted): Promise<PlanVersion> {
  return changingCatalogue(ctx, async (em) => {
    const content = checkPlanTerms(terms);
    const plan = await em.findOne(Plan, { code, isListed: true });
    if (!plan) throw new Refusal('NOT_FOUND', `There is no plan named ${code.slice(0, 40)}.`, 'plan');
    if (id) return em.assign(await draftOrRefuse(em, id, plan), content);
    const [last] = await em.find(PlanVersion, { planId: plan.id }, { orderBy: { number: 'desc' }, limit: 1 });
    const place = { id: uuidv7(), planId: plan.id, number: (last?.number ?? 0) + 1 };
    const draft = em.create(PlanVersion, { ...place, status: 'DRAFT', ...content });
    em.persist(draft);
    return draft;
  });
}

/**
 * Puts a draft up for sale: whoever takes the plan from now on gets this version. The former one stays valid for those
 * who hold it, at its price. Refuses with NOT_FOUND an unknown version, with INVALID_STATE one that is no draft or that a
 * newer one has overtaken, with INVALID one with a feature that cannot be had meanwhile.
 */
export function publishPlanVersion(ctx: Context, id: string): Promise<PlanVersion> {
  return changingCatalogue(ctx, async (em) => {
    const version = await versionOrRefuse(em, id);
    const status = advanceVersion(version.status, 'PUBLISHED');
    const { planId, number } = version;
    if (await em.count(PlanVersion, { planId, number: { $gt: number }, status: { $ne: 'DRAFT' } }))
      throw new Refusal('INVALID_STATE', 'A newer version of this plan has been published.', 'id');
    checkAvailable(featuresOf(version.features), 'id');
    const former = await em.findOne(PlanVersion, { planId, status: 'PUBLISHED' });
    if (former) former.status = advanceVersion(former.status, 'RETIRED');
    await em.flush(); // one version of a plan is for sale at any moment
    version.status = status;
    const plan = await em.findOneOrFail(Plan, { id: planId });
    const { priceMinor, currency, annualDiscountPercent, trialDays } = version;
    emit(em, 'licensing.plan.published', {
      ...{ planVersionId: id, code: plan.code, number, priceMinor: priceMinor.toString() },
      ...{ currency, annualDiscountPercent, trialDays },
    });
    return version;
  });
}

/**
 * Takes a version off sale; it stays valid for those who hold it, and the plan is not for sale until its next version is
 * published. Refuses with NOT_FOUND an unknown version, with INVALID_STATE one that is not for sale.
 */
export function retirePlanVersion(ctx: Context, id: string): Promise<PlanVersion> {
  return changingCatalogue(ctx, async (em) => {
    const version = await versionOrRefuse(em, id);
    version.status = advanceVersion(version.status, 'RETIRED');
    return version;
  });
}

/** All versions of a plan, newest first, drafts among them: for those who run the platform. */
export const versionsOfPlan = defineLoader<PlanVersion[]>('versions of a plan', (_, planIds, ctx) =>
  ctx.acrossTenants(async (em) => {
    const rows = await em.find(PlanVersion, { planId: { $in: [...planIds] } }, { orderBy: { number: 'desc' } });
    return planIds.map((planId) => [planId, rows.filter((row) => row.planId === planId)]);
  }),
);

async function versionOrRefuse(em: EntityManager, id: string): Promise<PlanVersion> {
  const version = isId(id) ? await em.findOne(PlanVersion, { id }) : null;
  if (!version) throw new Refusal('NOT_FOUND', 'There is no such plan version.', 'id');
  return version;
}

async function draftOrRefuse(em: EntityManager, id: string, plan: Plan): Promise<PlanVersion> {
  const version = await versionOrRefuse(em, id);
  if (version.planId !== plan.id) throw new Refusal('NOT_FOUND', 'There is no such plan version.', 'id');
  checkIsDraft(version.status);
  return version;
}
