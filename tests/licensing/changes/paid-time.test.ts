import { emit } from '../../../subgraphs/_kernel/events.ts';
import { hearInvoice } from '../../../subgraphs/licensing/changes/license-invoice.service.ts';
import { advanceLicense } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import { cancelUnpaidChanges, renewLicenses } from '../../../subgraphs/licensing/sweeps.ts';
import type { Asker } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const FEN: Asker = { tenant: 'fable', user: '6081', roles: ['tenant_admin'] };
const FABLE = tenantId('fable');
const LICENSE = `{ license { id version state interval autoRenew validUntil trialEndsAt enabledFeatures planVersion { plan { code } }
  scheduledChange { id status leadsTo } } }`;
const DAY = 86_400;

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
type Any = any;
type Reference = { changeId?: string; periodStart: string; periodEnd: string };

/** Each test moves the clock of `fable` forward; its licence, a trial in UTC for this, lives through a year. */
describe('A licence follows the platform’s invoices', () => {
  let world: LicensingWorld;
  let offset = 0;
  let period: Reference;
  let invoice: string;

  const ask = async (query: string, variables?: Record<string, unknown>): Promise<Any> => {
    const { data, errors } = await world.ask(FEN, query, variables);
    expect(errors).toBeUndefined();
    return data;
  };
  const license = async () => (await ask(LICENSE)).license;
  /** Lets the sandbox’s clock stand at an instant, and does what the minute’s sweeps would. */
  const goTo = async (at: string | Date) => {
    offset = Math.ceil((new Date(at).getTime() - Date.now()) / 1_000);
    await world.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [offset, FABLE]);
    await sweep();
  };
  const sweep = async () => {
    await world.inTenant('fable', (ctx) => advanceLicense(ctx));
    await world.inTenant('platform', (ctx) => renewLicenses(ctx));
  };
  const later = (at: string, days: number) => new Date(Date.parse(at) + days * DAY * 1_000).toISOString();
  const requests = () =>
    world
      .sql(
        "select payload from kernel.event where name = 'licensing.renewal.requested' and tenant_id = $1 order by seq",
        [tenantId('platform')],
      )
      .then((rows) => rows.map((row: Any) => row.payload).filter((told: Any) => told.licensedTenantId === FABLE));
  /** What billing says of an invoice, in whose log. */
  const say = async (
    word: 'issued' | 'paid' | 'overdue' | 'reopened',
    about = period,
    id = invoice,
    log: 'platform' | 'fable' = 'platform',
  ) => {
    const { id: licenseId } = await license();
    const references = [{ licensedTenantId: FABLE, licenseId, ...about }];
    const money = { totalMinor: '29900', openMinor: '0', currency: 'USD' };
    const at = new Date().toISOString();
    const payload = { invoiceId: id, customerId: id, ...money, references, dueOn: at.slice(0, 10), overdueSince: at };
    await world.inTenant(log, (ctx) => ctx.tx(async (em) => void emit(em, `billing.invoice.${word}`, payload)));
    await world.world.untilNoJobs();
  };
  const newInvoice = () => {
    invoice = crypto.randomUUID();
    return invoice;
  };

  beforeAll(async () => {
    world = await openLicensingWorld();
    await world.sql("delete from kernel.reaction where task like 'billing.%'"); // here we speak for billing ourselves
    await world.sql("update kernel.tenant_profile set zone = 'UTC' where tenant_id = $1", [FABLE]);
    await world.inTenant('fable', (ctx) => ctx.tx((em) => em.execute("update licensing.license set zone = 'UTC'")));
  });
  afterAll(() => world?.close());

  test('the first period is asked for seven days before the trial ends, once', async () => {
    const { trialEndsAt } = await license();
    await goTo(later(trialEndsAt, -8));
    expect(await requests()).toEqual([]);
    await goTo(later(trialEndsAt, -7));
    await sweep();
    const [asked, ...more] = await requests();
    expect(more).toEqual([]);
    expect(asked).toMatchObject({ terms: 'INVOICED', interval: 'MONTH', periodStart: trialEndsAt });
    expect(asked.lines).toMatchObject([{ key: 'charge:plan:professional@1', amountMinor: '29900', currency: 'USD' }]);
    period = { periodStart: asked.periodStart, periodEnd: asked.periodEnd };
  });

  test('issued is not paid for the first one; paid begins where the trial ends', async () => {
    newInvoice();
    await say('issued');
    expect(await license()).toMatchObject({ state: 'TRIAL', validUntil: period.periodStart });
    await say('paid');
    expect(await license()).toMatchObject({ state: 'TRIAL', validUntil: period.periodEnd });
    await goTo(later(period.periodStart, 1));
    expect(await license()).toMatchObject({ state: 'ACTIVE', validUntil: period.periodEnd });
  });

  test('the same word again, and an ISP’s own billing, move nothing', async () => {
    const before = await license();
    await say('paid');
    await say('overdue', period, crypto.randomUUID(), 'fable');
    expect(await license()).toEqual(before);
    const heard = await world.sql(
      "select task from kernel.reaction_receipt r join kernel.event e on e.tenant_id = r.tenant_id and e.id = r.event_id where r.tenant_id = $1 and e.name like 'billing.invoice.%'",
      [FABLE],
    );
    expect(heard).toEqual([]); // nobody is even woken by it
  });

  test('the next period is asked for a day ahead, and counts when it is invoiced: no free and no lost second', async () => {
    await goTo(later(period.periodEnd, -1));
    const asked = (await requests()).at(-1);
    expect(asked.periodStart).toBe(period.periodEnd);
    period = { periodStart: asked.periodStart, periodEnd: asked.periodEnd };
    newInvoice();
    await say('issued');
    expect(await license()).toMatchObject({ state: 'ACTIVE', validUntil: asked.periodEnd });
    await goTo(later(period.periodStart, 5));
    expect(await license()).toMatchObject({ state: 'ACTIVE' });
  });

  test('overdue is GRACE from that instant; payment counts from the old end', async () => {
    await say('overdue');
    const inGrace = await license();
    expect(inGrace.state).toBe('GRACE');
    expect(inGrace.enabledFeatures).toContain('crm');
    await say('paid');
    expect(await license()).toMatchObject({ state: 'ACTIVE', validUntil: period.periodEnd });
    await say('reopened');
    expect(await license()).toMatchObject({ state: 'GRACE' });
    await say('paid');
    expect(await license()).toMatchObject({ state: 'ACTIVE', validUntil: period.periodEnd });
  });

  test('an older word that comes late changes nothing', async () => {
    const before = await license();
    const references = [{ licensedTenantId: FABLE, licenseId: before.id, ...period }];
    const payload = {
      invoiceId: invoice,
      customerId: invoice,
      totalMinor: '1',
      openMinor: '1',
      currency: 'USD',
      references,
    };
    const told = {
      tenantId: tenantId('platform'),
      seq: 1,
      id: crypto.randomUUID(),
      at: new Date(),
      actor: null,
      actingFor: null,
      personal: null,
    };
    await world.inTenant('platform', (ctx) =>
      hearInvoice(ctx, {
        ...told,
        name: 'billing.invoice.overdue',
        payload: { ...payload, overdueSince: told.at.toISOString() },
      }),
    );
    expect(await license()).toEqual(before);
  });

  test('money that is taken back is GRACE from that instant, until it comes again', async () => {
    const { id: licenseId, validUntil } = await license();
    const money = { amountMinor: '29900', balanceMinor: '29900', currency: 'USD' };
    const payload = { paymentId: crypto.randomUUID(), customerId: crypto.randomUUID(), ...money };
    const references = [{ licensedTenantId: FABLE, licenseId, ...period }];
    await world.inTenant('platform', (ctx) =>
      ctx.tx(async (em) => void emit(em, 'billing.payment.charged_back', { ...payload, references })),
    );
    await world.world.untilNoJobs();
    expect((await license()).state).toBe('GRACE');
    await say('paid');
    expect(await license()).toMatchObject({ state: 'ACTIVE', validUntil });
  });

  const upgrade = (newPlan: string, idempotencyKey: string) =>
    ask(
      `mutation($input: UpgradeLicenseInput!) { upgradeLicense(input: $input) { change { id status lines { key } } license { state planVersion { plan { code } } } userErrors { code message } } }`,
      { input: { newPlan, idempotencyKey } },
    ).then((data) => data.upgradeLicense);

  test('with a bill overdue an upgrade waits for its payment, and holds when it comes', async () => {
    await say('overdue');
    const wanted = await upgrade('enterprise', 'grace');
    expect(wanted).toMatchObject({
      change: { status: 'AWAITING_PAYMENT' },
      license: { state: 'GRACE', planVersion: { plan: { code: 'professional' } } },
      userErrors: [],
    });
    const { id: changeId } = wanted.change;
    expect((await license()).scheduledChange).toMatchObject({
      id: changeId,
      status: 'AWAITING_PAYMENT',
      leadsTo: 'enterprise@1',
    });
    const about = {
      changeId,
      periodStart: new Date(Date.now() + offset * 1_000).toISOString(),
      periodEnd: period.periodEnd,
    };
    await say('issued', about, crypto.randomUUID());
    expect((await license()).planVersion.plan.code).toBe('professional');
    await say('paid', about, crypto.randomUUID());
    const paid = await license();
    expect(paid).toMatchObject({ planVersion: { plan: { code: 'enterprise' } }, scheduledChange: null });
    expect(paid.state).toBe('GRACE'); // the bill that was overdue still is
    const applied = await world.sql(
      "select payload from kernel.event where name = 'licensing.change.applied' and tenant_id = $1 order by seq desc limit 1",
      [tenantId('platform')],
    );
    expect(applied[0].payload).toMatchObject({ changeId, status: 'APPLIED', to: 'enterprise@1' });
    await say('paid');
    expect(await license()).toMatchObject({ state: 'ACTIVE', validUntil: period.periodEnd });
  });

  test('a change that nobody pays is given up after seven days', async () => {
    await say('overdue');
    const wish = await ask(
      'query($input: LicenseChangeInput!) { previewLicenseChange(input: $input) { hash pricedAt isAwaitingPayment } }',
      { input: { addOns: [{ code: 'priority_support', quantity: 1 }] } },
    );
    expect(wish.previewLicenseChange.isAwaitingPayment).toBe(true);
    const { hash: previewHash, pricedAt } = wish.previewLicenseChange;
    const change = { addOns: [{ code: 'priority_support', quantity: 1 }] };
    const done = await ask(
      'mutation($input: CommitLicenseChangeInput!) { changeLicense(input: $input) { change { id status } userErrors { message } } }',
      { input: { change, previewHash, pricedAt, idempotencyKey: 'support' } },
    );
    expect(done.changeLicense).toMatchObject({ change: { status: 'AWAITING_PAYMENT' }, userErrors: [] });
    await goTo(later(pricedAt, 6));
    await world.inTenant('platform', (ctx) => cancelUnpaidChanges(ctx));
    expect((await license()).scheduledChange).toMatchObject({ status: 'AWAITING_PAYMENT' });
    await goTo(later(pricedAt, 7));
    await world.inTenant('platform', (ctx) => cancelUnpaidChanges(ctx));
    expect((await license()).scheduledChange).toBeNull();
    await say('paid');
  });

  test('who stops the renewal keeps what is paid and loses what has not begun', async () => {
    await goTo(later(period.periodEnd, -1));
    const asked = (await requests()).at(-1);
    const next = { periodStart: asked.periodStart, periodEnd: asked.periodEnd };
    expect(next.periodStart).toBe(period.periodEnd);
    await say('issued', next, newInvoice());
    expect((await license()).validUntil).toBe(next.periodEnd);
    const stop = (autoRenew: boolean) =>
      ask(
        'mutation($input: SetAutoRenewInput!) { setAutoRenew(input: $input) { license { version validUntil autoRenew } userErrors { message } } }',
        { input: { autoRenew } },
      ).then((data) => data.setAutoRenew);
    const stopped = await stop(false);
    expect(stopped).toMatchObject({ license: { autoRenew: false, validUntil: period.periodEnd }, userErrors: [] });
    expect((await stop(false)).license.version).toBe(stopped.license.version);
    const told = await world.sql(
      "select payload from kernel.event where name = 'licensing.license.renewal_stopped' and tenant_id = $1",
      [tenantId('platform')],
    );
    expect(told.map((row: Any) => row.payload)).toMatchObject([{ endsAt: period.periodEnd, licensedTenantId: FABLE }]);
    await goTo(later(period.periodEnd, 1));
    expect((await license()).state).toBe('RESTRICTED'); // no grace for who does not want to go on
    await goTo(later(period.periodEnd, 15));
    expect((await license()).state).toBe('EXPIRED');
  });

  test('an ended licence begins anew with its payment, for a whole period from there', async () => {
    const { planVersion } = await license();
    const change = { plan: planVersion.plan.code };
    const seen = await ask(
      'query($input: LicenseChangeInput!) { previewLicenseChange(input: $input) { hash pricedAt isAwaitingPayment lines { key amount { amountMinor } } refusals { message } } }',
      { input: change },
    );
    const { hash: previewHash, pricedAt, lines, refusals } = seen.previewLicenseChange;
    expect(refusals).toEqual([]);
    expect(lines).toEqual([{ key: 'charge:plan:enterprise@1', amount: { amountMinor: '99900' } }]);
    const done = await ask(
      'mutation($input: CommitLicenseChangeInput!) { changeLicense(input: $input) { change { id status lines { periodStart periodEnd } } userErrors { message } } }',
      { input: { change, previewHash, pricedAt, idempotencyKey: 'back' } },
    );
    const { id: changeId, lines: told } = done.changeLicense.change;
    await goTo(later(pricedAt, 3));
    await say('paid', { changeId, periodStart: told[0].periodStart, periodEnd: told[0].periodEnd }, newInvoice());
    const back = await license();
    expect(back).toMatchObject({ state: 'ACTIVE', scheduledChange: null });
    const from = new Date(Date.now() + offset * 1_000);
    const days = (Date.parse(back.validUntil) - from.getTime()) / (DAY * 1_000);
    expect(days).toBeGreaterThan(27);
    expect(days).toBeLessThanOrEqual(31);
  });
});
