import { randomUUID } from 'node:crypto';
import { emit } from '../../subgraphs/_kernel/events.ts';
import { markOverdueInvoices } from '../../subgraphs/billing/invoicing/overdue.service.ts';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';

const FABLE = '01990000-0000-7000-8000-000000000a07';
const DAY_MS = 86_400_000;

// biome-ignore lint/suspicious/noExplicitAny: each question knows its answer
type Any = any;

/** The platform's bill and the ISP's licence, each by its own domain, over the real gateway. */
describe('A licence whose bill is not paid is restricted, and is whole again when it is', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let fen: Person;
  let ngozi: Person;
  let customerId: string;
  let held: string;
  beforeAll(async () => {
    running = await openGatewayWorld();
    fen = await running.client.signIn('fen@fable.example', running.password);
    ngozi = await running.client.signIn('ngozi@platform.example', running.password);
    const rows = await running.world.sql('select id from billing.customer where licensed_tenant_id = $1', [FABLE]);
    customerId = rows[0].id;
  }, 60_000);
  afterAll(() => running?.close());

  const ask = async (who: Person, query: string, variables: object = {}): Promise<Any> => {
    const { data, errors } = await who.ask(query, variables);
    expect(errors).toBeUndefined();
    return data;
  };
  const standing = async () => {
    const { tenant, license } = await ask(
      fen,
      '{ tenant { now } license { id state validUntil trialEndsAt graceEndsAt } }',
    );
    return { now: new Date(tenant.now), ...license };
  };
  const moveTo = async (instant: string, afterMs: number) => {
    const { now } = await standing();
    const by = `PT${Math.ceil((Date.parse(instant) + afterMs - now.getTime()) / 1_000)}S`;
    const query = 'mutation($input: AdvanceClockInput!) { advanceClock(input: $input) { userErrors { message } } }';
    expect((await ask(ngozi, query, { input: { tenantId: FABLE, by } })).advanceClock.userErrors).toEqual([]);
    await settled();
  };
  /** Lets everybody hear what was told, and does what falls due each minute. */
  const settled = async () => {
    await running.world.untilNoJobs();
    await markOverdueInvoices(await running.world.system('platform', 'billing'));
    await running.world.untilNoJobs();
  };
  const invoices = async (): Promise<Any[]> =>
    (
      await ask(
        ngozi,
        'query($id: ID!) { customer(id: $id) { invoices(first: 10) { nodes { id status isOverdue open { amountMinor currency } } } } }',
        { id: customerId },
      )
    ).customer.invoices.nodes;
  const pay = async () => {
    for (const { open } of (await invoices()).filter((invoice) => invoice.open.amountMinor !== '0')) {
      const { recordPayment } = await ask(
        ngozi,
        'mutation($input: RecordPaymentInput!) { recordPayment(input: $input) { userErrors { message } } }',
        {
          input: {
            ...{ customerId, amount: open, method: 'BANK_TRANSFER', idempotencyKey: randomUUID() },
            receivedOn: new Date().toISOString().slice(0, 10),
          },
        },
      );
      expect(recordPayment.userErrors).toEqual([]);
    }
    await settled();
  };

  test('its first period is billed a week ahead and begins, paid, where the trial ends', async () => {
    const { trialEndsAt } = await standing();
    await moveTo(trialEndsAt, -6 * DAY_MS);
    expect(await invoices()).toMatchObject([{ status: 'ISSUED', open: { amountMinor: '29900' } }]);
    expect((await standing()).validUntil).toBe(trialEndsAt);
    await pay();
    const paid = await standing();
    expect([paid.state, paid.validUntil > trialEndsAt]).toEqual(['TRIAL', true]);
    await moveTo(trialEndsAt, 60_000);
    expect((await standing()).state).toBe('ACTIVE');
  });

  test('the next period counts when it is billed; overdue it is in grace, and after seven days restricted', async () => {
    const { validUntil } = await standing();
    await moveTo(validUntil, -DAY_MS / 2);
    expect((await standing()).validUntil > validUntil).toBe(true);
    await moveTo(validUntil, 16 * DAY_MS);
    const late = await standing();
    expect(late.state).toBe('GRACE');
    expect((await invoices()).filter((invoice) => invoice.isOverdue)).toHaveLength(1);
    await moveTo(late.graceEndsAt, 60_000);
    expect((await standing()).state).toBe('RESTRICTED');
    expect((await fen.ask('{ leads(first: 1) { nodes { number } } }')).status).toBe(200);
  });

  test('an operator’s hold closes it; payment alone does not open it, lifting the hold then does', async () => {
    const { placeLicenseHold } = await ask(
      ngozi,
      'mutation($input: PlaceLicenseHoldInput!) { placeLicenseHold(input: $input) { license { holds { id } } userErrors { message } } }',
      { input: { tenantId: FABLE, kind: 'OPERATOR', level: 'SUSPENDED', reason: 'Until we have talked.' } },
    );
    held = placeLicenseHold.license.holds[0].id;
    expect((await standing()).state).toBe('SUSPENDED');
    await pay();
    expect((await standing()).state).toBe('SUSPENDED');
    await ask(
      ngozi,
      'mutation($input: LiftLicenseHoldInput!) { liftLicenseHold(input: $input) { userErrors { message } } }',
      { input: { id: held, reason: 'We have talked.' } },
    );
    expect((await standing()).state).toBe('ACTIVE');
  });

  test('what an ISP’s own billing says of its licence moves nothing', async () => {
    const before = await standing();
    const at = new Date().toISOString();
    const references = [
      { licensedTenantId: FABLE, licenseId: before.id, periodStart: at, periodEnd: '2099-01-01T00:00:00Z' },
    ];
    const money = { totalMinor: '1', openMinor: '0', currency: 'USD' };
    const ctx = await running.world.system('fable', 'billing');
    await ctx.tx(async (em) => {
      emit(em, 'billing.invoice.paid', { invoiceId: randomUUID(), customerId, ...money, references });
      emit(em, 'billing.invoice.overdue', {
        invoiceId: randomUUID(),
        customerId,
        ...money,
        references,
        overdueSince: at,
      });
    });
    await running.world.untilNoJobs();
    const { state, validUntil } = await standing();
    expect({ state, validUntil }).toEqual({ state: before.state, validUntil: before.validUntil });
  });
});
