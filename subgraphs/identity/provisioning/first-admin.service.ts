import { uuidv7 } from 'uuidv7';
import type { LoggedEvent } from '../../../schema/events.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { release } from '../../_kernel/quota.ts';
import { inviteToActivate } from '../accounts/invitation.service.ts';
import { Membership } from '../membership.entity.ts';
import { advance } from '../membership.rules.ts';
import { addMember } from '../membership.service.ts';
import { tell } from '../membership.steps.ts';
import { speakForAccount } from '../portal/account-portal.service.ts';
import { endSessionsOf } from '../session.service.ts';
import { User } from '../user.entity.ts';

/** The step of a provisioning run that the first administrator is. */
const STEP = 'admin';

type Asked = LoggedEvent<'tenancy.provisioning.admin_requested'>;

/**
 * Gives a new tenant its first administrator, somebody new or known by their mail, who takes a seat and speaks in the
 * platform for the tenant's account. Asked again, it answers again; asked after the run was undone, it does nothing.
 */
export function inviteFirstAdmin(ctx: Context, { payload, personal }: Asked): Promise<void> {
  const { runId } = payload;
  return ctx.tx(async (em) => {
    if (await isUndone(em, runId)) return;
    const made = await em.findOne(Membership, { runId });
    if (made) return tellInvited(em, runId, made);
    const user = await inPlatform(ctx, (platform, platformEm) => givePortal(platform, platformEm, payload, personal));
    const member = { id: uuidv7(), userId: user.id, kind: 'STAFF', roles: ['tenant_admin'], runId } as const;
    tellInvited(em, runId, await addMember(ctx, { ...member, roles: [...member.roles], isInvited: !hasCome(user) }));
  });
}

const hasCome = ({ state }: User) => state === 'ACTIVE';

function tellInvited(em: EntityManager, runId: string, { userId, id: membershipId }: Membership): void {
  emit(em, 'identity.member.invited', { runId, userId, membershipId });
}

/** Runs in the platform's own transaction, which is over before the tenant's: what it writes may be there already. */
const inPlatform = <T>(ctx: Context, run: (platform: Context, em: EntityManager) => Promise<T>): Promise<T> => {
  const platform = ctx.inTenant(PLATFORM_TENANT);
  return platform.tx((em) => run(platform, em));
};

/** Lets the person speak for the account, unless they work for the platform and need no portal of it. */
async function givePortal(
  platform: Context,
  em: EntityManager,
  { runId, customerId, userId }: Asked['payload'],
  personal: Asked['personal'],
): Promise<User> {
  const user = userId
    ? await em.findOneOrFail(User, { id: userId })
    : await inviteToActivate(platform, em, {
        ...{ realm: 'STAFF', email: String(personal?.email), displayName: String(personal?.name) },
      });
  await speakForAccount(platform, em, { userId: user.id, customerId, isInvited: !hasCome(user), runId });
  return user;
}

/** Takes the first administrator of an undone run back: their memberships, and somebody who never came altogether. */
export function withdrawFirstAdmin(ctx: Context, { runId, step }: { runId: string; step: string }): Promise<void> {
  if (step !== STEP) return Promise.resolve();
  return ctx.tx(async (em) => {
    await inPlatform(ctx, async (platform, platformEm) => {
      const portal = await platformEm.findOne(Membership, { runId });
      if (portal) await takeBack(platform, platformEm, portal);
    });
    const made = await em.findOne(Membership, { runId });
    const user = made && (await takeBack(ctx, em, made));
    if (user) await forget(ctx, em, user);
    emit(em, 'identity.membership.ended', { runId });
  });
}

/** Ends a membership; of somebody who never came nothing stays, and they are answered. */
async function takeBack(ctx: Context, em: EntityManager, member: Membership): Promise<User | null> {
  const user = await em.findOneOrFail(User, { id: member.userId });
  if (member.state === 'ENDED') return null;
  member.version += 1;
  if (member.kind === 'STAFF') await release(ctx, em, 'staff_users', 1n, member.id);
  tellGateways(em, 'grants', `membership:${member.id}`);
  if (user.state === 'INVITED') {
    em.remove(member);
    await em.flush();
    return user;
  }
  member.state = advance(member.state, 'ENDED');
  member.endedAt = ctx.now();
  await endSessionsOf(em, member.id, 'MEMBERSHIP_ENDED');
  tell(em, 'identity.membership.ended', member, 'UNDONE');
  return null;
}

/** Somebody who never came and is nothing anywhere else is forgotten. */
async function forget(ctx: Context, em: EntityManager, { id }: User): Promise<void> {
  const others = await ctx.acrossTenants((all) => all.count(Membership, { userId: id, homeId: { $ne: ctx.tenantId } }));
  if (others === 0) await em.nativeDelete(User, { id });
}

/** Events are heard in any order: a run may be undone before its request is heard. */
async function isUndone(em: EntityManager, runId: string): Promise<boolean> {
  const [undone] = await em.execute(
    `select 1 from kernel.event where name = 'tenancy.provisioning.undo_requested'
        and payload ->> 'runId' = ? and payload ->> 'step' = ? limit 1`,
    [runId, STEP],
  );
  return undone !== undefined;
}
