import { asInstant, placeAfter } from '../../../schema/cursor.ts';
import { ClientError, forbidden } from '../../../schema/errors.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { once } from '../../_kernel/idempotency.ts';
import { ticketById } from './loaders.ts';
import { Ticket } from './ticket.entity.ts';
import * as rules from './ticket.rules.ts';
import { findOrRefuse, move, post, writeTicket } from './ticket.steps.ts';

/** The statuses behind what a customer sees. */
const SHOWN = {
  OPEN: { $or: [{ status: { $in: ['NEW', 'OPEN'] } }, { status: 'WAITING', waitReason: { $ne: 'CUSTOMER' } }] },
  WAITING_FOR_YOU: { status: 'WAITING', waitReason: 'CUSTOMER' },
  RESOLVED: { status: 'RESOLVED' },
  CLOSED: { status: { $in: ['CLOSED', 'CANCELLED'] } },
} as const;

/** The customer who asks, or FORBIDDEN for everybody else. */
function customerOf(ctx: Context): string {
  const { customerId } = ctx.envelope;
  if (!customerId) throw forbidden('This is for customers.');
  return customerId;
}

/** The caller's own tickets, newest first. */
export async function myTickets(
  ctx: Context,
  status: rules.MyTicketStatus | null,
  page: PageArgs,
): Promise<Connection<Ticket>> {
  const customerId = customerOf(ctx);
  const place = placeAfter(page, asInstant);
  const older = place
    ? { openedAt: { $lte: place.key }, $or: [{ openedAt: { $lt: place.key } }, { id: { $lt: place.id } }] }
    : {};
  const em = await ctx.em();
  const where = { $and: [{ customerId }, status ? (SHOWN[status] as object) : {}, older] };
  const rows = await em.find(Ticket, where, { orderBy: { openedAt: 'desc', id: 'desc' }, limit: page.first + 1 });
  return connect(rows, page, (ticket) => [ticket.openedAt.toISOString(), ticket.id]);
}

/** A ticket of the caller's own; null for anybody else's. */
export async function myTicket(ctx: Context, id: string): Promise<Ticket | null> {
  const customerId = customerOf(ctx);
  const ticket = await ctx.load(ticketById, id);
  return ticket?.customerId === customerId ? ticket : null;
}

export interface MyWords {
  bodyText: string;
  idempotencyKey: string;
}

/** Opens a ticket of the caller. QUOTA_EXCEEDED, without figures, when their provider can take no more. */
export async function openMyTicket(
  ctx: Context,
  { idempotencyKey, ...typed }: MyWords & { subject: string },
): Promise<Ticket> {
  const customerId = customerOf(ctx);
  return withoutFigures(
    ctx.tx(async (em) => {
      const id = await once(ctx, em, { door: 'openMyTicket', key: idempotencyKey, request: typed }, async () => {
        const ticket = await writeTicket(ctx, em, draftOf(customerId, typed));
        await em.flush();
        return ticket.id;
      });
      return em.findOneOrFail(Ticket, { id });
    }),
  );
}

/** The caller's word in a ticket of theirs. It takes the ticket up again; after a CLOSED one it opens the next. */
export async function replyToMyTicket(
  ctx: Context,
  { idempotencyKey, ...said }: MyWords & { ticketId: string },
): Promise<Ticket> {
  const customerId = customerOf(ctx);
  return withoutFigures(
    ctx.tx(async (em) => {
      const id = await once(ctx, em, { door: 'replyToMyTicket', key: idempotencyKey, request: said }, async () => {
        const ticket = await findOrRefuse(em, said.ticketId, { customerId });
        const answered = await answer(ctx, em, ticket, customerId, said.bodyText);
        await em.flush();
        return answered.id;
      });
      return em.findOneOrFail(Ticket, { id });
    }),
  );
}

/** The caller says that it is solved, or of a RESOLVED ticket that they are content. */
export async function closeMyTicket(
  ctx: Context,
  { idempotencyKey, ...wanted }: { ticketId: string; idempotencyKey: string },
): Promise<Ticket> {
  const customerId = customerOf(ctx);
  return ctx.tx(async (em) => {
    const id = await once(ctx, em, { door: 'closeMyTicket', key: idempotencyKey, request: wanted }, async () => {
      const ticket = await findOrRefuse(em, wanted.ticketId, { customerId });
      move(ctx, em, ticket, rules.moveOfCustomer(ticket.status));
      return ticket.id;
    });
    return em.findOneOrFail(Ticket, { id });
  });
}

async function answer(
  ctx: Context,
  em: EntityManager,
  ticket: Ticket,
  customerId: string,
  bodyText: string,
): Promise<Ticket> {
  const effect = rules.effectOfMessage(ticket.status, 'CUSTOMER');
  if (effect === 'FOLLOW_UP')
    return writeTicket(ctx, em, draftOf(customerId, { subject: ticket.subject, bodyText }), ticket.id);
  post(ctx, em, ticket, { visibility: 'PUBLIC', bodyText: rules.checkBody(bodyText), channel: 'PORTAL' });
  if (effect !== 'NONE') move(ctx, em, ticket, effect);
  return ticket;
}

const draftOf = (customerId: string, { subject, bodyText }: { subject: string; bodyText: string }) =>
  rules.checkTicket({
    subject,
    bodyText,
    kind: 'QUESTION',
    priority: 'NORMAL',
    channel: 'PORTAL',
    requester: { customerId },
  });

/** A customer is not told how many tickets their provider has bought. */
async function withoutFigures<T>(run: Promise<T>): Promise<T> {
  return run.catch((error: unknown) => {
    if (!(error instanceof ClientError) || error.code !== 'QUOTA_EXCEEDED') throw error;
    throw new ClientError(
      'QUOTA_EXCEEDED',
      'No more tickets can be opened here now. Please call us or write an e-mail.',
      { key: 'tickets' },
    );
  });
}
