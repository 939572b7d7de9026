import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { BrandImage, StoredBranding } from './branding/branding.entity.ts';
import { BrandingResolver } from './branding/branding.resolver.ts';
import { checkDueDomains } from './domains/check-domain.service.ts';
import { TenantDomain } from './domains/tenant-domain.entity.ts';
import { TenantDomainResolver } from './domains/tenant-domain.resolver.ts';
import { domainById } from './domains/tenant-domain.service.ts';
import { Invitation } from './invitations/invitation.entity.ts';
import { InvitationResolver } from './invitations/invitation.resolver.ts';
import { expireInvitations, invitationById } from './invitations/invitation.service.ts';
import { allTenants, ownTenants } from './loaders.ts';
import { seed } from './seed.ts';
import { SettingsRevision, StoredSection } from './settings/settings.entity.ts';
import { SettingsResolver } from './settings/settings.resolver.ts';
import { subscribers } from './subscribers.ts';
import { Tenant } from './tenant.entity.ts';
import { TenantResolver } from './tenant.resolver.ts';

export const tenancy: SubgraphDefinition = {
  name: 'tenancy',
  resolvers: [TenantResolver, SettingsResolver, InvitationResolver, TenantDomainResolver, BrandingResolver],
  entities: [Tenant, StoredSection, SettingsRevision, Invitation, TenantDomain, StoredBranding, BrandImage],
  references: {
    // Other subgraphs point at the caller's own tenant; only the control plane may point at another.
    Tenant: async (ctx, { id, slug }) => {
      const own = await ctx.load(ownTenants, ctx.tenantId);
      if (own && (own.id === id || own.slug === slug)) return own;
      return id && ctx.can('tenancy.fleet.read') ? ctx.load(allTenants, id) : null;
    },
    Invitation: (ctx, { id }) => (ctx.can('tenancy.invitation.manage') ? invitationById(ctx, id) : null),
    TenantDomain: (ctx, { id }) => domainById(ctx, id),
  },
  isControlPlane: true,
  subscribers,
  crons: {
    checkDueDomains: { pattern: '* * * * *', run: checkDueDomains },
    expireInvitations: { pattern: '* * * * *', run: expireInvitations },
  },
  seed,
};
