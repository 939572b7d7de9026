import { openTrial, type Trial } from '../trial.ts';
import { hear, type Isp, line, month, newIsp, note, trialBalance } from './license-customer.ts';

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

const ask = async (asked = isp.renewal()) => {
  const seq = await note(trial, 'licensing.renewal.requested', asked);
  return { seq, hear: () => hear(trial, 'invoiceRenewal', asked, { seq }) };
};
const stop = async () => {
  const seq = await note(trial, 'licensing.license.renewal_stopped', isp.stop());
  return { seq, hear: () => hear(trial, 'stopRenewal', isp.stop(), { seq }) };
};

test('a period that will not begin is taken back: nothing is owed, and what was paid is credit', async () => {
  await isp.pay(5000);
  await (await ask()).hear();
  expect(await isp.books()).toEqual({ owed: 4900, ahead: 0 });
  const stopped = await stop();
  for (let i = 0; i < 2; i += 1) await stopped.hear();
  expect(await isp.invoices()).toMatchObject([{ status: 'VOID', open: 0 }]);
  expect(await isp.names()).toEqual(['issued']);
  expect(await isp.books()).toEqual({ owed: 0, ahead: 5000 });
});

test('a period that has begun stays owed, and so does another licence’s', async () => {
  const begun = isp.renewal(month(-1));
  await hear(trial, 'invoiceRenewal', begun);
  const other = await newIsp(trial);
  await hear(trial, 'invoiceRenewal', other.renewal());
  await (await stop()).hear();
  expect(await isp.invoices()).toMatchObject([{ status: 'ISSUED', open: 9900 }]);
  expect(await other.invoices()).toMatchObject([{ status: 'ISSUED' }]);
});

test('asked for again after the renewal is resumed, the period is charged anew, at the price it then has', async () => {
  const first = await ask();
  await first.hear();
  const stopped = await stop();
  await stopped.hear();
  await first.hear();
  expect(await isp.invoices()).toHaveLength(1);
  const period = month();
  const again = await ask(isp.renewal({ ...period, lines: [line('plan:starter@1', 12_000, period)] }));
  expect(await isp.invoices()).toMatchObject([{ status: 'VOID' }]);
  await again.hear();
  await stopped.hear();
  await first.hear();
  expect(await isp.invoices()).toMatchObject([{ status: 'VOID' }, { status: 'ISSUED', total: 12_000 }]);
  expect(await isp.books()).toEqual({ owed: 12_000, ahead: 0 });
});

test('in whatever order they are heard, what was told last holds', async () => {
  const period = month();
  const price = (minor: number) => isp.renewal({ ...period, lines: [line('plan', minor, period)] });
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  for (const order of orders) {
    isp = await newIsp(trial);
    const asked = price(9900);
    const told = [
      await ask(asked),
      await stop(),
      await ask({ ...asked, ...price(12_000), licenseId: asked.licenseId }),
    ];
    for (const i of order) await told[i]?.hear();
    const standing = (await isp.invoices()).filter(({ status }) => status !== 'VOID');
    expect({ order, standing: standing.map(({ total }) => total) }).toEqual({ order, standing: [12_000] });
    expect(await isp.books()).toEqual({ owed: 12_000, ahead: 0 });
  }
});

test('a stop that was told after the request, and heard before it, leaves nothing to pay', async () => {
  const asked = await ask();
  await (await stop()).hear();
  await asked.hear();
  expect(await isp.invoices()).toEqual([]);
  expect(await isp.names()).toEqual([]);
});

test('what a change charged for the period that will not begin is given back, once', async () => {
  const [rest, next] = [month(-15), month(15)];
  const change = isp.change({
    lines: [line('charge:rest', 7000, rest), line('credit:next', -9900, next), line('charge:next', 29_900, next)],
  });
  await hear(trial, 'chargeLicenseChange', change, { seq: 0 });
  const stopped = await stop();
  for (let i = 0; i < 2; i += 1) await stopped.hear();
  expect(await isp.invoices()).toMatchObject([{ total: 27_000, open: 7000 }]);
  expect(await isp.books()).toEqual({ owed: 7000, ahead: 0 });
  await isp.pay(7000);
  expect((await isp.names()).at(-1)).toBe('paid');
});

test('what a change gave back for the period that will not begin is charged again, as time nobody gets', async () => {
  await hear(trial, 'chargeLicenseChange', isp.change({ lines: [line('credit:next', -2000, month(15))] }), { seq: 0 });
  expect(await isp.books()).toEqual({ owed: 0, ahead: 2000 });
  await (await stop()).hear();
  const [invoice] = await isp.invoices();
  expect(invoice).toMatchObject({ status: 'PAID', total: 2000, references: [{ licenseId: isp.licenseId }] });
  const [{ periodStart, periodEnd }] = invoice.references; // no time that a payment could be taken to pay for
  expect(periodEnd).toBe(periodStart);
  expect(new Date(periodEnd).getTime()).toBeLessThan(Date.now() + 60_000);
  expect(await isp.books()).toEqual({ owed: 0, ahead: 0 });
});

test('a change that still waits for its payment is not given back twice', async () => {
  const change = isp.change({ status: 'AWAITING_PAYMENT', lines: [line('charge:next', 5000, month(15))] });
  await hear(trial, 'invoiceLicenseChange', change, { seq: 0 });
  await (await stop()).hear();
  await hear(trial, 'voidLicenseChange', change);
  expect(await isp.books()).toEqual({ owed: 0, ahead: 0 });
});
