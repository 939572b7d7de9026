import type { Context } from '../_kernel/context.ts';
import { cancelUnpaidChange, LEFT_UNPAID } from './changes/plan-change.service.ts';
import { RENEWAL_DUE, requestRenewal } from './changes/renewal.service.ts';
import { type Due, dueTenants } from './licenses/due.service.ts';
import { refreshEntitlements } from './licenses/entitlement.service.ts';
import { licenseInForce, tenantsWithLicense } from './licenses/license.service.ts';
import { advanceLicense, MOVED_BY_TIME } from './licenses/license-change.service.ts';
import { LAPSED_UNTOLD, tellLapse } from './licenses/license-lapse.service.ts';
import { closeUsage, USE_TO_CLOSE } from './usage/usage-close.service.ts';

/** Licences whose time-made moves are written down in one sweep. */
const BATCH = 500;

/** Writes down what time alone has changed, in every tenant where it did: portals hear it, the history shows it. */
export async function advanceLicenses(ctx: Context): Promise<void> {
  await eachOf(ctx, MOVED_BY_TIME, advanceLicense);
}

/** Tells of every licence that has lapsed; that it has expired is written down first. */
export async function lapseLicenses(ctx: Context): Promise<void> {
  await eachOf(ctx, LAPSED_UNTOLD, async (own) => {
    await advanceLicense(own);
    await tellLapse(own);
  });
}

/** Asks billing for every period whose time has come. */
export async function renewLicenses(ctx: Context): Promise<void> {
  await eachOf(ctx, RENEWAL_DUE, requestRenewal);
}

/** Gives up changes that nobody paid for. */
export async function cancelUnpaidChanges(ctx: Context): Promise<void> {
  await eachOf(ctx, LEFT_UNPAID, cancelUnpaidChange);
}

/** Closes days and periods of use that are over, and tells billing what is charged. */
export async function closeAllUsage(ctx: Context): Promise<void> {
  await eachOf(ctx, USE_TO_CLOSE, closeUsage);
}

/** Runs a use case in one due tenant after the other. One tenant's failure is its own; the first is thrown when all are done. */
async function eachOf(ctx: Context, due: Due, run: (own: Context) => Promise<unknown>): Promise<void> {
  const failures: unknown[] = [];
  for (const tenantId of await dueTenants(ctx, due, BATCH))
    await run(ctx.inTenant(tenantId)).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** What is due by now for the tenant of the context alone, whose clock was moved. One without a licence has nothing due. */
export async function advanceOwnLicense(ctx: Context): Promise<void> {
  if (!(await licenseInForce(ctx))) return;
  await advanceLicense(ctx);
  await tellLapse(ctx);
  while (await requestRenewal(ctx)); // one for each period
  await cancelUnpaidChange(ctx);
  await closeUsage(ctx);
}

/** Computes every tenant's entitlements anew, so that LICENSE_TIER and FEATURE_OVERRIDE hold from the start and end with it. */
export async function refreshAllEntitlements(ctx: Context): Promise<void> {
  if (ctx.machinery.config.NODE_ENV === 'production') return; // neither is honoured there
  for (const tenantId of await tenantsWithLicense(ctx)) await refreshEntitlements(ctx.inTenant(tenantId));
}
