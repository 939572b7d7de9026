import { createHash, randomBytes } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { asId, keyAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import { isRole, ROLES } from '../../../schema/permissions.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { sendMail } from '../../_kernel/mail.ts';
import { mailMark } from '../../_kernel/mail-mark.ts';
import { portalUrlOf } from '../../_kernel/portal-url.ts';
import { Tenant } from '../tenant.entity.ts';
import { Invitation } from './invitation.entity.ts';
import {
  advance,
  checkInvitation,
  type InvitationState,
  MAX_PENDING,
  MAX_SENT,
  SECRET_BYTES,
  stateAt,
  tokenOf,
  VALID_MS,
} from './invitation.rules.ts';

/** The invitations of the caller's tenant, newest first. */
export async function listInvitations(
  ctx: Context,
  state: InvitationState | null | undefined,
  page: PageArgs,
): Promise<Connection<Invitation>> {
  const em = await ctx.em();
  const after = keyAfter(page, asId);
  const now = ctx.now();
  const timeIsUp = { state: 'PENDING' as const, expiresAt: { $lte: now } };
  const inState = {
    PENDING: { state: 'PENDING' as const, expiresAt: { $gt: now } },
    EXPIRED: { $or: [{ state: 'EXPIRED' as const }, timeIsUp] },
    ACCEPTED: { state: 'ACCEPTED' as const },
    REVOKED: { state: 'REVOKED' as const },
  };
  const where = { ...(state ? inState[state] : {}), ...(after ? { id: { $lt: after } } : {}) };
  const rows = await em.find(Invitation, where, { orderBy: { id: 'desc' }, limit: page.first + 1 });
  return connect(rows, page, ({ id }) => [id]);
}

/** An invitation of the caller's tenant by id; null for an unknown one and another tenant's. */
export async function invitationById(ctx: Context, id: string): Promise<Invitation | null> {
  return isId(id) ? (await ctx.em()).findOne(Invitation, { id }) : null;
}

/**
 * Asks somebody by mail to work at the caller's tenant. Refuses INVALID as `checkInvitation`, CONFLICT for who works here
 * or was asked already, LIMIT_REACHED for the 101st that waits; throws FORBIDDEN for a role beyond the inviter's rights.
 */
export function inviteMember(ctx: Context, asked: { email: string; role: string }): Promise<Invitation> {
  const { email, role } = checkInvitation(asked, { holds: ctx.can.bind(ctx), isPlatform: ctx.isPlatform });
  return ctx.tx(async (em) => {
    await takeTurn(em);
    await expireDue(em, ctx.now());
    await checkIsNew(ctx, em, email);
    if ((await em.count(Invitation, { state: 'PENDING' })) >= MAX_PENDING)
      throw new Refusal('LIMIT_REACHED', `At most ${MAX_PENDING} invitations wait at once.`);
    const invitation = addInvitation(ctx, em, { email, role, invitedBy: ctx.actorId });
    await send(ctx, em, invitation);
    return invitation;
  });
}

/** Whoever invites in a tenant comes after whoever invites there at the same time. */
const takeTurn = (em: EntityManager) => em.execute('select from kernel.tenant_profile for update');

async function checkIsNew({ machinery }: Context, em: EntityManager, email: string): Promise<void> {
  const here = await em.execute('select 1 from kernel.staff where mail_mark = ?', [mailMark(machinery.config, email)]);
  if (here.length > 0) throw new Refusal('CONFLICT', 'They work here already.', 'email');
  if (await em.findOne(Invitation, { email, state: 'PENDING' }))
    throw new Refusal('CONFLICT', 'They have an invitation already. It can be sent again.', 'email');
}

/** Writes an invitation down, whose token nobody has yet. */
export function addInvitation(
  ctx: Context,
  em: EntityManager,
  { expiresAt, ...asked }: { email: string; role: string; invitedBy: string | null; expiresAt?: Date },
): Invitation {
  const invitation = em.create(Invitation, {
    ...asked,
    ...{ id: uuidv7(), state: 'PENDING', sentCount: 1, tokenHash: hashOfSecret(randomBytes(SECRET_BYTES)) },
    expiresAt: expiresAt ?? new Date(ctx.now().getTime() + VALID_MS),
    createdAt: ctx.now(),
  });
  em.persist(invitation);
  return invitation;
}

/** How a token's secret is kept: it is random enough to need no key. */
export const hashOfSecret = (secret: Buffer): string => createHash('sha256').update(secret).digest('base64url');

/** Gives an invitation a new token, which ends the one before, and seven days, and sends the link. */
async function send(ctx: Context, em: EntityManager, invitation: Invitation): Promise<void> {
  const secret = randomBytes(SECRET_BYTES);
  invitation.tokenHash = hashOfSecret(secret);
  invitation.expiresAt = new Date(ctx.now().getTime() + VALID_MS);
  const { id, email, role } = invitation;
  const { name } = await em.findOneOrFail(Tenant, { id: ctx.tenantId });
  const link = `${await portalUrlOf(ctx)}/invitation#${tokenOf(ctx.tenantId, id, secret)}`;
  sendMail(em, {
    to: email,
    subject: `${name.replace(/\s+/g, ' ')} invites you`,
    text: `${name} invites you to work with them as: ${isRole(role) ? ROLES[role].name : role}.\n\nTo accept, sign in with this address and open within 7 days:\n${link}\n\nIf you do not know them, ignore this mail.\n`,
  });
  emit(em, 'tenancy.invitation.sent', { invitationId: id, role });
}

/**
 * Sends an invitation again with a new token and another seven days; the link before is dead. Refuses INVALID_STATE for
 * one that waits no more, LIMIT_REACHED after ten mails, NOT_FOUND; FORBIDDEN as `inviteMember`.
 */
export function resendInvitation(ctx: Context, invitationId: string): Promise<Invitation> {
  return ctx.tx(async (em) => {
    const invitation = await lockOrRefuse(em, Invitation, invitationId, 'invitation');
    checkInvitation(invitation, { holds: ctx.can.bind(ctx), isPlatform: ctx.isPlatform });
    const state = stateAt(invitation, ctx.now());
    if (state !== 'PENDING') throw new Refusal('INVALID_STATE', `This invitation is ${state}.`, 'invitationId');
    if (invitation.sentCount >= MAX_SENT)
      throw new Refusal('LIMIT_REACHED', `An invitation is sent at most ${MAX_SENT} times.`);
    invitation.sentCount += 1;
    await send(ctx, em, invitation);
    return invitation;
  });
}

/** Takes an invitation back. Refuses INVALID_STATE for one that waits no more, NOT_FOUND. */
export function revokeInvitation(ctx: Context, invitationId: string): Promise<Invitation> {
  return ctx.tx(async (em) => {
    const invitation = await lockOrRefuse(em, Invitation, invitationId, 'invitation');
    invitation.state = advance(stateAt(invitation, ctx.now()), 'REVOKED');
    emit(em, 'tenancy.invitation.revoked', { invitationId: invitation.id, role: invitation.role });
    return invitation;
  });
}

/** Notes what the transaction's tenant has let expire. */
export async function expireDue(em: EntityManager, now: Date): Promise<void> {
  for (const invitation of await em.find(Invitation, { state: 'PENDING', expiresAt: { $lte: now } })) {
    invitation.state = advance(invitation.state, 'EXPIRED');
    emit(em, 'tenancy.invitation.expired', { invitationId: invitation.id, role: invitation.role });
  }
  await em.flush();
}

/** Notes it in every tenant that has any, each by its own clock. */
export async function expireInvitations(ctx: Context): Promise<void> {
  const homes = await ctx.acrossTenants((em) =>
    em.execute(
      `select distinct i.home_id from tenancy.invitation i join kernel.tenant_profile p on p.tenant_id = i.home_id
        where i.state = 'PENDING' and i.expires_at <= now() + make_interval(secs => p.clock_offset_seconds)`,
    ),
  );
  for (const { home_id } of homes) {
    const home = ctx.inTenant(String(home_id));
    await home.tx((em) => expireDue(em, home.now()));
  }
}
