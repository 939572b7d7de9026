import { asId, keyAfter } from '../../../schema/cursor.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, checkPage, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { Service } from './service.entity.ts';
import { ServicePlan } from './service-plan.entity.ts';

export const serviceById = defineLoader<Service>('service', async (em, ids) =>
  (await em.find(Service, { id: { $in: ids.filter(isId) } })).map((service) => [service.id, service]),
);

export const planById = defineLoader<ServicePlan>('service plan', async (em, ids) =>
  (await em.find(ServicePlan, { id: { $in: ids.filter(isId) } })).map((plan) => [plan.id, plan]),
);

interface Wanted extends PageArgs {
  customer: string;
}

/** One page of services per customer, in the order they were asked for. All pages come in one statement. */
const servicePages = defineLoader<Connection<Service>>('services of a customer', async (em, keys) => {
  const wanted = keys.map((key) => JSON.parse(key) as Wanted);
  const rows = await em.execute(
    `select w.place, r.*
       from jsonb_to_recordset(?::jsonb) as w(place int, customer uuid, after uuid, size int)
      cross join lateral (select * from network.service s
                           where s.customer_id = w.customer and (w.after is null or s.id > w.after)
                           order by s.id limit w.size) r
      order by w.place, r.id`,
    [
      JSON.stringify(
        wanted.map((w, place) => ({
          place,
          customer: isId(w.customer) ? w.customer : null,
          after: keyAfter(w, asId),
          size: w.first + 1,
        })),
      ),
    ],
  );
  const byPlace = Map.groupBy(rows, (row) => Number(row.place));
  return wanted.map((page, place) => {
    const nodes = (byPlace.get(place) ?? []).map(({ place: _, tenant_id: __, ...row }) =>
      em.map(Service, row as never),
    );
    return [keys[place] as string, connect(nodes, page, (node) => [node.id])] as const;
  });
});

/** A page of one customer's services; of many customers at once in one statement. */
export function servicesOf(ctx: Context, customer: string, page: PageArgs): Promise<Connection<Service> | null> {
  checkPage(page);
  keyAfter(page, asId);
  return ctx.load(servicePages, JSON.stringify({ customer, first: page.first, after: page.after ?? null }));
}
