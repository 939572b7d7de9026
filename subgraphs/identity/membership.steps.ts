import type { EventName } from '../../schema/events.ts';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { emit } from '../_kernel/events.ts';
import { mailMark } from '../_kernel/mail-mark.ts';
import { Membership } from './membership.entity.ts';
import type { Giver } from './membership.rules.ts';
import { User } from './user.entity.ts';

/** Who gives rights to others; null for background work, which gives what its document says. */
export async function giverOf(ctx: Context, em: EntityManager): Promise<Giver | null> {
  const { caller, membershipId } = ctx.envelope;
  if (caller.kind === 'SYSTEM') return null;
  const own = membershipId === undefined ? null : await em.findOne(Membership, { id: membershipId });
  return { userId: caller.id ?? '', roles: own?.roles ?? [], holds: ctx.can.bind(ctx) };
}

/**
 * The ids of the tenant's ACTIVE administrators, whose rows stay locked. Whoever changes memberships locks these before
 * any other.
 */
export async function lockAdmins(em: EntityManager): Promise<string[]> {
  const staff = await em.execute(
    "select id, roles from identity.membership where kind = 'STAFF' and state = 'ACTIVE' and roles && '{tenant_admin,platform_admin}' order by id for update",
  );
  return staff.map((row) => String(row.id));
}

/**
 * Copies to the kernel that somebody works here, or with `isOver` that they do so no more: nobody is invited who is here.
 */
export async function copyStaff(
  { machinery }: Context,
  em: EntityManager,
  { kind, userId }: Pick<Membership, 'kind' | 'userId'>,
  { isOver = false } = {},
): Promise<void> {
  if (kind !== 'STAFF') return;
  const { email } = await em.findOneOrFail(User, { id: userId });
  if (isOver || email === null) return void (await em.execute('delete from kernel.staff where user_id = ?', [userId]));
  await em.execute(
    `insert into kernel.staff (user_id, mail_mark) values (?, ?)
     on conflict (tenant_id, user_id) do update set mail_mark = excluded.mail_mark`,
    [userId, mailMark(machinery.config, email)],
  );
}

/** The same wherever somebody works, when their mail has changed; each copy is as new as the mail while it is written. */
export async function copyStaffEverywhere(ctx: Context, userId: string): Promise<void> {
  const working = { userId, kind: 'STAFF', state: { $ne: 'ENDED' } } as const;
  const found = await ctx.acrossTenants((em) => em.find(Membership, working, { orderBy: { id: 'asc' } }));
  for (const { homeId } of found)
    await ctx.inTenant(homeId).tx(async (em) => {
      await em.execute('select from identity.user where id = ? for share', [userId]);
      const present = await em.findOne(Membership, working);
      if (present) await copyStaff(ctx, em, present);
    });
}

/** Holds the tenant's copies against the mails of who works there; a difference is mended. */
export function mendStaffCopies(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    const members = await em.find(Membership, { kind: 'STAFF', state: { $ne: 'ENDED' } }, { orderBy: { id: 'asc' } });
    const people = await em.find(User, { id: { $in: members.map(({ userId }) => userId) } });
    const mails = new Map(people.map(({ id, email }) => [id, email]));
    const rows = await em.execute('select user_id, mail_mark from kernel.staff');
    const held = new Map(rows.map((row) => [String(row.user_id), row.mail_mark]));
    for (const member of members) {
      const email = mails.get(member.userId);
      if (email && held.get(member.userId) !== mailMark(ctx.machinery.config, email)) await copyStaff(ctx, em, member);
    }
  });
}

type MembershipEvent = Extract<EventName, `identity.membership.${string}`>;

/** Tells the tenant's log what became of a membership. */
export function tell(em: EntityManager, name: MembershipEvent, member: Membership, reason?: string): void {
  const { id, userId, kind, roles, version } = member;
  emit(em, name, { membershipId: id, userId, kind, roles, version, ...(reason ? { reason } : {}) });
}
