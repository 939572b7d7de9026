import type { EntityClass } from '@mikro-orm/postgresql';
import { asId, keyAfter } from '../../../schema/cursor.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, checkPage, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { defineLoader, type Loader } from '../../_kernel/loader.ts';
import { Customer } from './customer.entity.ts';

export const customerById = defineLoader<Customer>('customer', async (em, ids) =>
  (await em.find(Customer, { id: { $in: ids.filter(isId) } })).map((customer) => [customer.id, customer]),
);

interface Wanted extends PageArgs {
  customer: string;
}

/** Reads one page of a customer's rows, newest first; for a list of customers all pages come in one statement. */
export function pagesOf<T extends { id: string }>(entity: EntityClass<T>, table: string) {
  const loader: Loader<Connection<T>> = defineLoader(`pages of ${table}`, async (em, keys) => {
    const wanted = keys.map((key) => JSON.parse(key) as Wanted);
    const rows = await em.execute(
      `select w.place, r.*
         from jsonb_to_recordset(?::jsonb) as w(place int, customer uuid, before uuid, size int)
        cross join lateral (select * from ${table} t
                             where t.customer_id = w.customer and (w.before is null or t.id < w.before)
                             order by t.id desc limit w.size) r
        order by w.place, r.id desc`,
      [
        JSON.stringify(
          wanted.map((w, place) => ({ place, customer: w.customer, before: keyAfter(w, asId), size: w.first + 1 })),
        ),
      ],
    );
    const byPlace = Map.groupBy(rows, (row) => Number(row.place));
    return wanted.map((page, place) => {
      const nodes = (byPlace.get(place) ?? []).map(({ place: _, tenant_id: __, ...row }) =>
        em.map(entity, row as never),
      );
      return [keys[place] as string, connect(nodes, page, (node) => [node.id])] as const;
    });
  });
  return (ctx: Context, customer: string, page: PageArgs): Promise<Connection<T> | null> => {
    checkPage(page);
    keyAfter(page, asId);
    return ctx.load(loader, JSON.stringify({ customer, first: page.first, after: page.after ?? null }));
  };
}
