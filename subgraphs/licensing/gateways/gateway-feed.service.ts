import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { readFeed } from '../../_kernel/events.ts';
import { confirmFeed } from '../../_kernel/propagation.ts';
import { offersOf } from '../catalogue/offer.rules.ts';
import { addOnLimitsOf, featuresOf, planLimitsOf } from '../catalogue/plan.rules.ts';
import { catalogue } from '../catalogue/plan.service.ts';
import type { LicenseFeedPage, LicenseView } from './gateway-feed.entity.ts';

/** What gateways hold of the named tenants' licences; a tenant without one is left out. */
export function licenseViews(ctx: Context, tenantIds: string[]): Promise<LicenseView[]> {
  return ctx.acrossTenants((em) => readViews(em, tenantIds));
}

/** The licences that changed after a place in the gateways' feed, as they are now. */
export function licenseFeed(ctx: Context, afterSeq: number, first: number): Promise<LicenseFeedPage> {
  return ctx.acrossTenants(async (em) => {
    const { head, rows } = await readFeed(em, 'licenses', afterSeq, first);
    const told = [...new Set(rows.map((row) => row.subject))];
    const views = await readViews(em, told);
    const gone = told.filter((tenantId) => !views.some((view) => view.tenantId === tenantId));
    return { head: rows.length === first ? (rows.at(-1)?.seq ?? head) : head, views, gone };
  });
}

/** Notes that a gateway holds every licence change up to a place in the feed. */
export async function confirmLicenses(ctx: Context, nodeId: string, seq: number): Promise<boolean> {
  await confirmFeed(ctx, 'licenses', nodeId, seq);
  return true;
}

/** What would open shut doors, as JSON: for the gateway's answers FEATURE_NOT_LICENSED and QUOTA_EXCEEDED. */
export async function offers(ctx: Context): Promise<string> {
  const { plans, versions, addOns, addOnVersions } = await catalogue(ctx);
  const listed = plans.flatMap((plan) => {
    const version = plan.isListed ? versions.get(plan.id) : undefined;
    if (!version) return [];
    const [features, limits] = [featuresOf(version.features), planLimitsOf(version.limits)];
    return [{ code: plan.code, priceMinor: version.priceMinor, features, limits }];
  });
  const shelf = addOns.flatMap((addOn) => {
    const version = addOnVersions.get(addOn.id);
    if (!version) return [];
    const [features, limits] = [featuresOf(version.features), addOnLimitsOf(version.limits)];
    return [{ code: addOn.code, priceMinor: version.priceMinor, features, limits }];
  });
  return JSON.stringify(offersOf(listed, shelf));
}

async function readViews(em: EntityManager, tenantIds: string[]): Promise<LicenseView[]> {
  const rows = await em.execute(
    `select licensed_tenant_id, license_id, version, plan, course, limits from licensing.licensed_tenant
      where licensed_tenant_id = any(?::uuid[])`,
    [`{${tenantIds.filter(isId).join(',')}}`],
  );
  return rows.map((row) => ({
    tenantId: row.licensed_tenant_id,
    licenseId: row.license_id,
    version: row.version,
    plan: row.plan,
    course: JSON.stringify(row.course),
    limits: JSON.stringify(row.limits),
  }));
}
