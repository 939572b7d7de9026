import { uuidv7 } from 'uuidv7';
import { asId, keyAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { nextNumber } from '../../_kernel/number-series.ts';
import { Service } from './service.entity.ts';
import {
  advance,
  checkPremises,
  checkSold,
  lifecycleOf,
  type NewPremises,
  type ServiceStatus,
} from './service.rules.ts';
import { ServicePlan } from './service-plan.entity.ts';
import { newestPlan } from './service-plan.service.ts';

export interface ServiceFilter {
  customerId?: string | null;
  status?: ServiceStatus | null;
}

export interface WantedService {
  customerId: string;
  planCode: string;
  premises: NewPremises;
}

/** Services in the order they were asked for. */
export async function listServices(ctx: Context, filter: ServiceFilter, page: PageArgs): Promise<Connection<Service>> {
  const after = keyAfter(page, asId);
  if (filter.customerId && !isId(filter.customerId)) return connect([], page, () => []);
  const rows = await (await ctx.em()).find(
    Service,
    {
      ...(after ? { id: { $gt: after } } : {}),
      ...(filter.customerId ? { customerId: filter.customerId } : {}),
      ...(filter.status ? { lifecycle: lifecycleOf(filter.status) } : {}),
    },
    { orderBy: { id: 'asc' }, limit: page.first + 1 },
  );
  return connect(rows, page, (service) => [service.id]);
}

/** Asks for a service on the newest number of a plan. Refuses NOT_FOUND for an unknown plan, INVALID_STATE for a retired one. */
export function requestService(ctx: Context, input: WantedService & { idempotencyKey: string }): Promise<Service> {
  return ctx.tx(async (em) => {
    const id = await once(ctx, em, { door: 'requestService', key: input.idempotencyKey, request: input }, async () => {
      const plan = await soldPlan(em, input.planCode);
      const service = await write(em, { ...input, plan, id: uuidv7(), lifecycle: 'REQUESTED' });
      tell(em, 'requested', service, plan);
      return service.id;
    });
    return em.findOneOrFail(Service, { id });
  });
}

/** Takes a service into the register that is on line already, as an import brings it. */
export function takeOverService(
  ctx: Context,
  given: WantedService & { id: string; activatedAt: Date },
): Promise<Service> {
  return ctx.tx(async (em) => {
    const plan = await soldPlan(em, given.planCode);
    const service = await write(em, { ...given, plan, lifecycle: 'IN_SERVICE' });
    tell(em, 'activated', service, plan);
    return service;
  });
}

/** Withdraws a service that was asked for and not begun. */
export function cancelService(ctx: Context, input: { serviceId: string; idempotencyKey: string }): Promise<Service> {
  return ctx.tx(async (em) => {
    const id = await once(ctx, em, { door: 'cancelService', key: input.idempotencyKey, request: input }, async () => {
      const service = await lockOrRefuse(em, Service, input.serviceId, 'service');
      service.lifecycle = advance(service.lifecycle, 'CANCELLED');
      service.version += 1;
      await em.flush();
      tell(em, 'cancelled', service, await em.findOneOrFail(ServicePlan, { id: service.planId }));
      return service.id;
    });
    return em.findOneOrFail(Service, { id });
  });
}

async function soldPlan(em: EntityManager, code: string): Promise<ServicePlan> {
  const plan = await newestPlan(em, code);
  if (!plan) throw new Refusal('NOT_FOUND', 'There is no such plan.', 'planCode');
  checkSold(plan.state);
  return plan;
}

type Written = Pick<Service, 'id' | 'customerId' | 'lifecycle'> & {
  plan: ServicePlan;
  premises: NewPremises;
  activatedAt?: Date;
};

async function write(em: EntityManager, { plan, premises, activatedAt, ...given }: Written): Promise<Service> {
  const { id, customerId, lifecycle } = given;
  if (!isId(customerId)) throw new Refusal('NOT_FOUND', 'There is no such customer.', 'customerId');
  const place = checkPremises(premises);
  const number = await nextNumber(em, 'service', 'SVC');
  const service = em.create(Service, {
    id,
    customerId,
    lifecycle,
    number,
    planId: plan.id,
    ...place,
    activatedAt,
    version: 1,
  });
  await em.persist(service).flush();
  return service;
}

function tell(
  em: EntityManager,
  what: 'requested' | 'activated' | 'cancelled',
  service: Service,
  plan: ServicePlan,
): void {
  const { id: serviceId, customerId, version } = service;
  const { code: planCode, technology } = plan;
  emit(em, `network.service.${what}`, { serviceId, customerId, planCode, technology, version });
}
