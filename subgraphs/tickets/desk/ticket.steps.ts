import { uuidv7 } from 'uuidv7';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { nextNumber } from '../../_kernel/number-series.ts';
import { consume } from '../../_kernel/quota.ts';
import { TicketMessage } from './message.entity.ts';
import { Ticket, TicketTag } from './ticket.entity.ts';
import { advance, authorOfOpening, type MessageAuthor, type TicketDraft, type TicketMove } from './ticket.rules.ts';
import { TicketEvent, type TicketEventKind } from './ticket-event.entity.ts';

/** The ticket, locked until the transaction ends. Throws NOT_FOUND for an unknown id, and another's looks the same. */
export const findOrRefuse = (em: EntityManager, id: string, own: { customerId?: string } = {}) =>
  lockOrRefuse(em, Ticket, id, 'ticket', { where: own });

/** Whose words these are, by who asks. */
export function authorOf(ctx: Context): MessageAuthor {
  if (ctx.envelope.customerId) return 'CUSTOMER';
  if (ctx.envelope.caller.kind === 'USER') return 'STAFF';
  return ctx.envelope.caller.kind === 'SYSTEM' ? 'SYSTEM' : 'AUTOMATIC';
}

/** What a new ticket is beside what was said: one message and two events are written with it. */
const UNTOUCHED = {
  status: 'NEW',
  waitReason: null,
  waitUntil: null,
  assigneeId: null,
  resolvedAt: null,
  closedAt: null,
  reopenCount: 0,
  messageCount: 1,
  eventCount: 2,
  version: 1,
} as const;

/** Writes a ticket with its first message. It costs one of the licence's tickets, or QUOTA_EXCEEDED and nothing is written. */
export async function writeTicket(
  ctx: Context,
  em: EntityManager,
  draft: TicketDraft,
  followUpOfId: string | null = null,
): Promise<Ticket> {
  const [id, now] = [uuidv7(), ctx.now()];
  await consume(ctx, em, 'tickets', 1n, id);
  const ticket = em.create(Ticket, {
    ...draft.fields,
    ...UNTOUCHED,
    id,
    followUpOfId,
    number: await nextNumber(em, 'ticket', 'T'),
    openedAt: now,
    lastMessageId: uuidv7(),
    lastMessageAt: now,
    shownAt: now,
    updatedAt: now,
    createdById: ctx.actorId,
  });
  em.persist(ticket);
  await em.flush(); // before what hangs on it
  for (const tag of draft.tags) em.persist(em.create(TicketTag, { ticketId: id, tag }));
  em.persist(eventOf(ctx, em, ticket, 1, 'OPENED'));
  em.persist(eventOf(ctx, em, ticket, 2, 'MESSAGE_POSTED', { to: ticket.lastMessageId }));
  const { number, kind, priority, channel } = ticket;
  emit(em, 'tickets.ticket.opened', { ...named(ticket), number, kind, priority, channel });
  const author = authorOfOpening(channel);
  const isOwn = author === 'STAFF' || ctx.envelope.customerId !== undefined;
  writeMessage(ctx, em, ticket, {
    author,
    authorId: isOwn ? ctx.actorId : null,
    visibility: 'PUBLIC',
    bodyText: draft.bodyText,
    channel,
  });
  return ticket;
}

/** Adds a message of the caller to a ticket. */
export function post(
  ctx: Context,
  em: EntityManager,
  ticket: Ticket,
  said: Pick<TicketMessage, 'visibility' | 'bodyText' | 'channel'>,
): void {
  Object.assign(ticket, { lastMessageId: uuidv7(), lastMessageAt: ctx.now(), messageCount: ticket.messageCount + 1 });
  if (said.visibility === 'PUBLIC') ticket.shownAt = ctx.now();
  record(ctx, em, ticket, 'MESSAGE_POSTED', { to: ticket.lastMessageId });
  writeMessage(ctx, em, ticket, { ...said, author: authorOf(ctx), authorId: ctx.actorId });
}

/** Writes what the ticket counts as its last message. */
function writeMessage(
  ctx: Context,
  em: EntityManager,
  ticket: Ticket,
  said: Pick<TicketMessage, 'author' | 'authorId' | 'visibility' | 'bodyText' | 'channel'>,
): void {
  const { lastMessageId: id, messageCount: seq } = ticket;
  em.persist(em.create(TicketMessage, { ...said, id, ticketId: ticket.id, seq, createdAt: ctx.now() }));
  emit(em, 'tickets.message.posted', {
    ...named(ticket),
    messageId: id,
    visibility: said.visibility,
    author: said.author,
  });
}

/** Moves a ticket, with its stamps, its history and its news. Throws INVALID_STATE where there is no such move. */
export function move(
  ctx: Context,
  em: EntityManager,
  ticket: Ticket,
  how: TicketMove,
  reason: string | null = null,
): void {
  const [from, now] = [ticket.status, ctx.now()];
  const to = advance(from, how);
  const isReturn = how === 'REOPEN' && from === 'RESOLVED';
  Object.assign(ticket, { status: to, waitReason: null, waitUntil: null, shownAt: now });
  ticket.resolvedAt = to === 'RESOLVED' ? now : to === 'CLOSED' ? ticket.resolvedAt : null;
  ticket.closedAt = to === 'CLOSED' ? now : null;
  if (isReturn) ticket.reopenCount += 1;
  touch(ctx, ticket);
  record(ctx, em, ticket, 'STATUS_CHANGED', { from, to, reason });
  emit(em, 'tickets.ticket.status_changed', { ...named(ticket), from, to, reason });
  if (to === 'RESOLVED') emit(em, 'tickets.ticket.resolved', named(ticket));
  if (to === 'CLOSED') emit(em, 'tickets.ticket.closed', named(ticket));
  if (to === 'CANCELLED') emit(em, 'tickets.ticket.cancelled', { ...named(ticket), reason: reason ?? '' });
  if (isReturn) emit(em, 'tickets.ticket.reopened', named(ticket));
}

/** Says that a ticket has changed: once per use case. */
export function touch(ctx: Context, ticket: Ticket): void {
  ticket.version += 1;
  ticket.updatedAt = ctx.now();
}

interface EventFacts {
  from?: string | null;
  to?: string | null;
  reason?: string | null;
}

/** Adds to the ticket's history, which nothing ever changes. */
export function record(
  ctx: Context,
  em: EntityManager,
  ticket: Ticket,
  kind: TicketEventKind,
  facts: EventFacts,
): void {
  ticket.eventCount += 1;
  em.persist(eventOf(ctx, em, ticket, ticket.eventCount, kind, facts));
}

const eventOf = (
  ctx: Context,
  em: EntityManager,
  ticket: Ticket,
  seq: number,
  kind: TicketEventKind,
  facts: EventFacts = {},
): TicketEvent =>
  em.create(TicketEvent, {
    from: null,
    to: null,
    reason: null,
    ...facts,
    ticketId: ticket.id,
    seq,
    at: ctx.now(),
    kind,
    actorId: ctx.actorId,
  });

export const named = (ticket: Ticket) => ({ ticketId: ticket.id, customerId: ticket.customerId });
