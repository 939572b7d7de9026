import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { advancePerson } from '../accounts/account.rules.ts';
import { beginMemberships } from '../accounts/invitation.service.ts';
import { MailProof } from '../accounts/mail-proof.entity.ts';
import { readBriefly } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { linkOf, makeLink } from './link.service.ts';
import { notLinked, type Provider } from './provider.rules.ts';
import type { Visited } from './visit.service.ts';

/**
 * Makes an invited person's account theirs because a provider has verified that the invited mail is: the account there is
 * linked, the link in their mail is of no more use, and the memberships that waited for them begin. Only of staff. Refuses
 * INVALID for a mail that is not verified or not invited, and an account that is another person's.
 */
export async function activateBy(ctx: Context, visit: Visited, provider: Provider): Promise<User> {
  const { email, isEmailVerified, issuer, subject } = visit;
  if (!email || !isEmailVerified) throw notLinked();
  const invited = await readBriefly(ctx, (em) => em.findOne(User, { realm: 'STAFF', email, state: 'INVITED' }));
  if (!invited) throw notLinked();
  await ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const user = await lockOrRefuse(em, User, invited.id, 'person');
    if (user.state !== 'INVITED' || (await linkOf(em, issuer, subject))) throw notLinked();
    user.state = advancePerson(user.state, 'ACTIVE');
    user.isEmailVerified = true;
    await em.nativeDelete(MailProof, { userId: user.id, purpose: 'ACTIVATE' });
    await makeLink(em, user.id, provider, issuer, subject);
    emit(em, 'identity.user.activated', { userId: user.id });
  });
  await beginMemberships(ctx, invited.id);
  return readBriefly(ctx, (em) => em.findOneOrFail(User, { id: invited.id }));
}
