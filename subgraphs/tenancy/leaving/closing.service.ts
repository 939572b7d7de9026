import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { emit } from '../../_kernel/events.ts';
import type { Tenant } from '../tenant.entity.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, inTenant, saveTenant } from '../tenant.service.ts';
import { closesAt, reopenedState } from './closing.rules.ts';
import { refusePlatform } from './suspension.rules.ts';

/** Closes a tenant: from now on it can only be read and exported, and after so many days it may be deleted. */
export function closeTenant(
  ctx: Context,
  asked: { tenantId?: string | null; confirmSlug: string; days?: number | null; waivesExport: boolean },
): Promise<Tenant> {
  const tenantId = asked.tenantId ?? ctx.tenantId;
  return ownOrAny(ctx, tenantId).tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    refusePlatform(tenant.kind, 'closed');
    const now = new Date();
    tenant.closesAt = closesAt(tenant.slug, asked, now);
    tenant.state = advance(tenant.state, 'CLOSING');
    Object.assign(tenant, { closedAt: now, waivesExport: asked.waivesExport });
    await saveTenant(em, tenant);
    emit(em, 'tenancy.tenant.closed', { closesAt: tenant.closesAt.toISOString() });
    return tenant;
  });
}

/** Takes a closing back: the tenant is as it was before. What was approved of its deletion is void. */
export function reopenTenant(ctx: Context, tenantId: string): Promise<Tenant> {
  return ownOrAny(ctx, tenantId).tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    tenant.state = advance(tenant.state, reopenedState(tenant, new Date()));
    Object.assign(tenant, { closesAt: null, closedAt: null, waivesExport: false });
    await saveTenant(em, tenant);
    await em.execute('delete from tenancy.purge');
    emit(em, 'tenancy.tenant.reopened', { closesAt: null });
    return tenant;
  });
}

/** The caller's own tenant, or for the platform's people any; to others a foreign one is unknown. */
function ownOrAny(ctx: Context, tenantId: string): Context {
  if (tenantId !== ctx.tenantId && !ctx.can('tenancy.tenant.suspend'))
    throw new Refusal('NOT_FOUND', 'There is no such tenant.', 'tenantId');
  return inTenant(ctx, tenantId);
}
