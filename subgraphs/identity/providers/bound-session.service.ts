import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { Session } from '../session.entity.ts';
import { readGlobally } from '../tenant.service.ts';

/**
 * The tenant a session cannot leave, because that tenant's own provider opened it; null for any other session. Such a provider
 * speaks for its tenant alone, not for what the person is elsewhere (identity R15).
 */
export async function boundTenantOf(ctx: Context): Promise<string | null> {
  const { sessionId } = ctx.envelope;
  const session = sessionId ? await readGlobally(ctx, (em) => em.findOne(Session, { id: sessionId })) : null;
  return session && boundTo(session);
}

const boundTo = ({ methods, homeId }: Session): string | null => (methods.includes('SSO') ? homeId : null);

/** Refuses INVALID_STATE what such a session cannot do. */
export async function refuseBound(ctx: Context): Promise<void> {
  if ((await boundTenantOf(ctx)) !== null) throw bound();
}

/** The same for a session that is at hand. */
export function refuseBoundSession(session: Session): void {
  if (boundTo(session) !== null) throw bound();
}

const bound = () => new Refusal('INVALID_STATE', "A sign-in by a tenant's own provider is for that tenant alone.");
