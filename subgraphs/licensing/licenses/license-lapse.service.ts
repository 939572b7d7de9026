import { LockMode } from '@mikro-orm/postgresql';
import type { Context } from '../../_kernel/context.ts';
import { emit } from '../../_kernel/events.ts';
import { endsOf, nextLapse } from '../terms/license.rules.ts';
import { newestLicense, readHeld } from './license-facts.service.ts';

/**
 * Tells once that the licence of the context's tenant has been expired for 30 days, on which its tenant is suspended. If
 * it is paid and lapses another time, that is told again. Returns whether it was told now.
 */
export function tellLapse(ctx: Context): Promise<boolean> {
  return ctx.tx(async (em) => {
    const license = await newestLicense(em, LockMode.PESSIMISTIC_WRITE);
    const [held] = license ? await readHeld(em, [license], ctx.machinery.config) : [];
    const lapses = held ? nextLapse(held.facts, held.license.lapsedSince) : null;
    if (!held || !lapses || ctx.now() < lapses) return false;
    const since = endsOf(held.facts).restrictedEnd as Date;
    Object.assign(held.license, { lapsesAt: null, lapsedSince: since });
    emit(em, 'licensing.license.lapsed', { since: since.toISOString() });
    emit(em, 'licensing.license.ended', { version: held.license.version, reason: 'EXPIRED' });
    return true;
  });
}

/** Tenants whose licence has lapsed and nobody has told it, at most `limit`. */
export async function tenantsToLapse(ctx: Context, limit: number): Promise<string[]> {
  const rows = await ctx.acrossTenants((em) =>
    em.execute(
      `select t.licensed_tenant_id from licensing.licensed_tenant t join licensing.license l on l.id = t.license_id
        where l.lapses_at <= t.tenant_now order by l.lapses_at limit ?`,
      [limit],
    ),
  );
  return rows.map((row) => row.licensed_tenant_id);
}
