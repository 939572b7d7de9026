import { unauthenticated } from '../../schema/errors.ts';
import { ACCESS_TOKEN_S } from '../_kernel/access-token.ts';
import type { Context } from '../_kernel/context.ts';
import { PLATFORM_TENANT } from '../_kernel/db.ts';
import { overByTime } from './session.rules.ts';
import { selfOf } from './session.service.ts';
import { SocketTicket } from './socket-ticket.entity.ts';
import { checkOpenTickets, drawTicket, hashOfTicket, timesOfTicket } from './socket-ticket.rules.ts';
import { inSession } from './standing.service.ts';
import { presentOf } from './tenant.service.ts';

/** Makes a ticket for one socket of one's own session. Refuses LIMIT_REACHED when too many are open. */
export async function createSocketTicket(ctx: Context): Promise<{ ticket: string; expiresAt: Date }> {
  const made = await inSession(ctx, selfOf(ctx).sessionId, async (em, session) => {
    const { now } = await presentOf(em);
    if (session.endReason || overByTime(session, now)) throw unauthenticated('REVOKED');
    await em.nativeDelete(SocketTicket, { goodUntil: { $lte: now } });
    checkOpenTickets(await em.count(SocketTicket, { sessionId: session.id }));
    const ticket = drawTicket();
    const { goodUntil, socketUntil } = timesOfTicket(session, ACCESS_TOKEN_S, now);
    const { id: sessionId, membershipId } = session;
    const hash = String(hashOfTicket(ticket));
    em.persist(em.create(SocketTicket, { hash, sessionId, membershipId, goodUntil, socketUntil }));
    return { ticket, expiresAt: goodUntil };
  });
  if (!made) throw unauthenticated('REVOKED');
  return made;
}

/** Uses a ticket up, once over all gateways; null for one that is unknown, used or too old. */
export async function redeemSocketTicket(
  ctx: Context,
  ticket: string,
): Promise<{ sessionId: string; membershipId: string | null; expiresAt: Date } | null> {
  const hash = hashOfTicket(ticket);
  if (!hash) return null;
  return ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const [row] = await em.execute(
      'delete from identity.socket_ticket where hash = ? and good_until > clock_timestamp() returning session_id, membership_id, socket_until',
      [hash],
    );
    return row
      ? { sessionId: row.session_id, membershipId: row.membership_id, expiresAt: new Date(row.socket_until) }
      : null;
  });
}
