import type { EntityClass } from '@mikro-orm/postgresql';
import { asId, keyAfter } from '../../../schema/cursor.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, checkPage, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { definePageLoader, loadPage } from '../../_kernel/pages.ts';
import { Customer } from './customer.entity.ts';

export const customerById = defineLoader<Customer>('customer', async (em, ids) =>
  (await em.find(Customer, { id: { $in: ids.filter(isId) } })).map((customer) => [customer.id, customer]),
);

/** Reads one page of a customer's rows, newest first; for a list of customers the same page comes in one statement. */
export function pagesOf<T extends { id: string }>(entity: EntityClass<T>, table: string) {
  const loader = definePageLoader<null, T>(
    `pages of ${table}`,
    async (em, ids, page) => {
      const before = keyAfter(page, asId);
      const rows = await em.execute(
        `select r.* from unnest(array[?]::uuid[]) as c(id) cross join lateral (
           select * from ${table} where customer_id = c.id and (?::uuid is null or id < ?) order by id desc limit ?) r`,
        [ids, before, before, page.first + 1],
      );
      return rows.map((row) => [row.customer_id, em.map(entity, row as never)] as const);
    },
    (node) => [node.id],
  );
  return (ctx: Context, customer: string, page: PageArgs): Promise<Connection<T>> => {
    checkPage(page);
    keyAfter(page, asId);
    return loadPage(ctx, loader, customer, page, null);
  };
}
