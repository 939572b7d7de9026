import { uuidv7 } from 'uuidv7';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, tellGateways } from '../../_kernel/events.ts';
import { TenantDomain } from './tenant-domain.entity.ts';

/** The host every tenant has below the platform's domain. */
export const platformHost = ({ machinery }: Context, slug: string): string =>
  `${slug}.${machinery.config.PLATFORM_DOMAIN}`;

/** Notes the tenant's name below the platform's domain as its own; once. */
export async function addPlatformName(em: EntityManager, ctx: Context, slug: string): Promise<void> {
  const host = platformHost(ctx, slug);
  const held = await em.findOne(TenantDomain, { kind: 'PLATFORM_SUBDOMAIN' });
  if (held?.host === host) return;
  if (held) held.host = host;
  else
    em.persist(
      em.create(TenantDomain, {
        ...{ id: uuidv7(), host, kind: 'PLATFORM_SUBDOMAIN', state: 'ACTIVE', createdAt: ctx.now() },
      }),
    );
  emit(em, 'tenancy.domain.activated', { host });
  tellGateways(em, 'hosts', host);
}

/** Takes that name from the tenant again. */
export async function removePlatformName(em: EntityManager): Promise<void> {
  const held = await em.findOne(TenantDomain, { kind: 'PLATFORM_SUBDOMAIN' });
  if (!held) return;
  em.remove(held);
  emit(em, 'tenancy.domain.released', { host: held.host });
  tellGateways(em, 'hosts', held.host);
}
