import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from 'graphile-worker';
import { HomeJobs } from '../../subgraphs/_kernel/home-jobs.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { createTestDatabase, type TestDatabase, testConfig, withClient } from '../setup/database.ts';

const HOMES = Array.from({ length: 40 }, (_, i) => `home_${i}`);
/** Of a few homes at once, each with its jobs and one to look for more. */
const MOST_CONNECTIONS = 12;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
}, 60_000);
afterAll(() => database?.drop());

test('Jobs of many homes run in their turns, and take the connections of a few', async () => {
  // One database stands for all homes: what is counted are those who come to it.
  const config = testConfig(database.url, { HOME_URLS: HOMES.map((home) => `${home}=${database.url}`).join(',') });
  let done = 0;
  const jobs = new HomeJobs(
    config,
    () => ({
      probe: async () => {
        done++;
        await sleep(20);
      },
    }),
    new Logger(() => () => undefined),
    createLog(config, 'test'),
  );
  await withClient(database.url, async (client) => {
    const add = () => client.query(`select graphile_worker.add_job('probe')`);
    const connections = async (): Promise<number> => {
      const { rows } = await client.query(
        `select count(*)::int as n from pg_stat_activity where usename = 'dotmac_jobs' and datname = current_database()`,
      );
      return rows[0].n;
    };
    for (let i = 0; i < HOMES.length; i++) await add();
    for (const home of HOMES) jobs.run(home);
    let most = 0;
    for (const until = Date.now() + 20_000; done < HOMES.length && Date.now() < until; await sleep(5))
      most = Math.max(most, await connections());
    expect(done).toBe(HOMES.length);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(MOST_CONNECTIONS);

    // What comes while a home runs is not forgotten.
    await add();
    jobs.run('home_0');
    await add();
    jobs.run('home_0');
    for (const until = Date.now() + 10_000; done < HOMES.length + 2 && Date.now() < until; ) await sleep(10);
    expect(done).toBe(HOMES.length + 2);
  });
  await jobs.close();
}, 60_000);
