import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { sendMail } from '../../_kernel/mail.ts';
import { portalUrlOf } from '../../_kernel/portal-url.ts';
import { presentOf } from '../tenant.service.ts';
import { macKey } from '../token.service.ts';
import { User } from '../user.entity.ts';
import type { Realm } from '../user.rules.ts';
import { lockTokenOf } from './account-lock.rules.ts';
import { type Letter, type Page, pageOf, type Warning, warning } from './mails.rules.ts';

/** The address of a page for the people of a realm: the portal of their provider, or of staff the platform's. */
export async function linkTo(ctx: Context, realm: Realm, page: Page, token: string): Promise<string> {
  const portal = await portalUrlOf(ctx.inTenant(realm === 'STAFF' ? PLATFORM_TENANT : realm));
  return pageOf(portal, page, token);
}

/** Sends a letter with this transaction. */
export const post = (em: EntityManager, to: string, letter: Letter): void => sendMail(em, { to, ...letter });

/** Tells somebody what happened to their account, with the link that locks it; to the address they have unless another is named. */
export async function warn(
  ctx: Context,
  em: EntityManager,
  what: Warning,
  userId: string,
  address?: string,
): Promise<void> {
  const user = await em.findOneOrFail(User, { id: userId });
  const to = address ?? user.email;
  if (!to) return;
  const { now } = await presentOf(em);
  const link = await linkTo(ctx, user.realm, 'lock-account', lockTokenOf(macKey(ctx), user, now));
  post(em, to, warning(what, user.displayName, now, link));
}
