import { createHmac } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { dnsOf } from '../../_kernel/dns.ts';
import { presentOf, profilesOf, readBriefly } from '../tenant.service.ts';
import { macKey } from '../token.service.ts';
import { EmailDomain } from './email-domain.entity.ts';
import {
  checkDomain,
  type DomainStanding,
  MAX_DOMAINS,
  notProved,
  recordName,
  recordValue,
  standingAfter,
} from './email-domain.rules.ts';
import { turnOff } from './sso-connection.steps.ts';

/** The domains the caller's tenant claims, in the order it did. */
export async function emailDomains(ctx: Context): Promise<EmailDomain[]> {
  const em = await ctx.em();
  return em.find(EmailDomain, { homeId: ctx.tenantId }, { orderBy: { id: 'asc' } });
}

/**
 * Claims a domain: from then on a TXT record can prove it. Claiming it again answers the same claim; several tenants may
 * claim one, and one may have proved it. Refuses INVALID for what is no domain, LIMIT_REACHED for too many.
 */
export function claimEmailDomain(ctx: Context, typed: string): Promise<EmailDomain> {
  const domain = checkDomain(typed);
  return ctx.tx(async (em) => {
    await lockDomains(em);
    const all = await em.find(EmailDomain, { homeId: ctx.tenantId });
    const held = all.find((one) => one.domain === domain);
    if (held) return held;
    if (all.length >= MAX_DOMAINS)
      throw new Refusal('LIMIT_REACHED', `A tenant claims at most ${MAX_DOMAINS} domains.`, 'domain');
    const token = createHmac('sha256', macKey(ctx))
      .update(`email domain|${ctx.tenantId}|${domain}`)
      .digest('base64url');
    const claim = em.create(EmailDomain, {
      ...{ id: uuidv7(), homeId: ctx.tenantId, domain, token, state: 'PENDING', failures: 0 },
      ...{ checkedAt: null, connectionId: null, isOffered: false, isRequired: false, emergencyIds: [] },
      createdAt: (await presentOf(em)).now,
    });
    em.persist(claim);
    return claim;
  });
}

/** Claims and connections of one tenant change one after the other. */
export async function lockDomains(em: EntityManager): Promise<void> {
  await em.execute("select pg_advisory_xact_lock(hashtextextended('sso|' || kernel.tenant_id(), 0))");
}

/**
 * Looks now whether the TXT record of a claimed domain stands. Refuses NOT_FOUND for a domain that is none of one's own and
 * CONFLICT "This domain is not proved." where it does not stand, or another tenant has proved it.
 */
export async function checkEmailDomain(ctx: Context, id: string): Promise<EmailDomain> {
  const em = await ctx.em();
  const claimed = isId(id) ? await em.findOne(EmailDomain, { id, homeId: ctx.tenantId }) : null;
  if (!claimed) throw new Refusal('NOT_FOUND', 'There is no such domain.', 'id');
  const isFound = await stands(ctx, claimed);
  const checked = await ctx.tx((tx) => applyCheck(tx, claimed, isFound, (held) => standingNow(held, isFound)));
  if (!isFound || checked.state !== 'PROVED') throw notProved('id');
  return checked;
}

/** Somebody who looks is told; only the days count against a domain. */
const standingNow = (held: EmailDomain, isFound: boolean): DomainStanding =>
  isFound ? standingAfter(held, true) : { state: held.state, failures: held.failures };

/** Once a day every domain that was proved is looked up again, but those of suspended tenants: theirs are as they were. */
export async function checkEmailDomains(ctx: Context): Promise<void> {
  const known = await readBriefly(ctx, (em) => em.find(EmailDomain, { state: { $ne: 'PENDING' } }));
  const profiles = await ctx.acrossTenants((em) =>
    profilesOf(
      em,
      known.map(({ homeId }) => homeId),
    ),
  );
  for (const domain of known) {
    if (profiles.get(domain.homeId)?.state === 'SUSPENDED') continue;
    const isFound = await stands(ctx, domain);
    await ctx
      .inTenant(domain.homeId)
      .tx((em) => applyCheck(em, domain, isFound, (held) => standingAfter(held, isFound)));
  }
}

async function stands(ctx: Context, { domain, token }: EmailDomain): Promise<boolean> {
  const seen = await dnsOf(ctx.machinery.config)
    .seen('TXT', recordName(domain))
    .catch((): string[] => []);
  return seen.includes(recordValue(token));
}

async function applyCheck(
  em: EntityManager,
  { id, domain }: EmailDomain,
  isFound: boolean,
  standing: (held: EmailDomain) => DomainStanding,
): Promise<EmailDomain> {
  await lockDomains(em);
  await em.execute("select pg_advisory_xact_lock(hashtextextended('email domain|' || ?::text, 0))", [domain]);
  const held = await em.findOneOrFail(EmailDomain, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
  const was = held.state;
  const isOthers = isFound && (await em.count(EmailDomain, { domain, state: 'PROVED', id: { $ne: id } })) > 0;
  Object.assign(held, isOthers ? {} : standing(held), { checkedAt: (await presentOf(em)).now });
  if (was === 'PROVED' && held.state === 'LOST' && held.connectionId)
    await turnOff(em, held.connectionId, 'DOMAIN_LOST');
  return held;
}
