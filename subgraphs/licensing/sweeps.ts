import type { Context } from '../_kernel/context.ts';
import { refreshEntitlements } from './licenses/entitlement.service.ts';
import { ownLicense, tenantsWithLicense } from './licenses/license.service.ts';
import { advanceLicense, tenantsToAdvance } from './licenses/license-change.service.ts';

/** Licences whose time-made moves are written down in one sweep. */
const BATCH = 500;

/** Writes down what time alone has changed, in every tenant where it did: portals hear it, the history shows it. */
export async function advanceLicenses(ctx: Context): Promise<void> {
  for (const tenantId of await tenantsToAdvance(ctx, BATCH)) await advanceLicense(ctx.inTenant(tenantId));
}

/** The same for the tenant of the context alone, whose clock was moved; one without a licence has nothing to advance. */
export async function advanceOwnLicense(ctx: Context): Promise<void> {
  if (await ownLicense(ctx)) await advanceLicense(ctx);
}

/** Computes every tenant's entitlements anew, so that LICENSE_TIER and FEATURE_OVERRIDE hold from the start and end with it. */
export async function refreshAllEntitlements(ctx: Context): Promise<void> {
  if (ctx.machinery.config.NODE_ENV === 'production') return; // neither is honoured there
  for (const tenantId of await tenantsWithLicense(ctx)) await refreshEntitlements(ctx.inTenant(tenantId));
}
