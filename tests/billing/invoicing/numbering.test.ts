import { openTrial, type Trial } from '../trial.ts';
import { dateIn, hear, ispOf, line, month, newIsp } from './license-customer.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

test('numbers have no gaps, whoever asks at once and whatever fails', async () => {
  const isps = await Promise.all(Array.from({ length: 8 }, () => newIsp(trial)));
  await Promise.all(
    isps.flatMap((each) =>
      [
        hear(trial, 'invoiceRenewal', each.renewal()),
        hear(
          trial,
          'chargeLicenseChange',
          each.change({ lines: [line('a', 5), { ...line('b', 5), currency: 'EUR' }] }),
        ),
      ].map((heard) => heard.catch(() => undefined)),
    ),
  );
  const rows = await trial.sql(
    `select number, issued_at from billing.invoice where tenant_id = $1 and number like 'INV-%' order by number`,
    [trial.tenantId('platform')],
  );
  expect(rows.map(({ number }) => Number(number.slice(9)))).toEqual(rows.map((_, i) => i + 1));
  const times = rows.map(({ issued_at }) => issued_at.getTime());
  expect(times).toEqual([...times].sort((a, b) => a - b));
});

test('a sandbox is billed on its own clock, in a series of its own', async () => {
  const fable = trial.tenantId('fable');
  await trial.sql('update kernel.tenant_profile set clock_offset_seconds = 86400 * 100 where tenant_id = $1', [fable]);
  const [row] = await trial.sql('select id from billing.customer where licensed_tenant_id = $1', [fable]);
  const sandbox = ispOf(trial, row.id, fable);
  await hear(trial, 'invoiceRenewal', sandbox.renewal({ terms: 'PREPAID', ...month(103) }));
  const [invoice] = await sandbox.invoices();
  expect(invoice).toMatchObject({ number: 'TEST-000001', due: dateIn(103) });
  expect(invoice.issued_at.toISOString().slice(0, 10)).toBe(dateIn(100));
});
