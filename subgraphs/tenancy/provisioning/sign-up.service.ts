import { createHash, randomBytes } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { text } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { sendMail } from '../../_kernel/mail.ts';
import { portalUrlOf } from '../../_kernel/portal-url.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, saveTenant } from '../tenant.service.ts';
import { countByAddress, countByMail } from './asked-count.service.ts';
import { hashOfTicket } from './progress.service.ts';
import { beginRun, inNewTenant, isSlugFree } from './provisioning.service.ts';
import { ProvisioningRun } from './provisioning-run.entity.ts';
import { checkRequest, isSlug, releasedSlug, slugTaken, type TenantRequest, type Wanted } from './request.rules.ts';
import { SignUp } from './sign-up.entity.ts';

/** How long a mail may be proved, milliseconds. */
const PROOF_MS = 86_400_000;
const BY_ADDRESS = { what: 'signUp', most: 5, withinS: 3_600 };
const BY_MAIL = { what: 'signUp', most: 3, withinS: 86_400 };
const SLUG_BY_ADDRESS = { what: 'slug', most: 30, withinS: 60 };

/** Whether a short name can be had, for whoever asks: 30 times a minute from one address. */
export async function slugAvailable(ctx: Context, slug: string): Promise<boolean> {
  await countByAddress(ctx, SLUG_BY_ADDRESS);
  return isSlug(slug) && isSlugFree(ctx, slug);
}

export interface Asked extends TenantRequest {
  termsVersion: string;
}

/**
 * Reserves a tenant for somebody who has to prove their mail within 24 hours. What it answers says nothing of whether the
 * mail is known. Throws RATE_LIMITED after 5 within an hour from one address, 3 a day for one mail; refuses as
 * `requestTenant` does.
 */
export async function signUp(ctx: Context, asked: Asked): Promise<Date> {
  await countByAddress(ctx, BY_ADDRESS);
  const checked = checkRequest({ ...asked, isTrial: true });
  const termsVersion = text(asked.termsVersion, 40, 'termsVersion', { name: 'A version of the terms' });
  const { contactEmail: email } = checked.profile;
  await countByMail(ctx, BY_MAIL, email);
  if (!(await isSlugFree(ctx, checked.profile.slug))) throw slugTaken();
  return inNewTenant(ctx, uuidv7(), checked, { kind: 'PRODUCTION' }, async (home, em) => {
    const token = randomBytes(32).toString('base64url');
    const expiresAt = new Date(home.now().getTime() + PROOF_MS);
    em.persist(
      em.create(SignUp, {
        ...{ id: uuidv7(), tokenHash: hashOf(token), wanted: checked.wanted, termsVersion, expiresAt },
        ...{ state: 'PENDING', createdAt: home.now() },
      }),
    );
    const link = `${await portalUrlOf(home)}/confirm-sign-up#${token}`;
    const { name } = checked.profile;
    sendMail(em, { to: email, subject: `Confirm ${name}`, text: mailText(name, link) });
    return expiresAt;
  });
}

const mailText = (name: string, link: string) =>
  `Somebody, hopefully you, asked for a place for ${name}. It is set up once you open this link within 24 hours:

${link}

If it was not you, there is nothing to do.`;

/**
 * Takes a mail as proved and begins to set the tenant up. Answers the run and a ticket to follow it with, the same ones
 * when it is asked again. Refuses INVALID a token that is unknown, or older than 24 hours.
 */
export async function confirmSignUp(ctx: Context, token: string): Promise<{ run: ProvisioningRun; ticket: string }> {
  await countByAddress(ctx, { ...BY_ADDRESS, what: 'confirmSignUp', most: 20 });
  const found = await ctx.acrossTenants((em) => em.findOne(SignUp, { tokenHash: hashOf(token) }));
  if (!found) throw noLonger();
  const home = ctx.inTenant(found.homeId);
  const ticket = ticketOf(token);
  return home.tx(async (em) => {
    const held = await em.findOneOrFail(SignUp, { id: found.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (held.state === 'LAPSED' || held.expiresAt <= home.now()) throw noLonger();
    const known = await em.findOne(ProvisioningRun, { id: held.id });
    if (known) return { run: known, ticket };
    const run = await beginRun(home, em, held.id, held.wanted as Wanted, hashOfTicket(ticket));
    Object.assign(held, { state: 'CONFIRMED', wanted: null });
    return { run, ticket };
  });
}

const noLonger = () => new Refusal('INVALID', 'This link no longer works.', 'token');
const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');
/** Whoever holds the token gets the same ticket, and the ticket tells nobody the token. */
const ticketOf = (token: string) => createHash('sha256').update(`ticket|${token}`).digest('base64url');

/** Lets sign-ups lapse whose mail was not proved in time, and gives back the short names of what never came to be. */
export async function lapseSignUps(ctx: Context): Promise<void> {
  const over = await ctx.acrossTenants((em) =>
    em.execute(
      `select home_id as home from tenancy.sign_up where state = 'PENDING' and expires_at <= now()
       union
       select t.id from tenancy.tenant t join tenancy.provisioning_run r on r.home_id = t.id
        where t.state = 'FAILED' and t.slug not like 'released-%'
        group by t.id having max(r.moved_at) < now() - interval '7 days' limit 500`,
    ),
  );
  for (const { home } of over) {
    const tenant = ctx.inTenant(String(home));
    await tenant.tx((em) => release(tenant, em)).finally(() => tenant.end());
  }
}

async function release(home: Context, em: Parameters<typeof findOrRefuse>[0]): Promise<void> {
  const tenant = await findOrRefuse(em, home.tenantId);
  for (const held of await em.find(SignUp, { state: 'PENDING' }))
    Object.assign(held, { state: 'LAPSED', wanted: null });
  if (tenant.state === 'REQUESTED') tenant.state = advance(tenant.state, 'FAILED');
  if (tenant.state !== 'FAILED') return;
  tenant.slug = releasedSlug(tenant.id);
  await saveTenant(em, tenant);
}
