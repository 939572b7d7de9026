import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { homeUrl } from '../../../subgraphs/_kernel/homes.ts';
import { cancelProvisioning, requestTenant } from '../../../subgraphs/tenancy/provisioning/provisioning.service.ts';
import { until } from '../../kernel/by-hand.ts';
import { testConfig, withClient } from '../../setup/database.ts';
import { aRequest, NOTHING, traceOf, WHOLE } from './trial.ts';
import { type Begin, died, openWorkers, type Workers } from './workers.ts';

/** Where one worker after the other dies that gives a tenant a database of its own, and who takes it back. */
const POINTS = ['write:place', 'act:database', 'IN_MIGRATION', 'act:migrate', 'write:migrate'];
const POINTS_BACK = ['undoAct:database', 'undo:place'];
/** A plan nobody has: its run waits for an answer until it is cancelled. */
const NO_PLAN = 'silver';

const PATIENCE_MS = 30_000;

let workers: Workers;
beforeAll(async () => {
  workers = await openWorkers();
}, 60_000);
afterAll(() => workers?.close(), 60_000);
const sql: Workers['sql'] = (...asked) => workers.sql(...asked);

const ask = (plan = 'starter') => {
  const { idempotencyKey: _, ...asked } = aRequest({ isolation: 'DEDICATED', plan });
  return requestTenant(workers.platform, asked as never, randomUUID());
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
  const [{ n: all }] = await count(workers.databaseUrl);
  const isHalfDone = async () => {
    const [home] = await sql("select name from tenancy.data_home where name <> ''");
    const rows = home && (await count(homeUrl(testConfig(workers.databaseUrl), home.name)).catch(() => undefined));
    return rows?.[0].n > 3 && rows?.[0].n < all;
  };
  await until('a migration is half done', isHalfDone, PATIENCE_MS);
  child.kill('SIGKILL');
}

/** One worker after the other dies at its point. Returns one that lives. */
async function dieAtEach(points: readonly string[], first: Begin): Promise<ChildProcess> {
  let next = first;
  for (const point of points) {
    const child = await next(point === 'IN_MIGRATION' ? undefined : point);
    const gone = died(child, point);
    if (point === 'IN_MIGRATION') await killInMigration(child);
    next = workers.load();
    expect({ point, how: await gone }).toEqual({ point, how: 'SIGKILL' });
    await workers.aMinuteLater();
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
  const living = await dieAtEach(POINTS, workers.load());
  await untilIn(runId, 'SUCCEEDED');
  const place = await placeOf(tenantId);
  expect(place).toMatchObject({ state: 'ACTIVE', resident: 'MOVED', isolation: 'DEDICATED', version: 1 });
  expect(await traceOf(sql, tenantId)).toEqual(WHOLE);
  const home = homeUrl(testConfig(workers.databaseUrl), place.home);
  expect(await databases()).toEqual([new URL(home).pathname.slice(1)]);
  const held = `select p.tenant_id, r.state as resident, (select count(*)::int from kernel.entitlement) as licenses
                  from kernel.tenant_profile p join kernel.residence r using (tenant_id)`;
  expect((await withClient(home, (client) => client.query(held))).rows).toEqual([
    { tenant_id: tenantId, resident: 'HERE', licenses: 1 },
  ]);

  const other = await ask(NO_PLAN);
  await untilIn(other.id, 'WAITING');
  expect(await databases()).toHaveLength(2);
  const next = workers.load();
  const gone = died(living, 'the end of the way there');
  living.kill('SIGKILL');
  await gone;
  await cancelProvisioning(workers.platform, other.id);
  await dieAtEach(POINTS_BACK, next);
  await untilIn(other.id, 'FAILED');
  expect(await placeOf(other.homeId)).toEqual({
    ...{ state: 'FAILED', home: '', resident: 'HERE', isolation: 'SHARED', version: 1 },
  });
  expect(await traceOf(sql, other.homeId)).toEqual(NOTHING);
  expect(await databases()).toHaveLength(1);
  expect(await sql("select name from tenancy.data_home where name <> ''")).toEqual([{ name: place.home }]);
}, 180_000);
