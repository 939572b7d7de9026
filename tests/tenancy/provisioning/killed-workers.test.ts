import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { cancelProvisioning, requestTenant } from '../../../subgraphs/tenancy/provisioning/provisioning.service.ts';
import { aRequest, NOTHING, traceOf, WHOLE } from './trial.ts';
import { type Begin, died, openWorkers, type Workers } from './workers.ts';

/** Where a worker dies on the way: in each step, and in what other domains do for it. */
const POINTS = [
  ...['reserve', 'place', 'seed', 'license', 'account', 'admin', 'domain', 'activate'].map((step) => `write:${step}`),
  ...['domain', 'verify'].map((step) => `act:${step}`),
  ...['licensing.startProvisionedLicense', 'billing.openLicensedAccount', 'identity.inviteFirstAdmin'],
  ...['tenancy.countLicense', 'tenancy.countAccount', 'tenancy.countAdmin'],
].map((point) => (point.includes(':') ? point : `hear:${point}`));

/** And where on the way back. */
const POINTS_BACK = [
  ...['license', 'account', 'admin', 'domain'].map((step) => `undo:${step}`),
  'undoAct:domain',
  ...['licensing.withdrawProvisionedLicense', 'billing.closeLicensedAccount', 'identity.withdrawFirstAdmin'].map(
    (hearer) => `hear:${hearer}`,
  ),
];

/** The run of the example world. */
const SEEDED = seedId('5008');

/** What moved so lately is a worker's that lives, milliseconds: its minutes pass as they do. */
const WORKED_MS = 1_500;

let workers: Workers;
beforeEach(async () => {
  workers = await openWorkers();
}, 60_000);
afterEach(() => workers?.close(), 60_000);
const sql: Workers['sql'] = (...asked) => workers.sql(...asked);

type Ended = { id: string; tenant_id: string; state: string; error: string | null };

/** Works on with a process that lives until every run has ended. */
async function endOfAll(begin: Begin): Promise<Ended[]> {
  await begin();
  for (let i = 0; i < 40; i++) {
    for (let looks = 0; looks < 12; looks++) {
      await sleep(250);
      const runs: Ended[] = await sql(
        'select id, tenant_id, state, error from tenancy.provisioning_run where id <> $1 order by id',
        [SEEDED],
      );
      if (runs.every(({ state }) => state === 'SUCCEEDED' || state === 'FAILED')) return runs;
    }
    await workers.aMinuteLater(WORKED_MS);
  }
  const open = await sql(
    "select state, steps from tenancy.provisioning_run where state not in ('SUCCEEDED', 'FAILED')",
  );
  throw new Error(`Some runs have not ended: ${JSON.stringify(open)}`);
}

async function checkEach(runs: readonly Ended[]): Promise<void> {
  for (const { tenant_id: id, state } of runs) {
    const [tenant] = await sql('select state from tenancy.tenant where id = $1', [id]);
    const isWhole = state === 'SUCCEEDED';
    expect({ ...(await traceOf(sql, id)), state: tenant.state }).toEqual(
      isWhole ? { ...WHOLE, state: 'ACTIVE' } : { ...NOTHING, state: 'FAILED' },
    );
    const changes = await sql('select seq from tenancy.provisioning_change where tenant_id = $1 order by seq', [id]);
    expect(changes.map(({ seq }) => seq)).toEqual(changes.map((_, i) => i + 1));
    const told = await sql(
      "select payload ->> 'step' as step, count(*)::int as n from kernel.event where tenant_id = $1 and name = 'tenancy.provisioning.step_completed' group by 1 having count(*) > 1",
      [id],
    );
    expect(told).toEqual([]);
  }
}

const ask = (slug = aRequest().slug) => {
  const { idempotencyKey: _, ...asked } = aRequest({ slug });
  return requestTenant(workers.platform, asked as never, randomUUID());
};

test('a worker killed at any step, or while another domain does its part, leaves each tenant whole or undone', async () => {
  let next = workers.load();
  for (const point of POINTS) {
    await ask();
    const child = await next(point);
    next = workers.load();
    expect({ point, how: await died(child, point) }).toEqual({ point, how: 'SIGKILL' });
    await workers.aMinuteLater(WORKED_MS);
  }
  const runs = await endOfAll(next);
  // Minutes pass in seconds here: now and then one has waited too long for an answer, and is undone.
  expect(runs.filter(({ state }) => state === 'SUCCEEDED').length).toBeGreaterThan(POINTS.length / 2);
  await checkEach(runs);
}, 300_000);

test('a worker killed at any step of the way back leaves nothing in the end', async () => {
  let next = workers.load();
  for (const point of POINTS_BACK) {
    const { id } = await ask(`refuse-${aRequest().slug}`);
    const child = await next(point);
    next = workers.load();
    const gone = died(child, point);
    // It may die over a run of before already, and never come so far with this one.
    for (let i = 0; i < 100 && child.signalCode === null; i++) {
      const [run] = await sql('select steps from tenancy.provisioning_run where id = $1', [id]);
      if (run.steps.some(({ name, attempts }: { name: string; attempts: number }) => name === 'domain' && attempts > 0))
        break;
      await sleep(100);
    }
    await cancelProvisioning(workers.platform, id);
    expect({ point, how: await gone }).toEqual({ point, how: 'SIGKILL' });
    await workers.aMinuteLater(WORKED_MS);
  }
  const runs = await endOfAll(next);
  expect(runs.map(({ state, error }) => [state, error])).toEqual(POINTS_BACK.map(() => ['FAILED', 'Cancelled.']));
  await checkEach(runs);
}, 300_000);

test('twenty runs under workers that are killed at random all end whole or undone', async () => {
  for (let i = 0; i < 20; i++) await ask(i % 5 === 4 ? `refuse-${aRequest().slug}` : undefined);
  let next = workers.load();
  for (let i = 0; i < 8; i++) {
    const child = await next();
    next = workers.load();
    await once(child, 'message');
    await sleep(Math.random() * 600);
    child.kill('SIGKILL');
    await workers.aMinuteLater(WORKED_MS);
  }
  const runs = await endOfAll(next);
  expect(runs).toHaveLength(20);
  await checkEach(runs);
}, 300_000);
