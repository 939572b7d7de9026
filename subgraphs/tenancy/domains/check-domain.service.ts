import { LockMode } from '@mikro-orm/core';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { dnsOf } from '../../_kernel/dns.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { certificatesOf } from './certificates.ts';
import { TenantDomain } from './tenant-domain.entity.ts';
import { advance, afterCheck, certificateAt, TAKING } from './tenant-domain.rules.ts';
import { release } from './tenant-domain.service.ts';

const TAKEN = '23505';
/** Domains one sweep looks at; the rest wait for the next minute. */
const PER_SWEEP = 200;

/** Looks at once whether a name of the caller's tenant is proved, and served. Refuses INVALID_STATE for one that is over. */
export async function checkDomain(ctx: Context, domainId: string): Promise<TenantDomain> {
  const domain = isId(domainId) ? await (await ctx.em()).findOne(TenantDomain, { id: domainId }) : null;
  if (!domain) throw new Refusal('NOT_FOUND', 'There is no such domain.', 'domainId');
  if (domain.kind !== 'CUSTOM' || !TAKING.includes(domain.state))
    throw new Refusal('INVALID_STATE', 'There is nothing to check.', 'domainId');
  return look(ctx, domain, false);
}

/** Looks at every custom domain whose time has come, each tenant's by its own clock; at none while it is suspended. */
export async function checkDueDomains(ctx: Context): Promise<void> {
  const due = await ctx.acrossTenants((em) =>
    em.execute(
      `select d.id, d.home_id from tenancy.tenant_domain d join kernel.tenant_profile p on p.tenant_id = d.home_id
        where p.state <> 'SUSPENDED' and d.next_check_at <= now() + make_interval(secs => p.clock_offset_seconds) order by d.next_check_at limit ${PER_SWEEP}`,
    ),
  );
  for (const { id, home_id } of due) {
    const home = ctx.inTenant(String(home_id));
    const domain = await (await home.em()).findOne(TenantDomain, { id: String(id) });
    if (domain)
      await look(home, domain, true).catch((error: Error) =>
        ctx.log.warn({ err: error, domainId: id }, 'a domain could not be checked; trying again'),
      );
  }
}

/** What the world says of a domain. Nobody's transaction waits for name servers. */
async function look(ctx: Context, seen: TenantDomain, isScheduled: boolean): Promise<TenantDomain> {
  const { config } = ctx.machinery;
  const { method, recordName, recordValue, host } = seen;
  const records = await dnsOf(config).seen(method === 'DNS_CNAME' ? 'CNAME' : 'TXT', String(recordName));
  const shows = records.includes(String(recordValue));
  const isFree = shows && !(await isAnothers(ctx, seen));
  const certificateEndsAt = isFree ? await certificatesOf(config).endOf(host) : null;
  try {
    return await note(ctx, seen.id, isFree, certificateEndsAt, isScheduled);
  } catch (error) {
    if ((error as { code?: string }).code !== TAKEN) throw error;
    return note(ctx, seen.id, false, null, isScheduled); // somebody proved it in the same moment
  }
}

const isAnothers = (ctx: Context, { host, homeId }: TenantDomain): Promise<boolean> =>
  ctx.acrossTenants(
    async (em) =>
      (await em.count(TenantDomain, { host, homeId: { $ne: homeId }, state: { $in: ['VERIFIED', 'ACTIVE'] } })) > 0,
  );

function note(
  ctx: Context,
  id: string,
  isProved: boolean,
  certificateEndsAt: Date | null,
  isScheduled: boolean,
): Promise<TenantDomain> {
  return ctx.tx(async (em) => {
    const domain = await em.findOneOrFail(TenantDomain, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!TAKING.includes(domain.state)) return domain; // it was removed meanwhile
    const before = domain.state;
    const now = ctx.now();
    Object.assign(domain, afterCheck(domain, isProved, now, isScheduled));
    if (before !== 'VERIFIED' && domain.state === 'VERIFIED') tell(em, domain, 'tenancy.domain.verified');
    if (isProved && ['VERIFIED', 'ACTIVE'].includes(domain.state)) serve(em, domain, certificateEndsAt, now);
    if (domain.state === 'LOST' && before !== 'LOST') {
      domain.isPrimary = false;
      tell(em, domain, 'tenancy.domain.lost');
    }
    if (domain.state === 'RELEASED') release(em, domain);
    await em.flush();
    return domain;
  });
}

/** A proved name is active once it is served with a certificate of its own. */
function serve(em: EntityManager, domain: TenantDomain, certificateEndsAt: Date | null, now: Date): void {
  domain.certificateEndsAt = certificateEndsAt;
  domain.certificate = certificateAt(certificateEndsAt, now);
  if (domain.state !== 'VERIFIED' || !certificateEndsAt) return;
  domain.state = advance(domain.state, 'ACTIVE');
  tell(em, domain, 'tenancy.domain.activated');
}

function tell(
  em: EntityManager,
  { host }: TenantDomain,
  name: 'tenancy.domain.verified' | 'tenancy.domain.activated' | 'tenancy.domain.lost',
): void {
  emit(em, name, { host });
  tellGateways(em, 'hosts', host);
}
