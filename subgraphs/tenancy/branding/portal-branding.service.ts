import { domainToASCII } from 'node:url';
import { isId } from '../../../schema/ids.ts';
import { type Context, systemContext } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { mayUse } from '../../_kernel/gate.ts';
import { platformHost } from '../domains/platform-name.service.ts';
import { TenantDomain } from '../domains/tenant-domain.entity.ts';
import { Tenant } from '../tenant.entity.ts';
import { BrandImage, type PortalBranding, StoredBranding } from './branding.entity.ts';
import { isRedirected } from './branding.rules.ts';
import { brandingOf } from './branding.service.ts';

/** What a portal shows under a host: its tenant's looks, or the platform's own where it is nobody's. */
export async function brandingForHost(ctx: Context, asked: string): Promise<PortalBranding> {
  const host = domainToASCII(asked.trim().slice(0, 300).replace(/:\d+$/, '').replace(/\.$/, '')).toLowerCase();
  const { tenantId, isCustom } = await tenantAt(ctx, host);
  const home = await systemContext(ctx.machinery, tenantId);
  try {
    const { whiteLabel, version: _version, ...branding } = await brandingOf(home);
    const em = await home.em();
    const { slug } = await em.findOneOrFail(Tenant, { id: tenantId });
    const isShown = mayUse(home, 'white_label', false);
    const row = isCustom && !isShown ? await em.findOne(StoredBranding, { id: tenantId }) : null;
    const redirectTo = isRedirected(row?.whiteLabelEndedAt, home.now()) ? `https://${platformHost(home, slug)}` : null;
    return { ...branding, slug, hidePoweredBy: false, ...(isShown ? whiteLabel : BARE), redirectTo };
  } finally {
    await home.end();
  }
}

/** What a portal shows of a white label that is not licensed. */
const BARE = {
  favicon: null,
  font: null,
  secondaryColor: null,
  accentColor: null,
  backgroundColor: null,
  textColor: null,
};

/** Whose portal is at a host: by a domain of its own, or by its name below the platform's domain. */
function tenantAt(ctx: Context, host: string): Promise<{ tenantId: string; isCustom: boolean }> {
  const { PLATFORM_DOMAIN } = ctx.machinery.config;
  const [, slug] = host.endsWith(`.${PLATFORM_DOMAIN}`) ? [0, host.slice(0, -PLATFORM_DOMAIN.length - 1)] : [];
  return ctx.acrossTenants(async (em) => {
    if (slug) {
      const tenant = await em.findOne(Tenant, { slug, state: { $ne: 'PURGED' } });
      return { tenantId: tenant?.id ?? PLATFORM_TENANT, isCustom: false };
    }
    const domain = host ? await em.findOne(TenantDomain, { host, state: 'ACTIVE' }) : null;
    return { tenantId: domain?.homeId ?? PLATFORM_TENANT, isCustom: domain !== null };
  });
}

/** The content of a picture in base64, for gateways; null where there is none. */
export async function brandImage(ctx: Context, tenantId: string, name: string): Promise<string | null> {
  if (!isId(tenantId)) return null;
  const image = await (await ctx.inTenant(tenantId).em()).findOne(BrandImage, { id: name });
  return image && Buffer.from(image.content).toString('base64');
}
