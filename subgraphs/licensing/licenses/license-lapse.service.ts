import { LockMode } from '@mikro-orm/postgresql';
import type { Context } from '../../_kernel/context.ts';
import { emit } from '../../_kernel/events.ts';
import { endsOf, nextLapse } from '../terms/license.rules.ts';
import type { Due } from './due.service.ts';
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

/** The licence has lapsed, and nobody has told it. */
export const LAPSED_UNTOLD: Due = { condition: 'l.lapses_at <= t.tenant_now', order: 'l.lapses_at' };
