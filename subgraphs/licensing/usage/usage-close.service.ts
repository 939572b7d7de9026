import type { QuotaKey } from '../../../schema/features.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, emitToPlatform } from '../../_kernel/events.ts';
import { turnQuotas } from '../../_kernel/quota.ts';
import { PlanVersion } from '../catalogue/plan.entity.ts';
import type { Due } from '../licenses/due.service.ts';
import { License } from '../licenses/license.entity.ts';
import { reportOf } from './usage-report.rules.ts';

/** A day or a period of use is to be closed or told. */
export const USE_TO_CLOSE: Due = {
  condition: 't.licensed_tenant_id in (select u.licensed_tenant_id from licensing.usage_due u)',
};

/**
 * Closes the days and periods of the tenant's use that are over, and tells billing of each metered one once, whoever
 * closed it. Again, it changes nothing. Owners of gauges count theirs when a day was closed.
 */
export function closeUsage(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    const days = await turnQuotas(ctx, em);
    await reportPeriods(ctx, em);
    const date = days.at(-1);
    if (date === undefined) return;
    emit(em, 'licensing.usage.day_closed', { date });
    await em.execute('delete from kernel.quota_receipt where expires_at < ?', [ctx.now()]);
  });
}

async function reportPeriods(ctx: Context, em: EntityManager): Promise<void> {
  const periods = await em.execute(
    'delete from kernel.metered_period returning key, period_start, period_end, used, included, unit_rate',
  );
  if (periods.length === 0) return;
  const [license] = await em.find(License, {}, { orderBy: { version: 'desc' }, limit: 1 }); // though it may be revoked
  if (!license) return;
  const { currency } = await em.findOneOrFail(PlanVersion, { id: license.planVersionId });
  for (const { key, period_start, period_end, used, included, unit_rate } of periods) {
    const report = {
      ...{ licenseId: license.id, key: key as QuotaKey, unitRate: String(unit_rate), currency },
      ...reportOf({ key: key as QuotaKey, used: BigInt(used), included: BigInt(included) }),
      ...{ periodStart: new Date(period_start).toISOString(), periodEnd: new Date(period_end).toISOString() },
      licensedTenantId: ctx.tenantId,
    };
    emit(em, 'licensing.usage.reported', report);
    emitToPlatform(em, 'licensing.usage.reported', report);
  }
}
