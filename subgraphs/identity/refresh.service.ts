import { LockMode } from '@mikro-orm/core';
import { Refusal, unauthenticated } from '../../schema/errors.ts';
import type { Context, Machinery } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { emit, tellGateways } from '../_kernel/events.ts';
import { warn } from './accounts/mails.service.ts';
import { everyPlaceOf, type Place } from './place.service.ts';
import { readRefreshToken } from './refresh-token.rules.ts';
import { Session, type SessionTokens } from './session.entity.ts';
import { kindOf, overByTime, refreshVerdict, timesOf } from './session.rules.ts';
import { end, type Proof, placeOf, selfOf } from './session.service.ts';
import { noSeat, signInAgain, usableOf } from './sign-in.rules.ts';
import { record } from './sign-in-record.service.ts';
import { inSession, standingIn } from './standing.service.ts';
import { issueTokens, macKey, type OpenSession } from './token.service.ts';

/**
 * Exchanges a refresh token for the next tokens of its session (identity R8). Person, membership and tenant are looked
 * at again; where one of them no longer holds, or the token was used before, the session ends.
 * Refuses with INVALID, the same whatever was wrong.
 */
export async function refreshSession(ctx: Context, token: string | undefined): Promise<SessionTokens> {
  const open = token === undefined ? null : await exchange(ctx, token);
  if (open) return issueTokens(ctx, open);
  if (ctx.envelope.refreshCookie) ctx.reply.refreshCookie = null;
  throw signInAgain();
}

const running = new WeakMap<Machinery, Map<string, Promise<OpenSession | null>>>();

/** Requests that bring the same token together share one exchange, as they would share its answer. */
function exchange(ctx: Context, token: string): Promise<OpenSession | null> {
  const here = running.get(ctx.machinery) ?? new Map<string, Promise<OpenSession | null>>();
  running.set(ctx.machinery, here);
  const known = here.get(token);
  if (known) return known;
  const claimed = readRefreshToken(macKey(ctx), token);
  if (!claimed) return Promise.resolve(null);
  const { sessionId, generation } = claimed;
  const begun = inSession(ctx, sessionId, (em, session) => refresh(ctx, em, session, generation));
  here.set(token, begun);
  return begun.finally(() => here.delete(token));
}

async function refresh(
  ctx: Context,
  em: EntityManager,
  session: Session,
  generation: number,
): Promise<OpenSession | null> {
  if (session.endReason) return null;
  const { fault, now, realm, membership, slug } = await standingIn(em, session.userId, session.membershipId);
  const verdict = refreshVerdict(generation, session, now);
  const reason = overByTime(session, now) ?? (verdict === 'REUSED' ? verdict : fault);
  if (reason === 'REUSED') {
    record(ctx, em, { outcome: 'REUSED', method: 'REFRESH', ...placeOf(session) });
    await warn(ctx, em, 'REUSED', session.userId);
  }
  if (reason) end(em, session, reason, now);
  if (reason || verdict === 'UNKNOWN') return null;
  if (verdict === 'ROTATE') rotate(session, { realm, membership }, now);
  return { session, realm, membership, slug };
}

/** Gives a session its next tokens; those before are good for the grace of a refresh and no more. */
export function rotate(
  session: Session,
  { realm, membership }: Pick<OpenSession, 'realm' | 'membership'>,
  now: Date,
): void {
  session.generation += 1;
  session.rotatedAt = now;
  session.lastUsedAt = now;
  Object.assign(session, timesOf(session, kindOf(realm, membership), membership?.roles ?? [], now));
}

/**
 * Takes one's session over to another tenant one is a member of (identity R4). Its access tokens for the former tenant
 * are refused from then on. Refuses NOT_FOUND for a tenant that is none of one's own, INVALID_STATE for a suspended one and
 * where one is frozen.
 * @param customerId which of several portal accounts there.
 */
export async function switchTenant(ctx: Context, tenantId: string, customerId: string | null): Promise<SessionTokens> {
  const { userId, sessionId } = selfOf(ctx);
  const places = await everyPlaceOf(ctx, userId);
  const theirs = places.filter(
    ({ membership }) => membership.homeId === tenantId && (customerId === null || membership.customerId === customerId),
  );
  const place = usableOf(theirs)[0];
  if (!place && theirs.some(({ state }) => state === 'ACTIVE'))
    throw new Refusal('INVALID_STATE', 'This tenant is suspended.', 'tenantId');
  if (!place && theirs.some(({ state }) => state === 'FROZEN')) throw noSeat('tenantId');
  if (!place) throw noSuchTenant();
  return issueTokens(ctx, await moveTo(ctx, { userId, sessionId }, place));
}

const noSuchTenant = () => new Refusal('NOT_FOUND', 'There is no such tenant.', 'tenantId');

function moveTo(ctx: Context, self: { userId: string; sessionId: string }, place: Place): Promise<OpenSession> {
  return ctx.inTenant(place.membership.homeId).tx(async (em) => {
    const { fault, now, realm, membership } = await standingIn(
      em,
      self.userId,
      place.membership.id,
      LockMode.PESSIMISTIC_READ,
    );
    if (fault || !membership) throw noSuchTenant();
    const session = await em.findOne(Session, { id: self.sessionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!session || session.endReason) throw unauthenticated('REVOKED');
    Object.assign(session, { membershipId: membership.id, homeId: membership.homeId });
    rotate(session, { realm, membership }, now);
    emit(em, 'identity.session.started', { sessionId: session.id, membershipId: membership.id });
    tellGateways(em, 'grants', `session:${session.id}`);
    return { session, realm, membership, slug: place.slug };
  });
}

/** Notes a fresh strong proof on one's session and gives tokens that say so. */
export async function renewProof(ctx: Context, settle: Proof['settle']): Promise<SessionTokens> {
  const { sessionId } = selfOf(ctx);
  const open = await inSession(ctx, sessionId, async (em, session) => {
    const { fault, now, realm, membership, slug } = await standingIn(em, session.userId, session.membershipId);
    if (session.endReason || fault) return null;
    session.strongAt = now;
    rotate(session, { realm, membership }, now);
    tellGateways(em, 'grants', `session:${session.id}`);
    record(ctx, em, { outcome: 'OK', method: 'PWD', ...placeOf(session) });
    await settle(em);
    return { session, realm, membership, slug };
  });
  if (!open) throw unauthenticated('REVOKED');
  return issueTokens(ctx, open);
}
