import type { Events, LoggedEvent } from '../../../schema/events.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import { License } from '../licenses/license.entity.ts';
import { type Changed, changing, type Told } from '../licenses/license-change.service.ts';
import type { Held } from '../licenses/license-facts.service.ts';
import { PlannedChange } from '../licenses/planned-change.entity.ts';
import { applyWanted, settle, tellChange, toldOf } from '../licenses/planned-change.service.ts';
import { stateAt } from '../terms/license.rules.ts';
import { type InvoiceStatus, paidUntilOf } from '../terms/paid-time.rules.ts';
import { LicenseInvoice } from './license-invoice.entity.ts';
import { firstPeriod, restarted } from './plan-change.rules.ts';

type InvoiceEvent = LoggedEvent<
  'billing.invoice.issued' | 'billing.invoice.paid' | 'billing.invoice.overdue' | 'billing.invoice.reopened'
>;
type Reference = Events['billing.invoice.paid']['references'][number];

const HEARD: Record<InvoiceEvent['name'], { status: InvoiceStatus; cause: Told['cause'] }> = {
  'billing.invoice.issued': { status: 'ISSUED', cause: 'RENEWED' },
  'billing.invoice.paid': { status: 'PAID', cause: 'PAID' },
  'billing.invoice.overdue': { status: 'OVERDUE', cause: 'OVERDUE' },
  'billing.invoice.reopened': { status: 'REOPENED', cause: 'OVERDUE' },
};

/** Lets an invoice of the platform's move the licences it is about (R14), each in its own tenant; again, it changes nothing. */
export async function hearInvoice(ctx: Context, { name, seq, at, payload }: InvoiceEvent): Promise<void> {
  const { status, cause } = HEARD[name];
  for (const about of payload.references)
    await moveLicense(ctx, about, cause, async (em, held, tenant) => {
      const since = await onTenantsClock(em, at);
      const isWaiting = held.planned !== null && held.planned.row.id === about.changeId;
      if (isWaiting && status !== 'PAID') return; // an offer that is not taken up holds nobody
      const word = (await isTakenBack(em, held, about)) ? 'DROPPED' : status;
      await note(em, about, { invoiceId: payload.invoiceId, status: word, since, seq: BigInt(seq) });
      if (isWaiting) applyPaid(tenant, em, held);
    });
}

/** Money that was taken back: what it had paid is open again, from that instant. */
export async function hearChargeback(ctx: Context, event: LoggedEvent<'billing.payment.charged_back'>): Promise<void> {
  for (const about of event.payload.references)
    await moveLicense(ctx, about, 'OVERDUE', async (em, held) => {
      const since = await onTenantsClock(em, event.at);
      const paid = await em.find(LicenseInvoice, {
        ...{ licenseId: held.license.id, changeId: about.changeId ?? null, status: 'PAID' },
        ...{ periodStart: new Date(about.periodStart), seq: { $lt: BigInt(event.seq) } },
      });
      for (const invoice of paid) Object.assign(invoice, { status: 'REOPENED', since, seq: BigInt(event.seq) });
    });
}

/** Runs in the licensed tenant, and lets its paid time follow what its invoices then say. */
async function moveLicense(
  ctx: Context,
  { licensedTenantId, licenseId, changeId }: Reference,
  cause: Told['cause'],
  hear: (em: EntityManager, held: Held, tenant: Context) => Promise<void>,
): Promise<void> {
  const tenant = ctx.inTenant(licensedTenantId);
  await tenant.tx(async (em) => {
    if (!(await em.findOne(License, { id: licenseId, revokedAt: null }))) {
      ctx.log.warn({ licensedTenantId, licenseId }, 'an invoice is about a licence that is not in force');
      return;
    }
    let waited: Held['planned'] = null;
    const changed = await changing(tenant, em, async (held) => {
      waited = held.planned;
      await hear(em, held, tenant);
      await followInvoices(em, held.license);
      if (!changeId) held.license.zone = (await tenantProfile(em)).zone; // a moved tenant counts on in its new zone
      return { cause };
    });
    if (waited) tellPaid(tenant, em, waited, changed);
  });
}

/** Whether an invoice is for a change that was given up, or for a period that was asked for and then taken back. */
async function isTakenBack(
  em: EntityManager,
  { license }: Held,
  { changeId, periodStart }: Reference,
): Promise<boolean> {
  if (!changeId) return license.askedUntil !== null && new Date(periodStart) >= license.askedUntil;
  const planned = await em.findOne(PlannedChange, { id: changeId });
  return planned?.status === 'CANCELLED' || planned?.status === 'SUPERSEDED';
}

/** What is told of one invoice: its newest word, by its place in the platform's log. One that was dropped stays so. */
async function note(
  em: EntityManager,
  about: Reference,
  { invoiceId, ...word }: { invoiceId: string; status: InvoiceStatus; since: Date; seq: bigint },
): Promise<void> {
  const periodStart = new Date(about.periodStart);
  const known = await em.findOne(LicenseInvoice, { invoiceId, periodStart });
  if (!known) {
    const { licenseId, changeId = null } = about;
    const made = { invoiceId, licenseId, changeId, periodStart, periodEnd: new Date(about.periodEnd), ...word };
    em.persist(em.create(LicenseInvoice, made));
  } else if (known.status !== 'DROPPED' && word.seq > known.seq) Object.assign(known, word);
}

/** Sets the paid time of a licence to what its invoices say. */
export async function followInvoices(em: EntityManager, license: License): Promise<void> {
  await em.flush();
  const invoices = await em.find(LicenseInvoice, { licenseId: license.id });
  license.paidUntil = paidUntilOf({ terms: license.terms, grantedUntil: license.grantedUntil, invoices });
}

/** Takes back invoices for periods that have not begun, or all where the licence begins anew. */
export async function dropInvoices(em: EntityManager, license: License, from: Date | null): Promise<void> {
  const invoices = await em.find(LicenseInvoice, { licenseId: license.id });
  for (const invoice of invoices.filter(({ periodStart }) => !from || periodStart >= from)) invoice.status = 'DROPPED';
}

/** The change that waited for this money holds; where the licence had ended, a new first period begins with it. */
function applyPaid(ctx: Context, em: EntityManager, held: Held): void {
  const { planned, license } = held;
  if (planned?.row.status !== 'AWAITING_PAYMENT') return;
  settle(ctx, planned.row, 'APPLIED');
  const now = ctx.now();
  if (planned.row.isRestart) {
    const { end } = firstPeriod(license, planned.interval, now);
    if (stateAt({ ...held.facts, openHolds: [] }, now) === 'TRIAL') license.trialEndsAt = now;
    const { anchorDay, periodOrigin } = restarted(license, now);
    Object.assign(license, { anchorDay, periodOrigin, interval: planned.interval, grantedUntil: end, askedUntil: end });
  }
  applyWanted(em, held, planned, now);
}

function tellPaid(ctx: Context, em: EntityManager, planned: NonNullable<Held['planned']>, { license }: Changed): void {
  if (planned.row.status !== 'APPLIED') return;
  const told = toldOf(planned.row, planned, license.version);
  tellChange(ctx, em, 'licensing.change.applied', {
    ...told,
    ...{ status: 'APPLIED', effectiveAt: ctx.now().toISOString() },
  });
}

/** An instant of the platform's on the clock of the tenant, which in a sandbox runs ahead. */
async function onTenantsClock(em: EntityManager, at: Date): Promise<Date> {
  const [row] = await em.execute('select clock_offset_seconds as ahead from kernel.tenant_profile');
  return new Date(at.getTime() + Number(row?.ahead ?? 0) * 1_000);
}
