import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, type Machinery, systemContext } from '../../../subgraphs/_kernel/context.ts';
import { connect, PLATFORM_TENANT } from '../../../subgraphs/_kernel/db.ts';
import { openFanOut } from '../../../subgraphs/_kernel/fan-out.ts';
import { HomeCopies } from '../../../subgraphs/_kernel/home-copies.ts';
import { HomePools, Homes } from '../../../subgraphs/_kernel/homes.ts';
import { seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { createLog } from '../../../subgraphs/_kernel/telemetry.ts';
import { migrate } from '../../../subgraphs/migrate.ts';
import { tenancy } from '../../../subgraphs/tenancy/index.ts';
import {
  cancelProvisioning,
  requestTenant,
  takeOverStalled,
} from '../../../subgraphs/tenancy/provisioning/provisioning.service.ts';
import { createTestDatabase, type TestDatabase, testConfig, withClient } from '../../setup/database.ts';
import type { World } from '../../setup/world.ts';
import { aRequest, letTimePass, NOTHING, traceOf, WHOLE } from './trial.ts';
import type { Order } from './worker.main.ts';

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

let database: TestDatabase;
let platform: Context;
let closeAll: () => Promise<void>;
const children = new Set<ChildProcess>();
const sql: World['sql'] = (text, values = []) =>
  withClient(database.url, async (client) => (await client.query(text, values)).rows);

beforeEach(async () => {
  database = await createTestDatabase();
  const config = testConfig(database.url);
  const log = createLog(config, 'test');
  const db = await connect(config, 'svc_tenancy', tenancy.entities as never, log);
  const platformDb = await connect(config, 'dotmac_platform', tenancy.entities as never, log);
  const fanOut = openFanOut(config, log);
  const [homePools, copies] = [new HomePools(config, log), new HomeCopies(config)];
  const homes = new Homes(db, homePools, 'svc_tenancy', tenancy.entities as never, false);
  const machinery: Machinery = { name: 'tenancy', db, platformDb, homes, copies, migrate, fanOut, log, config };
  platform = await systemContext(machinery, PLATFORM_TENANT);
  closeAll = async () => {
    for (const child of children) child.kill('SIGKILL');
    await platform.end();
    await fanOut.close();
    await Promise.all([db.close(), platformDb.close(), copies.close(), homePools.close()]);
    await database.drop();
  };
}, 60_000);
afterEach(() => closeAll(), 60_000);

/** Loads a worker while another still works; it begins when it is told to. */
async function load(): Promise<(diesAt?: string) => Promise<ChildProcess>> {
  const child = spawn(process.execPath, ['--import', './run.mjs', resolve(import.meta.dirname, 'worker.main.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    cwd: resolve(import.meta.dirname, '../../..'),
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  const loaded = once(child, 'message');
  return async (diesAt) => {
    await loaded;
    const order: Order = { databaseUrl: database.url, dataDir: mkdtempSync(join(tmpdir(), 'dotmac-worker-')) };
    child.send({ ...order, ...(diesAt ? { diesAt } : {}) });
    return child;
  };
}

const died = async (child: ChildProcess, at: string) => {
  const signal = AbortSignal.timeout(30_000);
  const [, how] = await once(child, 'exit', { signal }).catch(() => [null, `alive at ${at}`]);
  return how;
};

/** A minute later, for everything that waits for one. */
async function aMinuteLater(): Promise<void> {
  await letTimePass(sql);
  await sql(
    `update tenancy.provisioning_run set moved_at = moved_at - interval '61 seconds', due_at = due_at - interval '61 seconds'
      where state not in ('SUCCEEDED', 'FAILED', 'STUCK') and moved_at < now() - interval '1500 ms'
        and set_config('app.tenant_id', tenant_id::text, true) is not null`,
  );
  await takeOverStalled(platform);
}

type Ended = { id: string; tenant_id: string; state: string; error: string | null };

/** Works on with a process that lives until every run has ended. */
async function endOfAll(begin: (diesAt?: string) => Promise<ChildProcess>): Promise<Ended[]> {
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
    await aMinuteLater();
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
  return requestTenant(platform, asked as never, randomUUID());
};

test('a worker killed at any step, or while another domain does its part, leaves each tenant whole or undone', async () => {
  let next = await load();
  for (const point of POINTS) {
    await ask();
    const child = await next(point);
    next = await load();
    expect({ point, how: await died(child, point) }).toEqual({ point, how: 'SIGKILL' });
    await aMinuteLater();
  }
  const runs = await endOfAll(next);
  // Minutes pass in seconds here: now and then one has waited too long for an answer, and is undone.
  expect(runs.filter(({ state }) => state === 'SUCCEEDED').length).toBeGreaterThan(POINTS.length / 2);
  await checkEach(runs);
}, 300_000);

test('a worker killed at any step of the way back leaves nothing in the end', async () => {
  let next = await load();
  for (const point of POINTS_BACK) {
    const { id } = await ask(`refuse-${aRequest().slug}`);
    const child = await next(point);
    next = await load();
    const gone = died(child, point);
    // It may die over a run of before already, and never come so far with this one.
    for (let i = 0; i < 100 && child.signalCode === null; i++) {
      const [run] = await sql('select steps from tenancy.provisioning_run where id = $1', [id]);
      if (run.steps.some(({ name, attempts }: { name: string; attempts: number }) => name === 'domain' && attempts > 0))
        break;
      await sleep(100);
    }
    await cancelProvisioning(platform, id);
    expect({ point, how: await gone }).toEqual({ point, how: 'SIGKILL' });
    await aMinuteLater();
  }
  const runs = await endOfAll(next);
  expect(runs.map(({ state, error }) => [state, error])).toEqual(POINTS_BACK.map(() => ['FAILED', 'Cancelled.']));
  await checkEach(runs);
}, 300_000);

test('twenty runs under workers that are killed at random all end whole or undone', async () => {
  for (let i = 0; i < 20; i++) await ask(i % 5 === 4 ? `refuse-${aRequest().slug}` : undefined);
  let next = await load();
  for (let i = 0; i < 8; i++) {
    const child = await next();
    next = await load();
    await once(child, 'message');
    await sleep(Math.random() * 600);
    child.kill('SIGKILL');
    await aMinuteLater();
  }
  const runs = await endOfAll(next);
  expect(runs).toHaveLength(20);
  await checkEach(runs);
}, 300_000);
