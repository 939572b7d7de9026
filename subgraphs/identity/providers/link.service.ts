import { uuidv7 } from 'uuidv7';
import { Refusal, unauthenticated } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { Credential } from '../credential.entity.ts';
import { lockFactors } from '../factors/change-factors.service.ts';
import { Passkey } from '../factors/passkey.entity.ts';
import { selfOf } from '../session.service.ts';
import { inSession } from '../standing.service.ts';
import { presentOf, readGlobally } from '../tenant.service.ts';
import { boundTenantOf, refuseBound } from './bound-session.service.ts';
import { LinkedIdentity } from './linked-identity.entity.ts';
import { linkNoMore, type Provider } from './provider.rules.ts';
import { wayOf } from './provider.service.ts';
import { takeVisit } from './visit.service.ts';

export const linkOf = (em: EntityManager, issuer: string, subject: string): Promise<LinkedIdentity | null> =>
  em.findOne(LinkedIdentity, { issuer, subject });

/** Accounts one person may have linked. */
const MAX_LINKS = 10;

/** The accounts one has linked; none in a session of a tenant's own provider. */
export async function myIdentities(ctx: Context): Promise<LinkedIdentity[]> {
  const { userId } = selfOf(ctx);
  if ((await boundTenantOf(ctx)) !== null) return [];
  return readGlobally(ctx, (em) => em.find(LinkedIdentity, { userId }, { orderBy: { id: 'asc' } }));
}

/** Writes a link down, and tells. Whoever was faster has made the same one. */
export async function makeLink(
  em: EntityManager,
  userId: string,
  provider: Provider,
  issuer: string,
  subject: string,
): Promise<void> {
  const { now } = await presentOf(em);
  const made = await em.execute(
    `insert into identity.linked_identity (id, user_id, provider, issuer, subject, linked_at) values (?, ?, ?, ?, ?, ?)
     on conflict (issuer, subject) do nothing returning id`,
    [uuidv7(), userId, provider, issuer, subject, now],
  );
  if (made.length > 0) emit(em, 'identity.identity.linked', { userId, provider });
}

/**
 * Links the account somebody came back with to the person who is signed in. Refuses INVALID for a code that is no longer good
 * or was begun in another session, CONFLICT for an account that is another person's, LIMIT_REACHED for too many.
 */
export async function linkIdentity(ctx: Context, code: string, verifier: string): Promise<void> {
  await refuseBound(ctx);
  const { sessionId, userId } = selfOf(ctx);
  const visit = await takeVisit(ctx, code, verifier, 'LINK');
  const way = await wayOf(ctx, visit.connection);
  if (visit.sessionId !== sessionId || !way || way.sso) throw linkNoMore();
  const { issuer, subject } = visit;
  await inOwnSession(ctx, async (em) => {
    const held = await linkOf(em, issuer, subject);
    if (held && held.userId !== userId)
      throw new Refusal('CONFLICT', 'This account is linked to another person.', 'code');
    if (held) held.provider = way.provider;
    else if ((await em.count(LinkedIdentity, { userId })) >= MAX_LINKS)
      throw new Refusal('LIMIT_REACHED', `One links at most ${MAX_LINKS} accounts.`, 'code');
    else await makeLink(em, userId, way.provider, issuer, subject);
  });
}

/** Takes a link away. Refuses NOT_FOUND for one that is not one's own, INVALID_STATE for the last way to sign in. */
export async function unlinkIdentity(ctx: Context, id: string): Promise<void> {
  await refuseBound(ctx);
  const { userId } = selfOf(ctx);
  await inOwnSession(ctx, async (em) => {
    const link = isId(id) ? await em.findOne(LinkedIdentity, { id, userId }) : null;
    if (!link) throw new Refusal('NOT_FOUND', 'There is no such account.', 'id');
    const others =
      (await em.count(LinkedIdentity, { userId, id: { $ne: id } })) +
      (await em.count(Passkey, { userId })) +
      (await em.count(Credential, { userId }));
    if (others === 0) throw new Refusal('INVALID_STATE', 'You would have no way left to sign in.', 'id');
    em.remove(link);
    emit(em, 'identity.identity.unlinked', { userId, provider: link.provider });
  });
}

async function inOwnSession(ctx: Context, run: (em: EntityManager) => Promise<void>): Promise<void> {
  const { sessionId, userId } = selfOf(ctx);
  const isOpen = await inSession(ctx, sessionId, async (em, session) => {
    if (session.endReason) return false;
    await lockFactors(em, userId);
    await run(em);
    return true;
  });
  if (!isOpen) throw unauthenticated('REVOKED');
}
