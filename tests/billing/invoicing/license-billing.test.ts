import { randomUUID } from 'node:crypto';
import { openTrial, type Trial } from '../trial.ts';
import {
  dateIn,
  hear,
  type Isp,
  line,
  month,
  newIsp,
  note,
  say,
  sayElsewhere,
  trialBalance,
} from './license-customer.ts';

let trial: Trial;
let isp: Isp;
beforeAll(async () => {
  trial = await openTrial();
});
beforeEach(async () => {
  isp = await newIsp(trial);
});
afterAll(async () => {
  expect(await trialBalance(trial)).toEqual([]);
  await trial.close();
});

const referenceTo = ({ licensedTenantId, licenseId }: Isp, period: { periodStart: string; periodEnd: string }) => ({
  ...{ licensedTenantId, licenseId },
  ...{ periodStart: period.periodStart, periodEnd: period.periodEnd },
});

describe('a renewal', () => {
  test('is invoiced at once, due by terms, and the platform is told which period it is for', async () => {
    const asked = isp.renewal();
    await say(trial, 'licensing.renewal.requested', asked);
    const [invoice, ...others] = await isp.invoices();
    expect(others).toEqual([]);
    expect(invoice).toMatchObject({ status: 'ISSUED', total: 9900, open: 9900, due: dateIn(14), overdue_since: null });
    expect(invoice.number).toMatch(/^INV-\d{4}-\d{6}$/);
    expect(invoice.late_from.toISOString()).toBe(`${dateIn(15)}T00:00:00.000Z`);
    expect(await isp.told()).toEqual([
      [
        'invoice.issued',
        {
          ...{ invoiceId: invoice.id, customerId: isp.customerId, dueOn: dateIn(14) },
          ...{ totalMinor: '9900', openMinor: '9900', currency: 'USD', references: [referenceTo(isp, asked)] },
        },
      ],
    ]);
    expect(await isp.books()).toEqual({ owed: 9900, ahead: 0 });
  });

  test('that is prepaid is due on the day its period starts', async () => {
    await hear(trial, 'invoiceRenewal', isp.renewal({ terms: 'PREPAID', ...month(5) }));
    expect(await isp.invoices()).toMatchObject([{ status: 'ISSUED', due: dateIn(5) }]);
  });

  test('that is asked for late is not due before its day', async () => {
    await hear(trial, 'invoiceRenewal', isp.renewal({ terms: 'PREPAID', ...month(-3) }));
    expect(await isp.invoices()).toMatchObject([{ due: dateIn(0) }]);
  });

  test('is invoiced once, however often and by however many it is heard', async () => {
    const asked = isp.renewal();
    const parallel = Array.from({ length: 20 }, () => hear(trial, 'invoiceRenewal', asked).catch(() => 'tried again'));
    await Promise.all(parallel);
    for (let i = 0; i < 3; i += 1) await hear(trial, 'invoiceRenewal', asked, { seq: i });
    expect(await isp.invoices()).toHaveLength(1);
    expect(await isp.names()).toEqual(['issued']);
    expect(await isp.books()).toEqual({ owed: 9900, ahead: 0 });
  });

  test('that costs nothing is issued and paid at once', async () => {
    await hear(trial, 'invoiceRenewal', isp.renewal({ lines: [line('plan', 0)] }));
    expect(await isp.invoices()).toMatchObject([{ status: 'PAID', total: 0, open: 0 }]);
    expect(await isp.names()).toEqual(['issued', 'paid']);
  });

  test('is settled by money that was paid ahead', async () => {
    await isp.pay(10_000);
    await hear(trial, 'invoiceRenewal', isp.renewal());
    expect(await isp.invoices()).toMatchObject([{ status: 'PAID', open: 0 }]);
    const told = await isp.told();
    expect(told.map(([name, { openMinor }]) => [name, openMinor])).toEqual([
      ['payment.succeeded', undefined],
      ['invoice.issued', '0'],
      ['invoice.paid', '0'],
    ]);
    expect(told[2]?.[1].references).toHaveLength(1);
    expect(await isp.books()).toEqual({ owed: 0, ahead: 100 });
  });
});

describe('a change of licence', () => {
  test('is one invoice of credit and charge, heard three times', async () => {
    const change = isp.change();
    for (let i = 0; i < 3; i += 1) await hear(trial, 'chargeLicenseChange', change);
    const [invoice] = await isp.invoices();
    expect(invoice).toMatchObject({ total: 9414, open: 9414, due: dateIn(14) });
    expect(invoice.references.every((r: { changeId: string }) => r.changeId === change.changeId)).toBe(true);
    expect(await isp.names()).toEqual(['issued']);
    expect(
      await trial.sql('select net_minor::int as net from billing.charge where invoice_id = $1 order by id', [
        invoice.id,
      ]),
    ).toEqual([{ net: -4660 }, { net: 14074 }]);
  });

  test('that gives money back settles what is open, oldest first; the rest waits for the next invoice', async () => {
    await hear(trial, 'invoiceRenewal', isp.renewal());
    await hear(trial, 'invoiceRenewal', isp.renewal({ ...month(51), terms: 'PREPAID' }));
    const downgrade = isp.change({ lines: [line('credit', -15_000), line('charge', 100)] });
    for (let i = 0; i < 2; i += 1) await hear(trial, 'chargeLicenseChange', downgrade);
    expect(await isp.invoices()).toMatchObject([
      { status: 'PAID', open: 0 },
      { status: 'ISSUED', open: 4900 },
    ]);
    await hear(trial, 'chargeLicenseChange', isp.change({ lines: [line('credit', -10_000)] }));
    expect(await isp.books()).toEqual({ owed: 0, ahead: 5100 });
    await hear(trial, 'invoiceRenewal', isp.renewal(month(82)));
    expect(await isp.invoices()).toMatchObject([{}, { status: 'PAID' }, { status: 'ISSUED', total: 9900, open: 4800 }]);
    expect((await isp.told()).at(-1)).toMatchObject(['invoice.issued', { totalMinor: '9900', openMinor: '4800' }]);
  });

  test('that comes to nothing leaves no invoice', async () => {
    await hear(trial, 'chargeLicenseChange', isp.change({ lines: [] }));
    await hear(trial, 'chargeLicenseChange', isp.change({ lines: [line('credit', -500), line('charge', 500)] }));
    expect(await isp.invoices()).toEqual([]);
    expect(await isp.books()).toEqual({ owed: 0, ahead: 0 });
  });
});

describe('a change that waits for its payment', () => {
  const awaiting = (over = {}) => isp.change({ status: 'AWAITING_PAYMENT', ...over });

  test('is asked for when announced, due at once, and not charged again when it applies', async () => {
    const change = awaiting();
    for (let i = 0; i < 2; i += 1) await hear(trial, 'invoiceLicenseChange', change);
    expect(await isp.invoices()).toMatchObject([
      { total: 9414, due: dateIn(0), references: [{ changeId: change.changeId }] },
    ]);
    await isp.pay(9414);
    expect((await isp.told()).at(-1)).toMatchObject(['invoice.paid', { references: [{ changeId: change.changeId }] }]);
    const applied = { ...change, status: 'APPLIED', lines: [...change.lines, line('charge:setup', 2500)] };
    for (let i = 0; i < 2; i += 1) await hear(trial, 'chargeLicenseChange', applied);
    expect(await isp.invoices()).toMatchObject([{ status: 'PAID' }, { total: 2500, due: dateIn(14) }]);
    await hear(trial, 'invoiceLicenseChange', change);
    expect(await isp.books()).toEqual({ owed: 2500, ahead: 0 });
  });

  test('that costs nothing is paid at once, and what it gives back comes when it applies', async () => {
    const change = awaiting({ lines: [line('credit', -300)] });
    await hear(trial, 'invoiceLicenseChange', change);
    expect(await isp.names()).toEqual(['issued', 'paid']);
    expect(await isp.books()).toEqual({ owed: 0, ahead: 0 });
    await hear(trial, 'chargeLicenseChange', { ...change, status: 'APPLIED' });
    expect(await isp.books()).toEqual({ owed: 0, ahead: 300 });
  });

  test('and is cancelled leaves nothing owed, and its number used', async () => {
    const change = awaiting();
    await hear(trial, 'invoiceLicenseChange', change);
    const cancelled = { changeId: change.changeId, licensedTenantId: isp.licensedTenantId };
    for (let i = 0; i < 2; i += 1) await hear(trial, 'voidLicenseChange', cancelled);
    await hear(trial, 'invoiceLicenseChange', change);
    expect(await isp.invoices()).toMatchObject([{ status: 'VOID', open: 0, total: 9414 }]);
    expect(await isp.names()).toEqual(['issued']);
    expect(await isp.books()).toEqual({ owed: 0, ahead: 0 });
  });

  test('and is cancelled gives back what was paid for it, which settles what else is open', async () => {
    const change = awaiting();
    await hear(trial, 'invoiceLicenseChange', change);
    await isp.pay(9414);
    await hear(trial, 'invoiceRenewal', isp.renewal());
    await hear(trial, 'voidLicenseChange', { changeId: change.changeId, licensedTenantId: isp.licensedTenantId });
    expect(await isp.invoices()).toMatchObject([{ status: 'VOID' }, { status: 'ISSUED', open: 486 }]);
    expect(await isp.names()).toEqual(['issued', 'paid', 'issued']);
    expect(await isp.books()).toEqual({ owed: 486, ahead: 0 });
  });

  test('is not asked for where it is heard of after its end', async () => {
    const change = awaiting();
    const seq = await note(trial, 'licensing.change.scheduled', change);
    const cancelled = { changeId: change.changeId, licensedTenantId: isp.licensedTenantId };
    await note(trial, 'licensing.change.cancelled', cancelled);
    await hear(trial, 'voidLicenseChange', cancelled);
    await hear(trial, 'invoiceLicenseChange', change, { seq });
    expect(await isp.invoices()).toEqual([]);
  });

  test('differs from one that waits for its day, which costs nothing before', async () => {
    await hear(trial, 'invoiceLicenseChange', isp.change({ status: 'SCHEDULED' }));
    expect(await isp.invoices()).toEqual([]);
  });
});

describe('use above a limit', () => {
  test('is charged at its rate, rounded half-even on the line, once', async () => {
    const usage = isp.usage();
    for (let i = 0; i < 2; i += 1) await hear(trial, 'chargeOverage', usage);
    await hear(trial, 'chargeOverage', { ...usage, key: 'storage_gb', excess: '1.5', unitRate: '0.50' });
    await hear(trial, 'chargeOverage', { ...usage, ...month(-62), excess: '4' });
    expect(await isp.invoices()).toMatchObject([
      { total: 1234, due: dateIn(14), references: [referenceTo(isp, usage)] },
      { total: 75 },
    ]);
  });
});

describe('what licensing tells', () => {
  test.each([
    ['invoiceRenewal', () => isp.renewal()],
    ['invoiceLicenseChange', () => isp.change({ status: 'AWAITING_PAYMENT' })],
    ['chargeLicenseChange', () => isp.change()],
    ['voidLicenseChange', () => ({ changeId: randomUUID(), licensedTenantId: isp.licensedTenantId })],
    ['chargeOverage', () => isp.usage()],
    ['stopRenewal', () => isp.stop()],
  ] as const)('in the log of an ISP is nobody’s bill: %s', async (name, payload) => {
    const charges = () => trial.sql('select count(*) from billing.charge');
    const before = await charges();
    await sayElsewhere(trial, 'kestrel', name, payload());
    expect(await charges()).toEqual(before);
    expect(await trial.sql('select id from billing.invoice where tenant_id = $1', [trial.tenantId('kestrel')])).toEqual(
      [],
    );
    expect(await isp.invoices()).toEqual([]);
  });

  test('of a tenant that is no customer, or in another currency, fails visibly and bills nothing', async () => {
    await expect(hear(trial, 'invoiceRenewal', { ...isp.renewal(), licensedTenantId: randomUUID() })).rejects.toThrow(
      'no customer of the platform',
    );
    const lines = [{ ...line('plan', 100), currency: 'EUR' }];
    await expect(hear(trial, 'invoiceRenewal', isp.renewal({ lines }))).rejects.toThrow('pays in USD');
    expect(await isp.invoices()).toEqual([]);
  });
});
