import { asId, keyAfter } from '../../../schema/cursor.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, checkPage, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { definePageLoader, loadPage } from '../../_kernel/pages.ts';
import { Service } from './service.entity.ts';
import { ServicePlan } from './service-plan.entity.ts';

export const serviceById = defineLoader<Service>('service', async (em, ids) =>
  (await em.find(Service, { id: { $in: ids.filter(isId) } })).map((service) => [service.id, service]),
);

export const planById = defineLoader<ServicePlan>('service plan', async (em, ids) =>
  (await em.find(ServicePlan, { id: { $in: ids.filter(isId) } })).map((plan) => [plan.id, plan]),
);

/** In the order they were asked for; the same page of many customers comes in one statement. */
const servicePages = definePageLoader<null, Service>(
  'services of a customer',
  async (em, ids, page) => {
    const after = keyAfter(page, asId);
    const rows = await em.execute(
      `select s.* from unnest(array[?]::uuid[]) as c(id) cross join lateral (
         select * from network.service where customer_id = c.id and (?::uuid is null or id > ?) order by id limit ?) s`,
      [ids, after, after, page.first + 1],
    );
    return rows.map((row) => [row.customer_id, em.map(Service, row)] as const);
  },
  (service) => [service.id],
);

/** A page of one customer's services. */
export function servicesOf(ctx: Context, customer: string, page: PageArgs): Promise<Connection<Service>> {
  checkPage(page);
  keyAfter(page, asId);
  return loadPage(ctx, servicePages, customer, page, null);
}
