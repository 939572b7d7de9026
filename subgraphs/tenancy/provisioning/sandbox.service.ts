import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import type { Tenant } from '../tenant.entity.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, inTenant, saveTenant, tenantById } from '../tenant.service.ts';
import { beginRun, inNewTenant, isSlugFree } from './provisioning.service.ts';
import type { ProvisioningRun } from './provisioning-run.entity.ts';
import { checkPlan, checkSlug, regionOf, slugTaken, type Wanted } from './request.rules.ts';

/** How long a sandbox lives at most, days. */
const LONGEST_DAYS = 14;
const DAY_MS = 86_400_000;

/**
 * Sets a sandbox up, with who asks as its administrator, for 1 to 14 days of true time. Refuses INVALID other days and
 * who is no person, and a short name as `requestTenant` does.
 */
export async function createSandbox(
  ctx: Context,
  { slug, plan, days }: { slug: string; plan: string; days: number },
): Promise<ProvisioningRun> {
  if (!Number.isInteger(days) || days < 1 || days > LONGEST_DAYS)
    throw new Refusal('INVALID', `A sandbox lives 1 to ${LONGEST_DAYS} days.`, 'days');
  const { kind, id: userId } = ctx.envelope.caller;
  if (kind !== 'USER' || !userId) throw new Refusal('INVALID', 'A sandbox is a person’s.');
  checkSlug(slug);
  if (!(await isSlugFree(ctx, slug))) throw slugTaken();
  const platform = (await tenantById(ctx, PLATFORM_TENANT)) as Tenant;
  const { country, zone, locale, currency } = platform;
  const wanted: Wanted = {
    ...{ slug, plan: checkPlan(plan), isolation: 'SHARED', region: regionOf(platform) },
    ...{ interval: 'MONTH', isTrial: true, admin: { userId } },
  };
  const profile = { slug, name: `Sandbox ${slug}`, country, zone, locale, currency };
  const sandboxEndsAt = new Date(Date.now() + days * DAY_MS);
  return inNewTenant(ctx, uuidv7(), { profile, wanted }, { kind: 'SANDBOX', sandboxEndsAt }, (home, em) =>
    beginRun(home, em, uuidv7(), wanted, null),
  );
}

/** Closes a sandbox before its time. Refuses INVALID_STATE any other tenant, and one that is closed. */
export function disposeSandbox(ctx: Context, tenantId: string): Promise<Tenant> {
  const home = inTenant(ctx, tenantId);
  return home.tx((em) => close(em, tenantId));
}

async function close(em: EntityManager, tenantId: string): Promise<Tenant> {
  const tenant = await findOrRefuse(em, tenantId);
  if (tenant.kind !== 'SANDBOX')
    throw new Refusal('INVALID_STATE', 'Only a sandbox is disposed of like this.', 'tenantId');
  tenant.state = advance(tenant.state, 'CLOSING');
  const closesAt = new Date();
  Object.assign(tenant, { closesAt, closedAt: closesAt, waivesExport: true });
  await saveTenant(em, tenant);
  emit(em, 'tenancy.tenant.closed', { closesAt: closesAt.toISOString() });
  return tenant;
}

/** Closes the sandboxes whose days are over, however far their clocks were moved. */
export async function closeSandboxes(ctx: Context): Promise<void> {
  const over = await ctx.acrossTenants((em) =>
    em.execute(
      `select id from tenancy.tenant where kind = 'SANDBOX' and state in ('ACTIVE', 'SUSPENDED')
          and sandbox_ends_at <= now() limit 500`,
    ),
  );
  for (const { id } of over) {
    const home = ctx.inTenant(String(id));
    await home.tx((em) => close(em, String(id))).finally(() => home.end());
  }
}
