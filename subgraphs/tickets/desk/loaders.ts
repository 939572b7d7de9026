import { asId, asInstant, asWhole, keyAfter, placeAfter } from '../../../schema/cursor.ts';
import { isId } from '../../../schema/ids.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { definePageLoader } from '../../_kernel/pages.ts';
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
