import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { presentOf } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { checkDisplayName, normalEmail, type Realm } from '../user.rules.ts';

export interface Invited {
  realm: Realm;
  email: string;
  displayName: string;
}

/**
 * The person with a mail in a realm, in the caller's transaction: a new one is INVITED, somebody known is handed over as
 * they are. Refuses INVALID for a malformed mail or name.
 */
export async function inviteToActivate(_ctx: Context, em: EntityManager, asked: Invited): Promise<User> {
  const { realm } = asked;
  const email = normalEmail(asked.email);
  if (!email) throw new Refusal('INVALID', 'An e-mail address looks like ada@example.com.', 'email');
  const { now } = await presentOf(em);
  await em.execute(
    `insert into identity.user (id, realm, email, is_email_verified, display_name, locale, state, created_at)
     values (?, ?, ?, false, ?, 'en', 'INVITED', ?) on conflict (realm, email) do nothing`,
    [uuidv7(), realm, email, checkDisplayName(asked.displayName), now],
  );
  return em.findOneOrFail(User, { realm, email });
}
