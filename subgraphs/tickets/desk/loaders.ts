import { asId, asInstant, asWhole, keyAfter, placeAfter } from '../../../schema/cursor.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { defineLoader, type Loader } from '../../_kernel/loader.ts';
import { TicketMessage } from './message.entity.ts';
import { Ticket, TicketTag } from './ticket.entity.ts';
import type { MessageVisibility } from './ticket.rules.ts';
import { TicketEvent } from './ticket-event.entity.ts';

export const ticketById = defineLoader('tickets by id', async (em, ids) => {
  const found = await em.find(Ticket, { id: { $in: ids.filter(isId) } });
  return found.map((ticket) => [ticket.id, ticket] as const);
});

export const tagsOfTicket = defineLoader('tags of tickets', async (em, ids) => {
  const rows = await em.find(TicketTag, { ticketId: { $in: [...ids] } }, { orderBy: { tag: 'asc' } });
  return [...Map.groupBy(rows, (row) => row.ticketId)].map(([id, own]) => [id, own.map((row) => row.tag)] as const);
});

export const openCountOfCustomer = defineLoader('open tickets of customers', async (em, ids) => {
  const known = ids.filter(isId);
  if (known.length === 0) return [];
  const rows = await em.execute(
    `select customer_id, count(*)::int as open from tickets.ticket
      where customer_id in (?) and status in ('NEW', 'OPEN', 'WAITING') group by customer_id`,
    [known],
  );
  return rows.map((row) => [row.customer_id as string, row.open as number] as const);
});

/** A page of a list that hangs on one row: the same page of many rows is one statement. */
interface PageOf<A> {
  id: string;
  page: Pick<PageArgs, 'first' | 'after'>;
  args: A;
}

function definePageLoader<A, T>(
  name: string,
  read: (em: EntityManager, ids: string[], page: PageOf<A>['page'], args: A) => Promise<(readonly [string, T])[]>,
  keyOf: (node: T) => readonly (string | number)[],
): Loader<Connection<T>> {
  return defineLoader(name, async (em, keys) => {
    const wanted = keys.map((key) => ({ key, ...(JSON.parse(key) as PageOf<A>) })).filter(({ id }) => isId(id));
    const answers: [string, Connection<T>][] = [];
    for (const alike of Map.groupBy(wanted, ({ page, args }) => JSON.stringify([page, args])).values()) {
      const { page, args } = alike[0] as PageOf<A>;
      const rows = Map.groupBy(
        await read(
          em,
          alike.map(({ id }) => id),
          page,
          args,
        ),
        ([id]) => id,
      );
      for (const { key, id } of alike)
        answers.push([
          key,
          connect(
            (rows.get(id) ?? []).map(([, node]) => node),
            page as PageArgs,
            keyOf,
          ),
        ]);
    }
    return answers;
  });
}

/** A page through one of the loaders below; the caller has checked its size. */
export async function loadPage<A, T>(
  ctx: Context,
  loader: Loader<Connection<T>>,
  id: string,
  { first, after }: PageArgs,
  args: A,
): Promise<Connection<T>> {
  const key: PageOf<A> = { id, page: { first, after: after ?? null }, args };
  return (await ctx.load(loader, JSON.stringify(key))) ?? connect<T>([], { first, after }, () => []);
}

/** Newest first. */
export const ticketsOfCustomer = definePageLoader<null, Ticket>(
  'tickets of customers',
  async (em, ids, page) => {
    const place = placeAfter(page, asInstant);
    const rows = await em.execute(
      `select t.* from unnest(array[?]::uuid[]) as c(id) cross join lateral (
         select * from tickets.ticket
          where customer_id = c.id and (?::uuid is null or (opened_at, id) < (?::timestamptz, ?::uuid))
          order by opened_at desc, id desc limit ?) t`,
      [ids, place?.id ?? null, place?.key.toISOString() ?? null, place?.id ?? null, page.first + 1],
    );
    return rows.map((row) => [row.customer_id, em.map(Ticket, row)] as const);
  },
  (ticket) => [ticket.openedAt.toISOString(), ticket.id],
);

/** Oldest first; of one visibility, or all that the caller may see. */
export const messagesOfTicket = definePageLoader<MessageVisibility | null, TicketMessage>(
  'messages of tickets',
  async (em, ids, page, visibility) => {
    const from = keyAfter(page, asId);
    const rows = await em.execute(
      `select m.* from unnest(array[?]::uuid[]) as t(id) cross join lateral (
         select * from tickets.ticket_message
          where ticket_id = t.id and (?::text is null or visibility = ?)
            and (?::uuid is null or seq > (select seq from tickets.ticket_message where id = ? and ticket_id = t.id))
          order by seq limit ?) m`,
      [ids, visibility, visibility, from, from, page.first + 1],
    );
    return rows.map((row) => [row.ticket_id, em.map(TicketMessage, row)] as const);
  },
  (message) => [message.id], // not its place, which would tell a customer of notes in between
);

/** Oldest first. */
export const eventsOfTicket = definePageLoader<null, TicketEvent>(
  'events of tickets',
  async (em, ids, page) => {
    const rows = await em.execute(
      `select e.* from unnest(array[?]::uuid[]) as t(id) cross join lateral (
         select * from tickets.ticket_event where ticket_id = t.id and seq > ? order by seq limit ?) e`,
      [ids, keyAfter(page, asWhole) ?? 0, page.first + 1],
    );
    return rows.map((row) => [row.ticket_id, em.map(TicketEvent, row)] as const);
  },
  (event) => [event.seq],
);
