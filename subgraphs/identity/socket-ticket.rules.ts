import { createHash, randomBytes } from 'node:crypto';
import { Refusal } from '../../schema/errors.ts';

/** How long a ticket is good, seconds. */
const GOOD_S = 30;
/** Tickets of one session that are good at once. */
const MAX_OPEN = 10;
const SHAPE = /^isp_st_[A-Za-z0-9_-]{43}$/;

/** A new ticket: 256 random bits. */
export const drawTicket = (): string => `isp_st_${randomBytes(32).toString('base64url')}`;

/** What is kept of a ticket; undefined for a text that is none. */
export const hashOfTicket = (ticket: string): string | undefined =>
  SHAPE.test(ticket) ? createHash('sha256').update(ticket).digest('base64url') : undefined;

/**
 * How long a ticket is good, and the socket it opens: that lives as long as the session's present access token would.
 * @param accessTokenS life of an access token, seconds.
 */
export function timesOfTicket(
  session: { rotatedAt: Date; endsAt: Date },
  accessTokenS: number,
  now: Date,
): { goodUntil: Date; socketUntil: Date } {
  const tokenEnd = session.rotatedAt.getTime() + accessTokenS * 1_000;
  return {
    goodUntil: new Date(now.getTime() + GOOD_S * 1_000),
    socketUntil: new Date(Math.min(tokenEnd, session.endsAt.getTime())),
  };
}

/** Refuses LIMIT_REACHED for a session that holds enough tickets. */
export function checkOpenTickets(count: number): void {
  if (count >= MAX_OPEN)
    throw new Refusal(
      'LIMIT_REACHED',
      `A session has at most ${MAX_OPEN} tickets open. Use one, or wait half a minute.`,
    );
}
