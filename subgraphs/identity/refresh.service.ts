import { unauthenticated } from '../../schema/errors.ts';
import type { Context, Machinery } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { tellGateways } from '../_kernel/events.ts';
import { warn } from './accounts/mails.service.ts';
import { type PolicyVerdict, policyVerdict } from './policy/sign-in-policy.rules.ts';
import { besideOf, countedProofs } from './providers/required-sso.service.ts';
import { readRefreshToken } from './refresh-token.rules.ts';
import { Session, type SessionTokens } from './session.entity.ts';
import { kindOf, type MustDo, overByTime, type ProofMethod, refreshVerdict, timesOf } from './session.rules.ts';
import { end, placeOf, selfOf } from './session.service.ts';
import { signInAgain } from './sign-in.rules.ts';
import { record } from './sign-in-record.service.ts';
import { inSession, type PresentStanding, standingIn } from './standing.service.ts';
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
  const standing = await standingIn(em, session.userId, session.membershipId);
  const { fault, now, realm, membership, slug, name } = standing;
  const verdict = refreshVerdict(generation, session, now);
  const policy = await policyFor(ctx, em, session, standing);
  const misses = policy.kind === 'MET' ? null : 'POLICY';
  const reason = overByTime(session, now) ?? (verdict === 'REUSED' ? verdict : (fault ?? misses));
  if (reason === 'REUSED' || reason === 'POLICY')
    record(ctx, em, { outcome: reason, method: 'REFRESH', ...placeOf(session) });
  if (reason === 'REUSED') await warn(ctx, em, 'REUSED', session.userId);
  if (reason) end(em, session, reason, now);
  if (reason || verdict === 'UNKNOWN') return null;
  if (verdict === 'ROTATE') {
    rotate(session, standing);
    if (policy.kind === 'MET') demand(em, session, policy.mustDo);
  }
  return { session, realm, membership, slug, name };
}

/** Gives a session its next tokens; those before are good for the grace of a refresh and no more. */
export function rotate(session: Session, { realm, membership, policy, now }: PresentStanding): void {
  session.generation += 1;
  session.rotatedAt = now;
  session.lastUsedAt = now;
  Object.assign(session, timesOf(session, kindOf(realm, membership), membership?.roles ?? [], policy, now));
}

/** Looks once more at what the tenant's policy asks of an open session, and tells the gateways what came of it. */
export async function review(ctx: Context, em: EntityManager, session: Session): Promise<void> {
  const standing = await standingIn(em, session.userId, session.membershipId);
  const verdict = await policyFor(ctx, em, session, standing);
  if (verdict.kind === 'MET') session.mustDo = verdict.mustDo;
  tellGateways(em, 'grants', `session:${session.id}`);
}

/** Says what must be done first, and tells the gateways when that is another thing than before. */
function demand(em: EntityManager, session: Session, mustDo: readonly MustDo[]): void {
  if (session.mustDo.join() !== mustDo.join()) tellGateways(em, 'grants', `session:${session.id}`);
  session.mustDo = [...mustDo];
}

/** What the tenant's policy says to a session as it stands; it asks nothing while no tenant is chosen. */
async function policyFor(
  ctx: Context,
  em: EntityManager,
  { methods }: Session,
  { user, membership, policy }: PresentStanding,
): Promise<PolicyVerdict> {
  if (!membership) return { kind: 'MET', mustDo: [] };
  const { kind, roles } = membership;
  const beside = await besideOf(em, user);
  const counted = countedProofs(user, beside, methods);
  return policyVerdict(policy, { kind, roles, methods: counted, held: beside.held, address: ctx.envelope.address });
}

/**
 * Notes a fresh strong proof on one's session and gives tokens that say so.
 * @param method how it was given; a session knows all its proofs.
 */
export async function renewProof(
  ctx: Context,
  method: ProofMethod,
  settle: (em: EntityManager) => Promise<void>,
): Promise<SessionTokens> {
  const { sessionId } = selfOf(ctx);
  const open = await inSession(ctx, sessionId, async (em, session) => {
    const standing = await standingIn(em, session.userId, session.membershipId);
    const { fault, realm, membership, slug, name } = standing;
    if (session.endReason || fault) return null;
    await settle(em);
    noteProof(session, method, standing.now);
    rotate(session, standing);
    tellGateways(em, 'grants', `session:${session.id}`);
    record(ctx, em, { outcome: 'OK', method, ...placeOf(session) });
    return { session, realm, membership, slug, name };
  });
  if (!open) throw unauthenticated('REVOKED');
  return issueTokens(ctx, open);
}

/** A strong proof in a session that is open. */
export function noteProof(session: Session, method: ProofMethod, now: Date): void {
  session.strongAt = now;
  if (!session.methods.includes(method)) session.methods = [...session.methods, method];
}
