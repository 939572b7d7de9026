import { LockMode, UniqueConstraintViolationException } from '@mikro-orm/core';
import { uuidv7 } from 'uuidv7';
import { asId, keyAfter } from '../../../schema/cursor.ts';
import { forbidden, Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { nameOf } from '../loaders.ts';
import { Membership } from '../membership.entity.ts';
import { policyOf } from '../policy/sign-in-policy.service.ts';
import { portalClosed } from '../sign-in.rules.ts';
import { presentOf, readBriefly } from '../tenant.service.ts';
import { type ActingToken, actingToken } from './acting-token.service.ts';
import { type ActingFor, Impersonation } from './impersonation.entity.ts';
import {
  type AskedTerms,
  advanceImpersonation,
  checkTerms,
  dueState,
  firstState,
  type ImpersonationEnd,
  isOpen,
  kindsFor,
  WAITING_MS,
} from './impersonation.rules.ts';
import { begin, end, tell, wakeForImpersonations } from './impersonation.steps.ts';
import { type Operator, operatorOf } from './operator.service.ts';

/** The impersonations of the caller's tenant, newest first. */
export async function listImpersonations(ctx: Context, page: PageArgs): Promise<Connection<Impersonation>> {
  const after = keyAfter(page, asId);
  const where = after ? { id: { $lt: after } } : {};
  const rows = await (await ctx.em()).find(Impersonation, where, { orderBy: { id: 'desc' }, limit: page.first + 1 });
  return connect(rows, page, ({ id }) => [id]);
}

/** One of the caller's tenant by id; null for an unknown one and another tenant's. */
export async function impersonationById(ctx: Context, id: string): Promise<Impersonation | null> {
  return isId(id) ? (await ctx.em()).findOne(Impersonation, { id }) : null;
}

/** Who acts in the name of whoever seems to ask; null when nobody does. */
export async function whoActs(ctx: Context): Promise<ActingFor | null> {
  const { actingFor } = ctx.envelope;
  const held = actingFor && (await impersonationById(ctx, actingFor.impersonation));
  if (!held) return null;
  const operatorName = (await ctx.load(nameOf, held.operatorId)) ?? '';
  return { impersonationId: held.id, operatorName, mode: held.mode, endsAt: held.endsAt };
}

export interface AskedImpersonation extends AskedTerms {
  userId: string;
  tenantId?: string | null;
  customerId?: string | null;
}

/** An impersonation with its token, once it is LIVE. */
export type Started = { impersonation: Impersonation } & ActingToken;

const NO_TOKEN: ActingToken = { accessToken: null, expiresAt: null };

/**
 * Asks to see a tenant as one of its people does (identity R17). It begins at once or waits for the tenant's approval;
 * asked again for the same person and mode it answers the same one, with its token once it was approved.
 * Refuses INVALID as `checkTerms`, NOT_FOUND for who is no member there, INVALID_STATE while another one of the operator
 * is open or the person's portal is closed; throws FORBIDDEN for people of the platform and where the tenant's policy is NEVER.
 */
export async function startImpersonation(ctx: Context, asked: AskedImpersonation): Promise<Started> {
  const operator = operatorOf(ctx);
  const terms = checkTerms(asked, operator.kind);
  const homeId = homeOf(ctx, operator, asked.tenantId);
  const member = await targetOf(ctx, operator, homeId, asked);
  const held = await openOneOf(ctx, operator.userId);
  if (held?.membershipId === member.id && held.mode === terms.mode) return pickUp(ctx, operator, held);
  if (held) throw oneAtATime();
  const home = ctx.inTenant(homeId);
  const made = await home
    .tx(async (em) => {
      const { now, tenantState, isPortalOpen } = await presentOf(em);
      if (tenantState !== 'ACTIVE') throw new Refusal('INVALID_STATE', 'This tenant is not active.', 'tenantId');
      if (member.kind === 'PORTAL' && !isPortalOpen) throw portalClosed('userId');
      const state = firstState(operator.kind, terms.mode, (await policyOf(em)).supportAccess);
      const impersonation = em.create(Impersonation, {
        ...terms,
        id: uuidv7(),
        ...{ operatorId: operator.userId, operatorMembershipId: operator.membershipId },
        ...{ operatorSessionId: operator.sessionId, userId: member.userId, membershipId: member.id },
        ...{ state: 'WAITING', requestedAt: now, endsAt: new Date(now.getTime() + WAITING_MS) },
        ...{ approvedBy: null, endReason: null, startedAt: null, endedAt: null },
      });
      em.persist(impersonation);
      if (state === 'LIVE') begin(em, impersonation, now);
      else tell(em, 'requested', impersonation);
      await wakeForImpersonations(home, em);
      return impersonation;
    })
    .catch((error: unknown) => {
      throw error instanceof UniqueConstraintViolationException ? oneAtATime() : error;
    });
  return answer(ctx, made, member);
}

const oneAtATime = () => new Refusal('INVALID_STATE', 'You have another one open. End it first.');

/** The tenant it is about. An ISP's staff ask in their own; the platform's people are nobody's to impersonate. */
function homeOf(ctx: Context, { kind }: Operator, tenantId: string | null | undefined): string {
  if (kind === 'PLATFORM' && (tenantId ?? PLATFORM_TENANT) === PLATFORM_TENANT)
    throw forbidden('Nobody acts in the name of people of the platform.');
  const homeId = tenantId ?? ctx.tenantId;
  if (!isId(homeId) || (kind === 'ISP' && homeId !== ctx.tenantId)) throw noSuchPerson();
  return homeId;
}

const noSuchPerson = () => new Refusal('NOT_FOUND', 'There is no such person.', 'userId');

async function targetOf(
  ctx: Context,
  { userId: operatorId, kind }: Operator,
  homeId: string,
  { userId, customerId }: AskedImpersonation,
): Promise<Membership> {
  if (!isId(userId) || (customerId != null && !isId(customerId))) throw noSuchPerson();
  if (userId === operatorId) throw forbidden('Nobody acts in their own name.');
  const where = { userId, state: 'ACTIVE', homeId: { $in: [homeId, PLATFORM_TENANT] } } as const;
  const all = await ctx.acrossTenants((em) => em.find(Membership, where, { orderBy: { id: 'asc' } }));
  const [member, another] = all.filter(
    (one) =>
      one.homeId === homeId &&
      kindsFor(kind).includes(one.kind) &&
      (customerId == null || one.customerId === customerId),
  );
  if (!member) throw noSuchPerson();
  if (all.some((one) => one.homeId === PLATFORM_TENANT && one.kind === 'STAFF'))
    throw forbidden('Nobody acts in the name of people of the platform.');
  if (another) throw new Refusal('INVALID', 'They speak for several customers. Name one.', 'customerId');
  return member;
}

/** The one an operator has open over all tenants. One that time has passed is ended first. */
async function openOneOf(ctx: Context, operatorId: string): Promise<Impersonation | null> {
  const open = { operatorId, state: { $in: ['WAITING' as const, 'LIVE' as const] } };
  const held = await ctx.acrossTenants((em) => em.findOne(Impersonation, open));
  if (!held) return null;
  const { now } = await readBriefly(ctx, presentOf);
  if (!dueState(held.state, held.endsAt, now)) return held;
  await tendImpersonations(ctx.inTenant(held.homeId));
  return null;
}

/** Takes an approved one over into the session that asks, which it then ends with. */
function pickUp(ctx: Context, { sessionId, membershipId }: Operator, { id, homeId }: Impersonation): Promise<Started> {
  return ctx.inTenant(homeId).tx(async (em) => {
    const held = await lockOrRefuse(em, Impersonation, id, 'impersonation', { field: 'userId' });
    held.operatorSessionId = sessionId;
    held.operatorMembershipId = membershipId;
    return answer(ctx, held, await em.findOneOrFail(Membership, { id: held.membershipId }));
  });
}

async function answer(ctx: Context, impersonation: Impersonation, member: Membership): Promise<Started> {
  const token = impersonation.state === 'LIVE' ? await actingToken(ctx, impersonation, member) : NO_TOKEN;
  return { impersonation, ...token };
}

/** Lets one that waits begin. Throws FORBIDDEN for one's own; refuses INVALID_STATE for one that does not wait. */
export function approveImpersonation(ctx: Context, id: string): Promise<Impersonation> {
  return decide(ctx, id, (em, held, now) => {
    held.state = advanceImpersonation(held.state, 'LIVE');
    held.approvedBy = ctx.actorId;
    begin(em, held, now);
  });
}

/** Keeps support out. Refuses INVALID_STATE for one that does not wait. */
export function refuseImpersonation(ctx: Context, id: string): Promise<Impersonation> {
  return decide(ctx, id, (em, held, now) => end(em, held, 'REFUSED', now));
}

type Decision = (em: EntityManager, held: Impersonation, now: Date) => void;

function decide(ctx: Context, id: string, carryOut: Decision): Promise<Impersonation> {
  return ctx.tx(async (em) => {
    const held = await lockOrRefuse(em, Impersonation, id, 'impersonation', { field: 'id' });
    if (held.operatorId === ctx.actorId) throw forbidden('Nobody decides on their own request.');
    const { now } = await presentOf(em);
    if (held.state !== 'WAITING' || dueState(held.state, held.endsAt, now))
      throw new Refusal('INVALID_STATE', 'This request does not wait any more.', 'id');
    carryOut(em, held, now);
    await wakeForImpersonations(ctx, em);
    return held;
  });
}

/** Ends one before its time: the operator theirs, the tenant any in it. Refuses NOT_FOUND for everybody else's. */
export async function endImpersonation(ctx: Context, id: string): Promise<void> {
  const operatorId = ctx.actorId;
  const none = () => new Refusal('NOT_FOUND', 'There is no such impersonation.', 'id');
  if (!isId(id) || ctx.envelope.caller.kind !== 'USER') throw none();
  const held = await ctx.acrossTenants((em) => em.findOne(Impersonation, { id }));
  const isOwn = held?.operatorId === operatorId;
  const isOurs = held?.homeId === ctx.tenantId && ctx.can('identity.impersonation.approve');
  if (!held || !(isOwn || isOurs)) throw none();
  const isEnded = await endIn(ctx.inTenant(held.homeId), { id }, isOwn ? 'BY_OPERATOR' : 'BY_TENANT');
  if (!isEnded) throw new Refusal('INVALID_STATE', 'This one is over.', 'id');
}

async function endIn(home: Context, where: object, why: ImpersonationEnd): Promise<boolean> {
  return home.tx(async (em) => {
    const { now } = await presentOf(em);
    const open = (await lockedOf(em, where)).filter(({ state }) => isOpen(state));
    for (const held of open) end(em, held, why, now);
    return open.length > 0;
  });
}

/** An operator's session has ended, and with it what they did in another person's name. */
export async function endImpersonationsOf(ctx: Context, sessionId: string): Promise<void> {
  const where = { operatorSessionId: sessionId, state: 'LIVE' as const };
  for (const { homeId } of await ctx.acrossTenants((em) => em.find(Impersonation, where)))
    await endIn(ctx.inTenant(homeId), where, 'OPERATOR_GONE');
}

/** Ends what time has passed in this tenant, and wakes for the next. */
export function tendImpersonations(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    const { now } = await presentOf(em);
    for (const held of await lockedOf(em, { state: { $in: ['WAITING', 'LIVE'] } })) {
      const due = dueState(held.state, held.endsAt, now);
      if (due) end(em, held, due === 'LAPSED' ? due : 'EXPIRED', now);
    }
    await wakeForImpersonations(ctx, em);
  });
}

const lockedOf = (em: EntityManager, where: object) =>
  em.find(Impersonation, where, { orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE });
