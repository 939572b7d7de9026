import { uuidv7 } from 'uuidv7';
import { badInput } from '../../../schema/errors.ts';
import { type Connection, connect, decodeCursor, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { type Conflicts, saveUnique } from '../inventory/conflicts.ts';
import { ServicePlan } from './service-plan.entity.ts';
import { advance, checkPlan, type NewServicePlan, type PlanState } from './service-plan.rules.ts';

const CONFLICTS: Conflicts = { service_plan_number: ['Someone published this plan meanwhile.', 'code'] };

/** The newest publication of a code. */
export function newestPlan(em: EntityManager, code: string): Promise<ServicePlan | null> {
  return em.findOne(ServicePlan, { code }, { orderBy: { number: 'desc' } });
}

/** The newest publication of a code; who may not read plans sees it while it is on sale. */
export async function servicePlan(ctx: Context, code: string): Promise<ServicePlan | null> {
  const plan = await newestPlan(await ctx.em(), code);
  return plan && (plan.state === 'PUBLISHED' || ctx.can('network.plan.read')) ? plan : null;
}

/** Plans by code, then number; who may not read plans sees those on sale. */
export async function listServicePlans(
  ctx: Context,
  state: PlanState | null,
  page: PageArgs,
): Promise<Connection<ServicePlan>> {
  const { code, number } = planAfter(page);
  const onSale = ctx.can('network.plan.read') ? {} : { $and: [{ state: 'PUBLISHED' as const }] };
  const after = { $or: [{ code: { $gt: code } }, { code, number: { $gt: number } }] };
  const rows = await (await ctx.em()).find(
    ServicePlan,
    { ...(state ? { state } : {}), ...onSale, ...(page.after ? after : {}) },
    { orderBy: { code: 'asc', number: 'asc' }, limit: page.first + 1 },
  );
  return connect(rows, page, (plan) => [plan.code, plan.number]);
}

/** The plan a list goes on after. */
function planAfter(page: PageArgs): { code: string; number: number } {
  const [code, number] = page.after ? decodeCursor(page.after, 2) : ['', 0];
  if (!/^[a-z0-9_]*$/.test(String(code)) || !Number.isInteger(number))
    throw badInput('This cursor is not one of ours.');
  return { code: String(code), number: Number(number) };
}

/** Publishes a plan, or the next number of one: from now on services are sold on it, and it never changes. */
export function publishServicePlan(ctx: Context, given: NewServicePlan): Promise<ServicePlan> {
  return ctx.tx(async (em) => {
    const { code, kind, technology, downKbps, upKbps } = checkPlan(given);
    const number = ((await newestPlan(em, code))?.number ?? 0) + 1;
    const promised = { code, kind, technology, downKbps, upKbps };
    const plan = em.create(ServicePlan, {
      ...promised,
      id: uuidv7(),
      number,
      state: 'PUBLISHED',
      publishedAt: ctx.now(),
    });
    em.persist(plan);
    await saveUnique(em, CONFLICTS);
    return plan;
  });
}

/** Takes a plan off sale; who has it keeps it. */
export function retireServicePlan(ctx: Context, id: string): Promise<ServicePlan> {
  return ctx.tx(async (em) => {
    const plan = await lockOrRefuse(em, ServicePlan, id, 'plan', { field: 'servicePlanId' });
    plan.state = advance(plan.state, 'RETIRED');
    plan.retiredAt = ctx.now();
    return plan;
  });
}
