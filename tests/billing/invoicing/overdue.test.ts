import { markOverdueInvoices } from '../../../subgraphs/billing/invoicing/overdue.service.ts';
import { openTrial, type Trial } from '../trial.ts';
import { age, hear, type Isp, inPlatform, ispOf, month, newIsp } from './license-customer.ts';

let trial: Trial;
let isp: Isp;
beforeAll(async () => {
  trial = await openTrial();
});
beforeEach(async () => {
  isp = await newIsp(trial);
});
afterAll(() => trial.close());

const sweep = () => inPlatform(trial, markOverdueInvoices);
test('what is open past its due day is told overdue, once, and since when', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  await sweep();
  expect(await isp.names()).toEqual(['issued']);
  const late = '2026-01-15T00:00:00.000Z';
  await age(trial, isp, late);
  for (let i = 0; i < 3; i += 1) await sweep();
  const [, overdue, ...more] = await isp.told();
  expect(more).toEqual([]);
  const [invoice] = await isp.invoices();
  expect(overdue).toEqual([
    'invoice.overdue',
    {
      ...{ invoiceId: invoice.id, customerId: isp.customerId, totalMinor: '9900', openMinor: '9900', currency: 'USD' },
      ...{ references: invoice.references, overdueSince: late },
    },
  ]);
});

test('in a suspended tenant nothing becomes overdue until it is lifted, and then since when it was', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  await age(trial, isp, '2026-01-15T00:00:00Z');
  const stand = (state: string) =>
    trial.sql('update kernel.tenant_profile set state = $1 where tenant_id = $2', [state, trial.tenantId('platform')]);
  await stand('SUSPENDED'); // which the platform never is; its invoices are the ones there are
  await sweep().finally(() => stand('ACTIVE'));
  expect(await isp.names()).toEqual(['issued']);
  await sweep();
  const [, overdue] = await isp.told();
  expect(overdue).toMatchObject(['invoice.overdue', { overdueSince: '2026-01-15T00:00:00.000Z' }]);
});

test('two sweeps at once tell it once', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  await age(trial, isp, '2026-01-15T00:00:00Z');
  await Promise.all([sweep(), sweep(), sweep()].map((swept) => swept.catch(() => undefined)));
  expect(await isp.names()).toEqual(['issued', 'overdue']);
});

test('paid, it is not overdue any more; paid before, it never was', async () => {
  await hear(trial, 'invoiceRenewal', isp.renewal());
  await age(trial, isp, '2026-01-15T00:00:00Z');
  await sweep();
  await isp.pay(9900);
  expect(await isp.invoices()).toMatchObject([{ status: 'PAID', overdue_since: null }]);
  await sweep();
  expect(await isp.names()).toEqual(['issued', 'overdue', 'paid']);
});

test('a sandbox’s is overdue by its own clock, to the millisecond', async () => {
  const fable = trial.tenantId('fable');
  const [row] = await trial.sql('select id from billing.customer where licensed_tenant_id = $1', [fable]);
  const sandbox = ispOf(trial, row.id, fable);
  await hear(trial, 'invoiceRenewal', sandbox.renewal({ terms: 'PREPAID', ...month(2) }));
  const [{ late_from }] = await sandbox.invoices();
  const advance = (seconds: number) =>
    trial.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [seconds, fable]);
  const ahead = Math.floor((late_from.getTime() - Date.now()) / 1_000);
  await advance(ahead - 5);
  await sweep();
  expect(await sandbox.names()).toEqual(['issued']);
  await advance(ahead + 5);
  await sweep();
  expect(await sandbox.names()).toEqual(['issued', 'overdue']);
  expect((await sandbox.invoices())[0].overdue_since).toEqual(late_from);
});

test('one that an ISP or a sandbox has issued itself is marked in its own tenant, by that tenant’s clock', async () => {
  const tenants = ['kestrel', 'fable'] as const;
  for (const slug of tenants)
    await trial.sql(
      `insert into billing.invoice (tenant_id, id, customer_id, key, asked_seq, number, status, currency, issued_at, due_on, late_from,
                                    total_minor, open_minor, "references")
       select tenant_id, uuidv7(), id, 'own', 0, 'INV-1', 'ISSUED', currency, now(), current_date, now() + interval '10 days', 5, 5, '[]'
         from billing.customer, (select set_config('app.tenant_id', $1::text, true)) entered where tenant_id = $1::uuid limit 1`,
      [trial.tenantId(slug)],
    );
  await trial.sql("update kernel.tenant_profile set clock_offset_seconds = 86400 * 11 where slug = 'fable'");
  await sweep();
  const overdue = (slug: (typeof tenants)[number]) =>
    trial.sql("select 1 from kernel.event where tenant_id = $1 and name = 'billing.invoice.overdue'", [
      trial.tenantId(slug),
    ]);
  expect(await overdue('kestrel')).toHaveLength(0);
  expect(await overdue('fable')).toHaveLength(1);
});
