import { anywhere, asInstant, placeAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { Ticket } from './ticket.entity.ts';
import * as rules from './ticket.rules.ts';
import { authorOf, findOrRefuse, move, named, post, record, touch, writeTicket } from './ticket.steps.ts';

/** Characters a search begins with. */
const MIN_SEARCH = 2;

export interface TicketSearch {
  status?: rules.TicketStatus[] | null;
  priority?: rules.TicketPriority[] | null;
  customerId?: string | null;
  assigneeId?: string | null;
  text?: string | null;
}

export type TicketOrder = 'NEWEST' | 'LAST_MESSAGE';

/** A change to a ticket as its reader saw it. */
export interface TicketChange {
  ticketId: string;
  expectedVersion: number;
}

export interface NewMessage {
  ticketId: string;
  visibility: rules.MessageVisibility;
  bodyText: string;
  expectedLastMessageId?: string | null;
  idempotencyKey: string;
}

/** A ticket by its number, T-000001. */
export async function ticketByNumber(ctx: Context, number: string): Promise<Ticket | null> {
  return number.includes('\0') ? null : (await ctx.em()).findOne(Ticket, { number });
}

/** Tickets, newest or last written to first; `text` finds numbers, subjects and requesters. */
export async function listTickets(
  ctx: Context,
  search: TicketSearch,
  orderBy: TicketOrder,
  page: PageArgs,
): Promise<Connection<Ticket>> {
  const { customerId, assigneeId } = search;
  if ([customerId, assigneeId].some((id) => id != null && !isId(id))) return connect<Ticket>([], page, () => []);
  const column = orderBy === 'NEWEST' ? 'openedAt' : 'lastMessageAt';
  const place = placeAfter(page, asInstant);
  const pattern = search.text == null ? null : { $ilike: anywhere(search.text, MIN_SEARCH) };
  const where = [
    search.status?.length ? { status: { $in: search.status } } : {},
    search.priority?.length ? { priority: { $in: search.priority } } : {},
    customerId ? { customerId } : {},
    assigneeId ? { assigneeId } : {},
    pattern
      ? { $or: [{ number: pattern }, { subject: pattern }, { requesterName: pattern }, { requesterEmail: pattern }] }
      : {},
    place ? { [column]: { $lte: place.key }, $or: [{ [column]: { $lt: place.key } }, { id: { $lt: place.id } }] } : {},
  ];
  const em = await ctx.em();
  const rows = await em.find(
    Ticket,
    { $and: where },
    { orderBy: { [column]: 'desc', id: 'desc' }, limit: page.first + 1 },
  );
  return connect(rows, page, (ticket) => [ticket[column].toISOString(), ticket.id]);
}

/** Opens a ticket with what was said. It costs one of the licence's tickets: QUOTA_EXCEEDED over the limit. */
export function openTicket(
  ctx: Context,
  { idempotencyKey, ...typed }: rules.TypedTicket & { idempotencyKey: string },
): Promise<Ticket> {
  return ctx.tx(async (em) => {
    const id = await once(ctx, em, { door: 'openTicket', key: idempotencyKey, request: typed }, async () => {
      rules.checkStaffChannel(typed.channel);
      const ticket = await writeTicket(ctx, em, rules.checkTicket(typed));
      await em.flush();
      return ticket.id;
    });
    return em.findOneOrFail(Ticket, { id });
  });
}

/** Writes into a ticket: to the customer, or a note among staff. CONFLICT when somebody wrote meanwhile (R6). */
export function postMessage(ctx: Context, { idempotencyKey, ...said }: NewMessage): Promise<Ticket> {
  return ctx.tx(async (em) => {
    const id = await once(ctx, em, { door: 'postMessage', key: idempotencyKey, request: said }, async () => {
      const ticket = await findOrRefuse(em, said.ticketId);
      rules.expectLastMessage(ticket.lastMessageId, said.expectedLastMessageId);
      const effect = rules.effectOfMessage(ticket.status, authorOf(ctx));
      post(ctx, em, ticket, {
        visibility: said.visibility,
        bodyText: rules.checkBody(said.bodyText),
        channel: 'STAFF',
      });
      if (effect === 'TAKE_UP') move(ctx, em, ticket, effect);
      return ticket.id;
    });
    return em.findOneOrFail(Ticket, { id });
  });
}

/** Gives a ticket to someone, or with null back to all. */
export function assignTicket(
  ctx: Context,
  { assigneeId, ...wanted }: TicketChange & { assigneeId: string | null },
): Promise<Ticket> {
  return ctx.tx(async (em) => {
    if (assigneeId !== null && !isId(assigneeId))
      throw new Refusal('NOT_FOUND', 'There is no such user.', 'assigneeId');
    const ticket = await found(em, wanted);
    give(ctx, em, ticket, assigneeId);
    return ticket;
  });
}

/** Takes a ticket that nobody has. */
export function claimTicket(ctx: Context, wanted: TicketChange): Promise<Ticket> {
  return ctx.tx(async (em) => {
    const { kind, id } = ctx.envelope.caller;
    if (kind !== 'USER' || !id) throw new Refusal('INVALID', 'Only a person can take a ticket.');
    const ticket = await found(em, wanted);
    rules.checkClaim(ticket.assigneeId, id);
    give(ctx, em, ticket, id);
    return ticket;
  });
}

/** Lets a ticket wait for someone or something. */
export function waitTicket(
  ctx: Context,
  { reason, waitUntil, ...wanted }: TicketChange & { reason: rules.WaitReason; waitUntil?: Date | null },
): Promise<Ticket> {
  return ctx.tx(async (em) => {
    const ticket = await found(em, wanted);
    rules.checkWait(reason, waitUntil ?? null, ctx.now());
    move(ctx, em, ticket, 'WAIT', reason);
    Object.assign(ticket, { waitReason: reason, waitUntil: waitUntil ?? null });
    return ticket;
  });
}

/** Says that a ticket is solved. */
export const resolveTicket = (ctx: Context, wanted: TicketChange): Promise<Ticket> => moved(ctx, wanted, 'RESOLVE');

/** Takes up a ticket that waits or was resolved. */
export const reopenTicket = (ctx: Context, wanted: TicketChange): Promise<Ticket> => moved(ctx, wanted, 'REOPEN');

/** Withdraws a ticket that should not exist; it counts in no figure. */
export const cancelTicket = (
  ctx: Context,
  { reason, ...wanted }: TicketChange & { reason: rules.CancelReason },
): Promise<Ticket> => moved(ctx, wanted, 'CANCEL', reason);

/** Says how urgent a ticket is. */
export function setTicketPriority(
  ctx: Context,
  { priority, ...wanted }: TicketChange & { priority: rules.TicketPriority },
): Promise<Ticket> {
  return ctx.tx(async (em) => {
    const ticket = await found(em, wanted);
    rules.checkOpen(ticket.status);
    const from = ticket.priority;
    if (from === priority) return ticket;
    ticket.priority = priority;
    record(ctx, em, ticket, 'PRIORITY_CHANGED', { from, to: priority });
    emit(em, 'tickets.ticket.priority_changed', { ...named(ticket), from, to: priority });
    takeUp(ctx, em, ticket);
    return ticket;
  });
}

/** The ticket, locked, at the version its reader saw. */
async function found(em: EntityManager, { ticketId, expectedVersion }: TicketChange): Promise<Ticket> {
  const ticket = await findOrRefuse(em, ticketId);
  expectVersion(ticket.version, expectedVersion, 'ticket');
  return ticket;
}

function moved(
  ctx: Context,
  wanted: TicketChange,
  how: rules.TicketMove,
  reason: string | null = null,
): Promise<Ticket> {
  return ctx.tx(async (em) => {
    const ticket = await found(em, wanted);
    move(ctx, em, ticket, how, reason);
    return ticket;
  });
}

function give(ctx: Context, em: EntityManager, ticket: Ticket, to: string | null): void {
  rules.checkOpen(ticket.status);
  const from = ticket.assigneeId;
  if (from === to) return;
  ticket.assigneeId = to;
  record(ctx, em, ticket, 'ASSIGNED', { from, to });
  emit(em, 'tickets.ticket.assigned', { ...named(ticket), from, to });
  takeUp(ctx, em, ticket);
}

/** A change by staff: the first one takes a NEW ticket up. */
function takeUp(ctx: Context, em: EntityManager, ticket: Ticket): void {
  if (ticket.status === 'NEW') move(ctx, em, ticket, 'TAKE_UP');
  else touch(ctx, ticket);
}
