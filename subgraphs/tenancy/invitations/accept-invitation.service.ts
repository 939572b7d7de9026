import { timingSafeEqual } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import { forbidden, Refusal, unauthenticated } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { mailMark } from '../../_kernel/mail-mark.ts';
import { consume } from '../../_kernel/quota.ts';
import { Tenant } from '../tenant.entity.ts';
import { Invitation, type InvitationPreview } from './invitation.entity.ts';
import { advance, readToken, stateAt } from './invitation.rules.ts';
import { hashOfSecret } from './invitation.service.ts';

/** What the holder of a link may see; null for one that is not good any more. */
export async function previewOf(ctx: Context, token: string): Promise<InvitationPreview | null> {
  const said = readToken(token);
  if (!said) return null;
  const home = ctx.inTenant(said.tenantId);
  const em = await home.em();
  const invitation = await em.findOne(Invitation, { id: said.id });
  if (!invitation || !isGood(invitation, said.secret, home.now())) return null;
  const tenant = await em.findOne(Tenant, { id: said.tenantId });
  return tenant && { tenantName: tenant.name, role: invitation.role };
}

/**
 * Takes the caller in where they were invited, with a seat of that tenant's plan; identity makes the membership, under
 * the invitation's id. Refuses NOT_FOUND for a link that is not good, INVALID_STATE while the tenant takes nobody in,
 * CONFLICT for who works there; throws FORBIDDEN for who has not proved the invited mail, QUOTA_EXCEEDED over the plan.
 */
export async function acceptInvitation(ctx: Context, token: string): Promise<Invitation> {
  const { caller, provedMail } = ctx.envelope;
  if (caller.kind !== 'USER' || !caller.id) throw unauthenticated();
  const userId = caller.id;
  const said = readToken(token);
  if (!said) throw noSuchInvitation();
  const home = ctx.inTenant(said.tenantId);
  return home.tx(async (em) => {
    const invitation = await em.findOne(Invitation, { id: said.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!invitation || !isGood(invitation, said.secret, home.now())) throw noSuchInvitation();
    if (provedMail !== mailMark(ctx.machinery.config, invitation.email))
      throw forbidden('This invitation is for another e-mail address.');
    await checkOpen(em, said.tenantId, userId);
    await consume(home, em, 'staff_users', 1n, invitation.id);
    invitation.state = advance(invitation.state, 'ACCEPTED');
    invitation.acceptedBy = userId;
    const { id: invitationId, role } = invitation;
    emit(em, 'tenancy.invitation.accepted', { invitationId, role, userId });
    return invitation;
  });
}

async function checkOpen(em: EntityManager, tenantId: string, userId: string): Promise<void> {
  const tenant = await em.findOneOrFail(Tenant, { id: tenantId });
  if (tenant.state !== 'ACTIVE') throw new Refusal('INVALID_STATE', 'They take nobody in at present.', 'token');
  const here = await em.execute('select 1 from kernel.staff where user_id = ?', [userId]);
  if (here.length > 0) throw new Refusal('CONFLICT', 'You work here already.', 'token');
}

function isGood(invitation: Invitation, secret: Buffer, now: Date): boolean {
  const [kept, given] = [Buffer.from(invitation.tokenHash), Buffer.from(hashOfSecret(secret))];
  return kept.length === given.length && timingSafeEqual(kept, given) && stateAt(invitation, now) === 'PENDING';
}

const noSuchInvitation = () => new Refusal('NOT_FOUND', 'This invitation is not good any more.', 'token');
