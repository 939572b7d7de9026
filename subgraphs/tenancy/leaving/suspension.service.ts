import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, newestEventNamed } from '../../_kernel/events.ts';
import { lengthenChecks } from '../domains/tenant-domain.service.ts';
import type { Tenant } from '../tenant.entity.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, inTenant, saveTenant } from '../tenant.service.ts';
import {
  isPaidAgain,
  NOT_SUSPENDED,
  refusePlatform,
  type SuspensionAsked,
  suspensionTerms,
} from './suspension.rules.ts';

/** Suspends a tenant: its people are refused within a second; its subscribers' service goes on. Nothing is deleted. */
export function suspendTenant(ctx: Context, tenantId: string, asked: SuspensionAsked): Promise<Tenant> {
  return inTenant(ctx, tenantId).tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    refusePlatform(tenant.kind, 'suspended');
    if (tenant.state === 'CLOSING') throw new Refusal('INVALID_STATE', 'This tenant is closing.', 'tenantId');
    return suspend(em, tenant, asked);
  });
}

/** Lifts a suspension; everything is as it was. */
export function reactivateTenant(ctx: Context, tenantId: string): Promise<Tenant> {
  return inTenant(ctx, tenantId).tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    if (tenant.state !== 'SUSPENDED') throw new Refusal('INVALID_STATE', 'This tenant is not suspended.', 'tenantId');
    return reactivate(em, tenant);
  });
}

/** Suspends the context's tenant because its licence lapsed, if it is active and has not been paid meanwhile. */
export function suspendLapsed(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    const tenant = await findOrRefuse(em, ctx.tenantId);
    if (tenant.state !== 'ACTIVE' || tenant.kind === 'PLATFORM' || (await isPaidInLog(em))) return;
    await suspend(em, tenant, { reason: 'LICENSE_LAPSED' });
  });
}

/** Lifts the suspension of the context's tenant for a lapsed licence, once the licence is paid again. */
export function liftLapse(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    const tenant = await findOrRefuse(em, ctx.tenantId);
    const isLapsed = tenant.state === 'SUSPENDED' && tenant.suspensionReason === 'LICENSE_LAPSED';
    if (isLapsed && (await isPaidInLog(em))) await reactivate(em, tenant);
  });
}

async function isPaidInLog(em: EntityManager): Promise<boolean> {
  const lapsed = await newestEventNamed(em, 'licensing.license.lapsed');
  return isPaidAgain(lapsed, await newestEventNamed(em, 'licensing.license.changed'));
}

async function suspend(em: EntityManager, tenant: Tenant, asked: SuspensionAsked): Promise<Tenant> {
  tenant.state = advance(tenant.state, 'SUSPENDED');
  const terms = suspensionTerms(asked, new Date());
  Object.assign(tenant, terms);
  await saveTenant(em, tenant);
  emit(em, 'tenancy.tenant.suspended', {
    reason: terms.suspensionReason,
    cutService: terms.cutService,
    continuityUntil: terms.continuityUntil?.toISOString() ?? null,
  });
  return tenant;
}

async function reactivate(em: EntityManager, tenant: Tenant): Promise<Tenant> {
  const reason = tenant.suspensionReason as string;
  await lengthenChecks(em, tenant.suspendedAt as Date);
  tenant.state = advance(tenant.state, 'ACTIVE');
  Object.assign(tenant, NOT_SUSPENDED);
  await saveTenant(em, tenant);
  emit(em, 'tenancy.tenant.reactivated', { reason });
  return tenant;
}
