import { LockMode } from '@mikro-orm/core';
import { uuidv7 } from 'uuidv7';
import { Refusal, unauthenticated } from '../../schema/errors.ts';
import { isId } from '../../schema/ids.ts';
import { Context } from '../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../_kernel/db.ts';
import { emit, tellGateways } from '../_kernel/events.ts';
import type { Envelope } from '../_kernel/signed-context.ts';
import type { Place } from './place.service.ts';
import { boundTenantOf } from './providers/bound-session.service.ts';
import { SsoConnection } from './providers/sso-connection.entity.ts';
import { readRefreshToken } from './refresh-token.rules.ts';
import { Session } from './session.entity.ts';
import {
  type EndReason,
  kindOf,
  MAX_SESSIONS,
  type MustDo,
  overByTime,
  type ProofMethod,
  type Transport,
  timesOf,
} from './session.rules.ts';
import { signInAgain } from './sign-in.rules.ts';
import { record } from './sign-in-record.service.ts';
import { inSession, type PresentStanding, standingIn } from './standing.service.ts';
import { presentOf, readBriefly, readGlobally } from './tenant.service.ts';
import { macKey, type OpenSession } from './token.service.ts';
import type { User } from './user.entity.ts';

/** The person who asks, also with a token without tenant. Throws UNAUTHENTICATED for everybody else. */
export function selfOf({ envelope: { caller, sessionId } }: Context): { userId: string; sessionId: string } {
  if (caller.kind !== 'USER' || !caller.id || !sessionId) throw unauthenticated();
  return { userId: caller.id, sessionId };
}

/** One's own open sessions, the one used last first; in one that cannot leave its tenant, those for that tenant. */
export async function mySessions(ctx: Context): Promise<Session[]> {
  const { userId } = selfOf(ctx);
  const boundTo = await boundTenantOf(ctx);
  return readGlobally(ctx, async (em) => {
    const { now } = await presentOf(em);
    const open = (await openSessionsOf(em, userId)).filter((session) => !overByTime(session, now));
    return open.filter(({ homeId }) => boundTo === null || homeId === boundTo);
  });
}

/** One's own session by id, open or not; null for any other. */
export async function mySession(ctx: Context, id: string): Promise<Session | null> {
  const { kind, id: userId } = ctx.envelope.caller;
  return kind === 'USER' && userId && isId(id) ? readGlobally(ctx, (em) => em.findOne(Session, { id, userId })) : null;
}

/** How a session ended; empty while it is open. */
export async function endOf(
  ctx: Context,
  sessionId: string,
): Promise<{ sessionId: string; reason: EndReason; at: Date }[]> {
  const session = await readBriefly(ctx, (em) => em.findOne(Session, { id: sessionId }));
  return session?.endedAt && session.endReason ? [{ sessionId, reason: session.endReason, at: session.endedAt }] : [];
}

const openSessionsOf = (em: EntityManager, userId: string) =>
  em.find(Session, { userId, endReason: null }, { orderBy: { lastUsedAt: 'desc', id: 'desc' } });

export interface Proof {
  user: User;
  /** How they proved who they are, in the order they did. */
  methods: readonly ProofMethod[];
  /** Whether that is a strong proof, for the doors that ask for one. */
  isStrong: boolean;
  mustDo: readonly MustDo[];
  transport: Transport;
  /** To the tenant's own provider, where that opens it. */
  connectionId?: string | null;
  /** Runs in the session's transaction: what a right proof changes beside it. */
  settle: (em: EntityManager) => Promise<void>;
}

/**
 * Opens a session for a person who has proved who they are, in the tenant of `place` or in none. Session, record and
 * event are one transaction in that tenant. The eleventh session ends the one unused longest.
 */
export async function openSession(ctx: Context, proof: Proof, place: Place | null): Promise<OpenSession> {
  const { user, methods, settle } = proof;
  const tenantId = place?.membership.homeId ?? PLATFORM_TENANT;
  // The event names who signed in, though the request came from a stranger.
  const caller = { kind: 'USER', id: user.id } as const;
  const own = new Context({ ...ctx.envelope, caller, tenantId, customerId: undefined }, ctx.machinery, ctx.reply);
  const isHere = ({ homeId }: Session) => (homeId ?? PLATFORM_TENANT) === tenantId;
  const { elsewhere, ...opened } = await own.tx(async (em) => {
    const standing = await standingIn(em, user.id, place?.membership.id ?? null);
    if (standing.fault || (await isThroughClosed(em, proof))) throw signInAgain();
    const surplus = (await openSessionsOf(em, user.id)).slice(MAX_SESSIONS - 1);
    for (const { id } of surplus.filter(isHere)) await endHere(em, id, 'TOO_MANY', standing.now);
    const session = makeSession(em, proof, standing, ctx.envelope);
    record(ctx, em, { outcome: 'OK', method: methods.at(-1) ?? 'PWD', ...placeOf(session) });
    emit(em, 'identity.session.started', {
      sessionId: session.id,
      membershipId: session.membershipId,
      methods: [...methods],
    });
    await settle(em);
    const { realm, membership, slug, name } = standing;
    return { session, realm, membership, slug, name, elsewhere: surplus.filter((one) => !isHere(one)) };
  });
  for (const { id } of elsewhere) await endOne(ctx, id, 'TOO_MANY');
  return opened;
}

/** Whether the connection it comes through was taken out of use on the way; one that is not is held until it is open. */
async function isThroughClosed(em: EntityManager, { connectionId = null }: Proof): Promise<boolean> {
  if (connectionId === null) return false;
  const inUse = { id: connectionId, state: 'ACTIVE' } as const;
  return !(await em.findOne(SsoConnection, inUse, { lockMode: LockMode.PESSIMISTIC_READ }));
}

function makeSession(
  em: EntityManager,
  { user, methods, isStrong, mustDo, transport, connectionId = null }: Proof,
  { now, realm, membership, policy }: PresentStanding,
  { address, agent }: Envelope,
): Session {
  const session = em.create(Session, {
    id: uuidv7(),
    userId: user.id,
    homeId: membership?.homeId ?? null,
    membershipId: membership?.id ?? null,
    connectionId,
    methods: [...methods],
    strongAt: isStrong ? now : null,
    mustDo: [...mustDo],
    generation: 1,
    rotatedAt: now,
    transport,
    address: address ?? null,
    agent: agent ?? null,
    lastUsedAt: now,
    endedAt: null,
    endReason: null,
    ...timesOf({ startedAt: now }, kindOf(realm, membership), membership?.roles ?? [], policy, now),
  });
  em.persist(session);
  return session;
}

/** Ends the session of whoever asks, known by its access token or, when that has run out, by its cookie. */
export async function signOut(ctx: Context): Promise<void> {
  const { caller, sessionId, refreshCookie } = ctx.envelope;
  const held = refreshCookie === undefined ? undefined : readRefreshToken(macKey(ctx), refreshCookie);
  const id = caller.kind === 'USER' ? sessionId : held?.sessionId;
  if (refreshCookie !== undefined) ctx.reply.refreshCookie = null;
  if (!id) throw unauthenticated();
  await endOne(ctx, id, 'SIGNED_OUT');
}

/** Ends another of one's own sessions. Refuses NOT_FOUND for any that is not one's own and open. */
export async function endSession(ctx: Context, id: string): Promise<void> {
  const { userId } = selfOf(ctx);
  const isSeen = (await boundTenantOf(ctx)) === null || (await mySessions(ctx)).some((one) => one.id === id);
  const isEnded = isSeen && isId(id) && (await endOne(ctx, id, 'ENDED_BY_OWNER', userId));
  if (!isEnded) throw new Refusal('NOT_FOUND', 'There is no such session.', 'id');
}

/** Ends all of one's own sessions but the one that asks. */
export async function endOtherSessions(ctx: Context): Promise<void> {
  const { sessionId } = selfOf(ctx);
  for (const { id } of await mySessions(ctx)) if (id !== sessionId) await endOne(ctx, id, 'ENDED_BY_OWNER');
}

/** Ends the open sessions of a membership, in the transaction that stops it. */
export async function endSessionsOf(em: EntityManager, membershipId: string, reason: EndReason): Promise<void> {
  const { now } = await presentOf(em);
  const open = await em.find(
    Session,
    { membershipId, endReason: null },
    { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  for (const session of open) end(em, session, reason, now);
}

async function endOne(ctx: Context, id: string, reason: EndReason, ownerId?: string): Promise<boolean> {
  const isEnded = await inSession(ctx, id, async (em, session) => {
    if (session.endReason || (ownerId !== undefined && session.userId !== ownerId)) return false;
    end(em, session, reason, (await presentOf(em)).now);
    return true;
  });
  return isEnded ?? false;
}

/** Ends a session in a transaction of the tenant it is for, unless it has ended meanwhile. */
async function endHere(em: EntityManager, id: string, reason: EndReason, now: Date): Promise<void> {
  const session = await em.findOne(Session, { id, endReason: null }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (session) end(em, session, reason, now);
}

/** Ends a locked session and tells its tenant and the gateways. */
export function end(em: EntityManager, session: Session, reason: EndReason, now: Date): void {
  session.endedAt = now;
  session.endReason = reason;
  emit(em, 'identity.session.ended', { sessionId: session.id, reason });
  tellGateways(em, 'grants', `session:${session.id}`);
}

/** What a record says of a session. */
export const placeOf = ({ userId, homeId, membershipId, id }: Session) => ({
  userId,
  homeId,
  membershipId,
  sessionId: id,
});
