import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, emitToPlatform } from '../../_kernel/events.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import { storedLine } from '../catalogue/price.rules.ts';
import type { Due } from '../licenses/due.service.ts';
import { type Changed, changing, lockHeld } from '../licenses/license-change.service.ts';
import type { Held } from '../licenses/license-facts.service.ts';
import { heldAddOns, type Wanted } from '../licenses/planned-change.service.ts';
import { endsOf, periodAt, stateAt } from '../terms/license.rules.ts';
import { nextPeriod, renewalDueAt } from '../terms/renewal.rules.ts';
import { dropInvoices, followInvoices } from './license-invoice.service.ts';
import { soldIn } from './plan-change.service.ts';
import { periodLines } from './price-change.rules.ts';

/**
 * Asks billing for the next period of the caller's tenant, once, when its time has come (R14): with what will be sold in
 * it, in the zone the tenant lives in. Answers whether it asked.
 */
export function requestRenewal(ctx: Context): Promise<boolean> {
  return ctx.tx(async (em) => {
    const held = await lockHeld(ctx, em);
    const { license } = held;
    license.renewalDueAt = dueAt(held, ctx.now());
    if (!license.askedUntil || !license.renewalDueAt || ctx.now() < license.renewalDueAt) return false;
    const sold = soldFrom(held, license.askedUntil);
    const { zone } = await tenantProfile(em);
    const period = nextPeriod({ ...billingOf(held), zone, interval: sold.interval }, license.askedUntil);
    license.askedUntil = period.end;
    license.renewalDueAt = dueAt(held, ctx.now());
    tellBilling(em, 'licensing.renewal.requested', {
      ...{ licenseId: license.id, terms: license.terms, interval: sold.interval },
      ...{ periodStart: period.start.toISOString(), periodEnd: period.end.toISOString() },
      lines: periodLines(soldIn(sold), sold.interval, period).map(storedLine),
      licensedTenantId: ctx.tenantId,
    });
    return true;
  });
}

/** The next period has to be asked for. */
export const RENEWAL_DUE: Due = { condition: 'l.renewal_due_at <= t.tenant_now', order: 'l.renewal_due_at' };

/**
 * Lets the licence of the caller's tenant renew itself or end with its paid time. A period that was asked for and has not
 * begun is taken back. Saying what it says already changes nothing.
 */
export function setAutoRenew(ctx: Context, isOn: boolean): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, async (held) => {
      if (held.license.autoRenew !== isOn) await (isOn ? resumeRenewal : stopRenewal)(ctx, em, held);
      held.license.resumesRenewal = false; // whoever says it now says it also of a tenant that has closed
      return { cause: 'AUTO_RENEW_SET' };
    }),
  );
}

/** Lets a licence end with its paid time. Belongs into `changing`. */
export async function stopRenewal(ctx: Context, em: EntityManager, held: Held): Promise<void> {
  const { license } = held;
  license.autoRenew = false;
  const begun = beginningAfter(held, ctx.now());
  if (begun && license.askedUntil && license.askedUntil > begun) {
    await dropInvoices(em, license, begun);
    license.askedUntil = begun;
    if (license.grantedUntil && license.grantedUntil > begun) license.grantedUntil = begun;
    await followInvoices(em, license);
  }
  const endsAt = endsOf({ ...held.facts, autoRenew: false, paidUntil: license.paidUntil }).end?.toISOString() ?? null;
  tellBilling(em, 'licensing.license.renewal_stopped', {
    licenseId: license.id,
    endsAt,
    licensedTenantId: ctx.tenantId,
  });
}

/** Lets a licence go on after its paid time. Belongs into `changing`. */
export async function resumeRenewal(ctx: Context, em: EntityManager, { license, facts }: Held): Promise<void> {
  license.autoRenew = true;
  const endsAt = endsOf(facts).end?.toISOString() ?? null;
  tellBilling(em, 'licensing.license.renewal_resumed', {
    licenseId: license.id,
    endsAt,
    licensedTenantId: ctx.tenantId,
  });
}

/** When the period that runs ends: of what follows, nothing has begun. Null for a licence without periods. */
function beginningAfter(held: Held, now: Date): Date | null {
  const { facts, license } = held;
  if (facts.isEndless) return null;
  if (stateAt({ ...facts, openHolds: [] }, now) === 'TRIAL') return license.trialEndsAt;
  return periodAt(billingOf(held), now).end;
}

const billingOf = ({ license }: Held) => ({
  ...{ interval: license.interval, anchorDay: license.anchorDay, zone: license.zone, validFrom: license.validFrom },
  ...{ trialEndsAt: license.trialEndsAt, periodOrigin: license.periodOrigin },
});

const dueAt = ({ license, facts }: Held, now: Date) =>
  renewalDueAt({ ...facts, terms: license.terms, askedUntil: license.askedUntil }, stateAt(facts, now));

/** What is sold at the start of a period: a change that is scheduled before it holds then. */
function soldFrom(held: Held, start: Date): Wanted {
  const { planned, plan, planVersion, license } = held;
  if (planned?.row.status === 'SCHEDULED' && planned.row.effectiveAt <= start) return planned;
  const addOns = heldAddOns(held, start).map(({ row, version, addOn }) => ({ addOn, version, quantity: row.quantity }));
  return { plan, planVersion, interval: license.interval, addOns };
}

function tellBilling<
  N extends 'licensing.renewal.requested' | 'licensing.license.renewal_stopped' | 'licensing.license.renewal_resumed',
>(em: EntityManager, name: N, told: Parameters<typeof emit<N>>[2]): void {
  emit(em, name, told);
  emitToPlatform(em, name, told);
}
