import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { tellGateways } from '../../_kernel/events.ts';
import { Membership } from '../membership.entity.ts';
import { closeMembership } from '../membership.service.ts';
import { lockAdmins } from '../membership.steps.ts';
import { Session } from '../session.entity.ts';
import { overByTime } from '../session.rules.ts';
import { end } from '../session.service.ts';
import { inSession } from '../standing.service.ts';
import { presentOf, readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { UNPROVED_DAYS } from './account.rules.ts';
import { deleteUnproved } from './erasure.service.ts';
import { beginMemberships } from './invitation.service.ts';
import { MailProof } from './mail-proof.entity.ts';

/** What one sweep does at most of a kind; the next goes on. */
const BATCH = 500;
const DAY_MS = 86_400_000;

/** Each minute: ends what time has ended, so that lists, logs and gateways say so too. */
export async function endWhatIsDue(ctx: Context): Promise<void> {
  await endDueSessions(ctx);
  await settleInvitations(ctx);
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    await em.nativeDelete(MailProof, { expiresAt: { $lte: (await presentOf(em)).now } });
  });
}

async function endDueSessions(ctx: Context): Promise<void> {
  const due = await readBriefly(ctx, async (em) => {
    const { now } = await presentOf(em);
    return em.find(
      Session,
      { endReason: null, idleUntil: { $lte: now } },
      { limit: BATCH, orderBy: { idleUntil: 'asc' } },
    );
  });
  for (const { id } of due)
    await inSession(ctx, id, async (em, session) => {
      const { now } = await presentOf(em);
      const reason = session.endReason ? null : overByTime(session, now);
      if (reason) end(em, session, reason, now);
    });
}

/** Invited members whose account is theirs by now begin; whoever has not come in a week is not awaited any more. */
async function settleInvitations(ctx: Context): Promise<void> {
  const waiting = await ctx.acrossTenants((em) => em.find(Membership, { state: 'INVITED' }, { limit: BATCH }));
  const people = await readBriefly(ctx, (em) => em.find(User, { id: { $in: waiting.map(({ userId }) => userId) } }));
  const active = new Set(people.filter(({ state }) => state === 'ACTIVE').map(({ id }) => id));
  for (const { id, userId, homeId } of waiting)
    if (active.has(userId)) await beginMemberships(ctx, userId);
    else await lapse(ctx.inTenant(homeId), id);
}

/** By the tenant's own clock. */
function lapse(there: Context, id: string): Promise<void> {
  return there.tx(async (em) => {
    const admins = await lockAdmins(em);
    const due = {
      id,
      state: 'INVITED',
      createdAt: { $lt: new Date(there.now().getTime() - UNPROVED_DAYS * DAY_MS) },
    } as const;
    const member = await em.findOne(Membership, due);
    if (!member) return;
    member.version += 1;
    await closeMembership(there, em, member, admins, 'EXPIRED');
    tellGateways(em, 'grants', `membership:${id}`);
  });
}

/** Each hour: forgets what is of no use any more. */
export async function prune(ctx: Context): Promise<void> {
  await deleteUnproved(ctx, BATCH);
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    await em.execute(
      `delete from identity.sign_in_bucket where coalesce(last_at, first_at) < now() - interval '24 hours'
          and coalesce(locked_until, '-infinity') < now()`,
    );
    await em.execute('select identity.prune_sign_in_records(), identity.prune_grant_feed()');
  });
}
