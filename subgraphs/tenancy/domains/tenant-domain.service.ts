import { randomBytes } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { redirectEndOf } from '../branding/branding.rules.ts';
import { Tenant } from '../tenant.entity.ts';
import { platformHost } from './platform-name.service.ts';
import { type HostOwner, TenantDomain } from './tenant-domain.entity.ts';
import { advance, hostOf, MAX_CUSTOM, nextPendingCheck, PROVE_MS, recordOf, TAKING } from './tenant-domain.rules.ts';

/** The names of a tenant and its claims, oldest first; of another than the caller's for the control plane alone. */
export function domainsOf(ctx: Context, tenantId: string): Promise<TenantDomain[]> {
  const read = (em: EntityManager) =>
    em.find(TenantDomain, { homeId: tenantId, state: { $ne: 'RELEASED' } }, { orderBy: { id: 'asc' } });
  return tenantId === ctx.tenantId ? ctx.em().then(read) : ctx.acrossTenants(read);
}

/** A domain of the caller's tenant by id; null for an unknown one and another tenant's. */
export async function domainById(ctx: Context, id: string): Promise<TenantDomain | null> {
  return isId(id) ? (await ctx.em()).findOne(TenantDomain, { id }) : null;
}

/**
 * Claims a host for the caller's tenant; its DNS has 72 hours to prove it. Whether somebody else holds it is not said.
 * Refuses INVALID for what nobody can own, CONFLICT for one's own, LIMIT_REACHED for the 11th.
 */
export function addDomain(
  ctx: Context,
  asked: { host: string; method: 'DNS_TXT' | 'DNS_CNAME' },
): Promise<TenantDomain> {
  const { PLATFORM_DOMAIN, PUBLIC_URL } = ctx.machinery.config;
  const host = hostOf(asked.host, [PLATFORM_DOMAIN, new URL(PUBLIC_URL).hostname]);
  return ctx.tx(async (em) => {
    await em.execute('select from kernel.tenant_profile for update'); // one claim after the other
    const mine = await em.find(TenantDomain, { kind: 'CUSTOM', state: { $in: [...TAKING] } });
    if (mine.some((domain) => domain.host === host))
      throw new Refusal('CONFLICT', 'This domain is here already.', 'host');
    if (mine.length >= MAX_CUSTOM) throw new Refusal('LIMIT_REACHED', `A tenant has at most ${MAX_CUSTOM} domains.`);
    const { slug } = await em.findOneOrFail(Tenant, { id: ctx.tenantId });
    const challenge = randomBytes(32).toString('base64url');
    const now = ctx.now();
    const domain = em.create(TenantDomain, {
      ...{ id: uuidv7(), host, kind: 'CUSTOM', method: asked.method, state: 'PENDING', createdAt: now },
      ...recordOf(host, asked.method, platformHost(ctx, slug), challenge),
      expiresAt: new Date(now.getTime() + PROVE_MS),
      nextCheckAt: nextPendingCheck(now, 0, now),
    });
    em.persist(domain);
    return domain;
  });
}

/** Makes a name the one links lead to. Refuses INVALID_STATE for one that is not ACTIVE, NOT_FOUND. */
export function setPrimaryDomain(ctx: Context, domainId: string): Promise<TenantDomain> {
  return ctx.tx(async (em) => {
    const domain = await lockOrRefuse(em, TenantDomain, domainId, 'domain');
    if (domain.state !== 'ACTIVE') throw new Refusal('INVALID_STATE', 'This domain is not active.', 'domainId');
    await em.execute('update tenancy.tenant_domain set is_primary = false where is_primary and id <> ?', [domain.id]);
    domain.isPrimary = true;
    return domain;
  });
}

/** Gives a name back; who proves it next may have it. Refuses INVALID_STATE for the platform's own, NOT_FOUND. */
export function removeDomain(ctx: Context, domainId: string): Promise<TenantDomain> {
  return ctx.tx(async (em) => {
    const domain = await lockOrRefuse(em, TenantDomain, domainId, 'domain');
    if (domain.kind !== 'CUSTOM')
      throw new Refusal('INVALID_STATE', 'The name below the platform’s domain stays.', 'domainId');
    domain.state = advance(domain.state, 'RELEASED');
    release(em, domain);
    return domain;
  });
}

/** What goes with a name that is given back. */
export function release(em: EntityManager, domain: TenantDomain): void {
  Object.assign(domain, { isPrimary: false, certificate: 'NONE', certificateEndsAt: null, nextCheckAt: null });
  emit(em, 'tenancy.domain.released', { host: domain.host });
  tellGateways(em, 'hosts', domain.host);
}

/** Whose hosts these are, for gateways, and where one leads on to whose white label has ended; nobody's are left out. */
export function hostOwners(ctx: Context, hosts: string[]): Promise<HostOwner[]> {
  return ctx.acrossTenants(async (em) => {
    const rows: { host: string; home_id: string; slug: string; ended_at: Date | string | null }[] = await em.execute(
      `select d.host, d.home_id, t.slug, b.white_label_ended_at as ended_at
         from tenancy.tenant_domain d join tenancy.tenant t on t.id = d.home_id
         left join tenancy.branding b on b.id = d.home_id and d.kind = 'CUSTOM' and d.state = 'ACTIVE'
        where d.host in (select jsonb_array_elements_text(?::jsonb)) and d.state in ('VERIFIED', 'ACTIVE')`,
      [JSON.stringify(hosts)],
    );
    return rows.map(({ host, home_id: tenantId, slug, ended_at: endedAt }) => ({
      ...{ host, tenantId },
      ...(endedAt
        ? { redirectTo: `https://${platformHost(ctx, slug)}`, redirectUntil: redirectEndOf(new Date(endedAt)) }
        : {}),
    }));
  });
}

/** Gives claims and lost names the time again that passed since `stoodStillAt`: nobody looked at them meanwhile. */
export async function lengthenChecks(em: EntityManager, stoodStillAt: Date): Promise<void> {
  await em.execute(
    'update tenancy.tenant_domain set expires_at = expires_at + (now() - ?::timestamptz) where expires_at > ?',
    [stoodStillAt, stoodStillAt],
  );
}

/** Tells gateways that what the domains of the transaction's tenant lead to has changed. */
export async function tellHosts(em: EntityManager): Promise<void> {
  const held = await em.find(TenantDomain, { kind: 'CUSTOM', state: 'ACTIVE' });
  for (const { host } of held) tellGateways(em, 'hosts', host);
}
