import { LockMode } from '@mikro-orm/core';
import { Refusal, unauthenticated } from '../../schema/errors.ts';
import type { Context } from '../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../_kernel/db.ts';
import { emit, tellGateways } from '../_kernel/events.ts';
import type { HeldFactors } from './factors/challenge.rules.ts';
import { openChallenge } from './factors/challenge.service.ts';
import type { SignedIn } from './factors/first-proof.service.ts';
import { heldFactorsOf } from './factors/held-factors.service.ts';
import { everyPlaceOf, type Place } from './place.service.ts';
import { refusedByPolicy } from './policy/policy-refusal.service.ts';
import { type PolicyVerdict, policyVerdict } from './policy/sign-in-policy.rules.ts';
import { refuseBoundSession } from './providers/bound-session.service.ts';
import { noteProof, rotate } from './refresh.service.ts';
import { Session } from './session.entity.ts';
import type { MustDo, ProofMethod } from './session.rules.ts';
import { selfOf } from './session.service.ts';
import { noSeat, shutOut, usableOf } from './sign-in.rules.ts';
import { standingIn } from './standing.service.ts';
import { readBriefly } from './tenant.service.ts';
import { issueTokens, type OpenSession } from './token.service.ts';

/** What a challenge on the way has proved. */
export interface ProvedOnTheWay {
  method: ProofMethod;
  settle: (em: EntityManager) => Promise<void>;
}

/**
 * Takes one's session over to another tenant one is a member of (identity R4). Its access tokens for the former tenant
 * are refused from then on. Where that tenant's policy asks for more than the session has proved, it answers a challenge.
 * Refuses NOT_FOUND for a tenant that is none of one's own, INVALID_STATE for a suspended one, where one is frozen, a portal
 * that is closed, and where its policy does not let one in; always in a session of a tenant's own provider.
 * @param customerId which of several portal accounts there.
 */
export async function switchTenant(ctx: Context, tenantId: string, customerId: string | null): Promise<SignedIn> {
  const [asker, places] = await Promise.all([askerOf(ctx), everyPlaceOf(ctx, selfOf(ctx).userId)]);
  refuseBoundSession(asker.session);
  const theirs = places.filter(
    ({ membership }) => membership.homeId === tenantId && (customerId === null || membership.customerId === customerId),
  );
  const place = usableOf(theirs)[0];
  const shut = theirs.find(({ state }) => state === 'ACTIVE');
  if (!place && shut) throw shutOut(shut, 'tenantId');
  if (!place && theirs.some(({ state }) => state === 'FROZEN')) throw noSeat('tenantId');
  if (!place) throw noSuchTenant();
  return goTo(ctx, asker, place);
}

/** Goes on with a switch whose challenge was answered. Refuses NOT_FOUND when the membership has ended meanwhile. */
export async function finishSwitch(
  ctx: Context,
  membershipId: string | null,
  proved: ProvedOnTheWay,
): Promise<SignedIn> {
  const [asker, places] = await Promise.all([askerOf(ctx), everyPlaceOf(ctx, selfOf(ctx).userId)]);
  const place = usableOf(places).find(({ id }) => id === membershipId);
  if (!place) throw noSuchTenant();
  return goTo(ctx, asker, place, proved);
}

const noSuchTenant = () => new Refusal('NOT_FOUND', 'There is no such tenant.', 'tenantId');

/** The session that asks, and what its person could prove more with. */
interface Asker {
  session: Session;
  held: HeldFactors;
}

async function askerOf(ctx: Context): Promise<Asker> {
  const { userId, sessionId } = selfOf(ctx);
  const { session, held } = await readBriefly(ctx, async (em) => ({
    session: await em.findOne(Session, { id: sessionId, endReason: null }),
    held: await heldFactorsOf(em, userId),
  }));
  if (!session) throw unauthenticated('REVOKED');
  return { session, held };
}

async function goTo(ctx: Context, asker: Asker, place: Place, proved?: ProvedOnTheWay): Promise<SignedIn> {
  const verdict = policyFor(ctx, asker, place, proved);
  if (verdict.kind === 'REFUSED') throw await refusedByPolicy(ctx, verdict.why, selfOf(ctx).userId, proved?.settle);
  if (verdict.kind === 'PROVE') return ask(ctx, place, verdict.answers, proved);
  return { session: await issueTokens(ctx, await moveTo(ctx, place, verdict.mustDo, proved)), tenants: [] };
}

/** What the tenant says to how this session's person has proved who they are. */
function policyFor(
  ctx: Context,
  { session, held }: Asker,
  { policy, membership: { kind, roles } }: Place,
  proved?: ProvedOnTheWay,
): PolicyVerdict {
  const methods = proved ? [...session.methods, proved.method] : session.methods;
  return policyVerdict(policy, { kind, roles, methods, held, address: ctx.envelope.address });
}

async function ask(
  ctx: Context,
  { membership }: Place,
  answers: ProofMethod[],
  proved?: ProvedOnTheWay,
): Promise<SignedIn> {
  const { userId, sessionId } = selfOf(ctx);
  const challenge = await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    await proved?.settle(em);
    const { id: membershipId, homeId } = membership;
    return openChallenge(ctx, em, { purpose: 'SWITCH', userId, sessionId, methods: [], answers, membershipId, homeId });
  });
  return { session: null, challenge, tenants: [] };
}

function moveTo(ctx: Context, place: Place, mustDo: MustDo[], proved?: ProvedOnTheWay): Promise<OpenSession> {
  const self = selfOf(ctx);
  return ctx.inTenant(place.membership.homeId).tx(async (em) => {
    const standing = await standingIn(em, self.userId, place.membership.id, LockMode.PESSIMISTIC_READ);
    const { fault, realm, membership } = standing;
    if (fault || !membership) throw noSuchTenant();
    const session = await em.findOne(Session, { id: self.sessionId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!session || session.endReason) throw unauthenticated('REVOKED');
    await proved?.settle(em);
    if (proved) noteProof(session, proved.method, standing.now);
    Object.assign(session, { membershipId: membership.id, homeId: membership.homeId, mustDo });
    rotate(session, standing);
    emit(em, 'identity.session.started', {
      sessionId: session.id,
      membershipId: membership.id,
      methods: [...session.methods],
    });
    tellGateways(em, 'grants', `session:${session.id}`);
    return { session, realm, membership, slug: standing.slug, name: standing.name };
  });
}
