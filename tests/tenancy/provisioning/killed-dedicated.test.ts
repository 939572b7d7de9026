import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Context, type Machinery, systemContext } from '../../../subgraphs/_kernel/context.ts';
import { connect, PLATFORM_TENANT } from '../../../subgraphs/_kernel/db.ts';
import { openFanOut } from '../../../subgraphs/_kernel/fan-out.ts';
import { HomeCopies } from '../../../subgraphs/_kernel/home-copies.ts';
import { HomePools, Homes, homeUrl } from '../../../subgraphs/_kernel/homes.ts';
import { createLog } from '../../../subgraphs/_kernel/telemetry.ts';
import { migrate } from '../../../subgraphs/migrate.ts';
import { tenancy } from '../../../subgraphs/tenancy/index.ts';
import {
  cancelProvisioning,
  requestTenant,
  takeOverStalled,
} from '../../../subgraphs/tenancy/provisioning/provisioning.service.ts';
import { until } from '../../kernel/by-hand.ts';
import { createTestDatabase, type TestDatabase, testConfig, withClient } from '../../setup/database.ts';
import type { World } from '../../setup/world.ts';
import { aRequest, letTimePass, NOTHING, traceOf, WHOLE } from './trial.ts';
import type { Order } from './worker.main.ts';

/** Where one worker after the other dies that gives a tenant a database of its own, and who takes it back. */
const POINTS = ['write:place', 'act:database', 'IN_MIGRATION', 'act:migrate', 'write:migrate'];
const POINTS_BACK = ['undoAct:database', 'undo:place'];
/** A plan nobody has: its run waits for an answer until it is cancelled. */
const NO_PLAN = 'silver';

const PATIENCE_MS = 30_000;

let database: TestDatabase;
let platform: Context;
let closeAll: () => Promise<void>;
const children = new Set<ChildProcess>();
const sql: World['sql'] = (text, values = []) =>
  withClient(database.url, async (client) => (await client.query(text, values)).rows);

beforeAll(async () => {
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
afterAll(() => closeAll?.(), 60_000);

/** Loads a worker while another still works; it begins when it is told to. */
async function load(): Promise<(diesAt?: string) => ChildProcess> {
  const child = spawn(process.execPath, ['--import', './run.mjs', resolve(import.meta.dirname, 'worker.main.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    cwd: resolve(import.meta.dirname, '../../..'),
  });
  children.add(child);
  child.on('exit', () => children.delete(child));
  await once(child, 'message');
  return (diesAt) => {
    const order: Order = { databaseUrl: database.url, dataDir: mkdtempSync(join(tmpdir(), 'dotmac-worker-')) };
    child.send({ ...order, ...(diesAt ? { diesAt } : {}) });
    return child;
  };
}

const died = async (child: ChildProcess, at: string) => {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const [, how] = await once(child, 'exit', { signal }).catch(() => [null, `alive at ${at}`]);
  return how;
};

/** A minute later, for everything that waits for one. */
async function aMinuteLater(): Promise<void> {
  await letTimePass(sql);
  await sql(
    `update tenancy.provisioning_run set moved_at = moved_at - interval '61 seconds', due_at = due_at - interval '61 seconds'
      where state not in ('SUCCEEDED', 'FAILED', 'STUCK') and set_config('app.tenant_id', tenant_id::text, true) is not null`,
  );
  await takeOverStalled(platform);
}

const ask = (plan = 'starter') => {
  const { idempotencyKey: _, ...asked } = aRequest({ isolation: 'DEDICATED', plan });
  return requestTenant(platform, asked as never, randomUUID());
};

const runOf = async (id: string): Promise<{ state: string; steps: { name: string; state: string }[] }> =>
  (await sql('select state, steps from tenancy.provisioning_run where id = $1', [id]))[0];
const untilIn = (id: string, state: string) => until(state, async () => (await runOf(id)).state === state, PATIENCE_MS);

/** The databases of single tenants. */
const databases = async () =>
  (await sql("select datname from pg_database where starts_with(datname, current_database() || '_')")).map(
    ({ datname }) => datname,
  );

/** Kills a worker in the middle of the migration of the one database of a single tenant there is. */
async function killInMigration(child: ChildProcess): Promise<void> {
  const count = async (databaseUrl: string) =>
    withClient(
      databaseUrl,
      async (client) => (await client.query('select count(*)::int as n from kernel.migration')).rows,
    );
  const [{ n: all }] = await count(database.url);
  const isHalfDone = async () => {
    const [home] = await sql("select name from tenancy.data_home where name <> ''");
    const rows = home && (await count(homeUrl(testConfig(database.url), home.name)).catch(() => undefined));
    return rows?.[0].n > 3 && rows?.[0].n < all;
  };
  await until('a migration is half done', isHalfDone, PATIENCE_MS);
  child.kill('SIGKILL');
}

/** One worker after the other dies at its point. Returns one that lives. */
async function dieAtEach(points: readonly string[], first: Awaited<ReturnType<typeof load>>): Promise<ChildProcess> {
  let next = first;
  for (const point of points) {
    const child = next(point === 'IN_MIGRATION' ? undefined : point);
    const gone = died(child, point);
    if (point === 'IN_MIGRATION') await killInMigration(child);
    next = await load();
    expect({ point, how: await gone }).toEqual({ point, how: 'SIGKILL' });
    await aMinuteLater();
  }
  return next();
}

const placeOf = async (tenantId: string) =>
  (
    await sql(
      `select t.state, p.home, coalesce(r.state, 'HERE') as resident, w.isolation, w.version
         from tenancy.tenant t join kernel.placement p on p.tenant_id = t.id join tenancy.placement w on w.id = t.id
         left join kernel.residence r on r.tenant_id = t.id where t.id = $1`,
      [tenantId],
    )
  )[0];

test('workers killed on the way to a database leave the tenant whole in it, and those on the way back nothing of it', async () => {
  const { id: runId, homeId: tenantId } = await ask();
  const living = await dieAtEach(POINTS, await load());
  await untilIn(runId, 'SUCCEEDED');
  const place = await placeOf(tenantId);
  expect(place).toMatchObject({ state: 'ACTIVE', resident: 'MOVED', isolation: 'DEDICATED', version: 1 });
  expect(await traceOf(sql, tenantId)).toEqual(WHOLE);
  const home = homeUrl(testConfig(database.url), place.home);
  expect(await databases()).toEqual([new URL(home).pathname.slice(1)]);
  const held = `select p.tenant_id, r.state as resident, (select count(*)::int from kernel.entitlement) as licenses
                  from kernel.tenant_profile p join kernel.residence r using (tenant_id)`;
  expect((await withClient(home, (client) => client.query(held))).rows).toEqual([
    { tenant_id: tenantId, resident: 'HERE', licenses: 1 },
  ]);

  const other = await ask(NO_PLAN);
  await untilIn(other.id, 'WAITING');
  expect(await databases()).toHaveLength(2);
  const next = await load();
  const gone = died(living, 'the end of the way there');
  living.kill('SIGKILL');
  await gone;
  await cancelProvisioning(platform, other.id);
  await dieAtEach(POINTS_BACK, next);
  await untilIn(other.id, 'FAILED');
  expect(await placeOf(other.homeId)).toEqual({
    ...{ state: 'FAILED', home: '', resident: 'HERE', isolation: 'SHARED', version: 1 },
  });
  expect(await traceOf(sql, other.homeId)).toEqual(NOTHING);
  expect(await databases()).toHaveLength(1);
  expect(await sql("select name from tenancy.data_home where name <> ''")).toEqual([{ name: place.home }]);
}, 180_000);
