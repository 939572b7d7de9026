import { Refusal } from '../../../schema/errors.ts';
import { languageTag } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { tellGateways } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { Membership } from '../membership.entity.ts';
import { closeMembership } from '../membership.service.ts';
import { lockAdmins } from '../membership.steps.ts';
import { everyPlaceOf } from '../place.service.ts';
import { boundTenantOf } from '../providers/bound-session.service.ts';
import { selfOf } from '../session.service.ts';
import { User } from '../user.entity.ts';
import { checkDisplayName, normalEmail } from '../user.rules.ts';
import { giveProof } from './mail-proof.service.ts';
import { addressChange, addressTaken } from './mails.rules.ts';
import { linkTo, post } from './mails.service.ts';
import { mayMail } from './throttle.service.ts';

/**
 * Mails the link that makes an address one's own; until it is followed the present one stands. Whether the address has an
 * account already is told to its reader alone. Refuses INVALID for a malformed one, and LIMIT_REACHED for a fourth mail
 * to it within an hour.
 */
export async function changeEmail(ctx: Context, typed: string): Promise<void> {
  const { userId } = selfOf(ctx);
  const email = normalEmail(typed);
  if (!email) throw new Refusal('INVALID', 'An e-mail address looks like ada@example.com.', 'email');
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await em.findOneOrFail(User, { id: userId });
    if (user.email === email) throw new Refusal('INVALID', 'This is your present address.', 'email');
    if (!(await mayMail(ctx, em, user.realm, email)))
      throw new Refusal('LIMIT_REACHED', 'Too many mails went to this address. Please try again in an hour.', 'email');
    const holder = await em.findOne(User, { realm: user.realm, email });
    if (holder) return post(em, email, addressTaken(holder.displayName));
    const token = await giveProof(em, userId, 'CHANGE', email);
    post(em, email, addressChange(await linkTo(ctx, user.realm, 'prove-email', token)));
  });
}

export interface Profile {
  displayName?: string | null;
  locale?: string | null;
}

/** Changes what one is called and the language one reads; what is left out stays. Refuses INVALID for a malformed one. */
export function updateMyProfile(ctx: Context, { displayName, locale }: Profile): Promise<User> {
  const { userId } = selfOf(ctx);
  return ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await lockOrRefuse(em, User, userId, 'person');
    if (displayName != null) user.displayName = checkDisplayName(displayName);
    user.locale = languageTag(locale, 'locale') ?? user.locale;
    return user;
  });
}

/**
 * Ends one's own membership of a tenant. Refuses NOT_FOUND for one that is not one's own, and INVALID_STATE for the last
 * administrator.
 */
export async function leaveTenant(ctx: Context, membershipId: string): Promise<void> {
  const { userId } = selfOf(ctx);
  const boundTo = await boundTenantOf(ctx);
  const place = (await everyPlaceOf(ctx, userId)).find(({ id }) => id === membershipId);
  if (!place || (boundTo !== null && place.membership.homeId !== boundTo))
    throw new Refusal('NOT_FOUND', 'There is no such membership.', 'id');
  const there = ctx.inTenant(place.membership.homeId);
  await there.tx(async (em) => {
    const admins = await lockAdmins(em);
    const member = await lockOrRefuse(em, Membership, membershipId, 'membership', { field: 'id' });
    member.version += 1;
    await closeMembership(there, em, member, admins, 'They left.');
    tellGateways(em, 'grants', `membership:${membershipId}`);
  });
}
