import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { configAt } from '../../../subgraphs/_kernel/homes.ts';
import { createTestDatabase, type TestDatabase, testConfig, withClient } from '../../setup/database.ts';
import { type Asked, tenantId } from './move-world.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const NORTHWIND = tenantId('northwind');
/** Each process is killed as soon as it is seen in this step, and the last one is left alone. */
const STEPS = ['COPY', 'FOLLOW', 'PAUSE', 'SWITCH', 'SETTLE'];

describe('A move whose process is killed', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database?.drop());

  const sql = (text: string, values: unknown[] = [], home = ''): Promise<Asked[]> =>
    withClient(String(configAt(testConfig(database.url), home).DATABASE_URL), async (client) => {
      await client.query("select set_config('app.tenant_id', $1, false)", [NORTHWIND]);
      return (await client.query(text, values)).rows;
    });
  const sums = async (home: string) => {
    const tables = await sql(
      `select tgrelid::regclass::text as name from pg_trigger where tgname = 'follow' and tgrelid::regclass::text not like 'kernel.%' order by 1`,
    );
    const parts: unknown[] = [];
    for (const { name } of tables)
      parts.push([
        name,
        ...(await sql(
          `select count(*)::int as rows, sum(hashtext(t::text)) as sum from ${name} t where tenant_id = $1`,
          [NORTHWIND],
          home,
        )),
      ]);
    return parts;
  };
  const begin = (isolation: string, from: string, to: string) =>
    sql(
      `insert into tenancy.move_run (tenant_id, state, step, isolation, region, from_home, to_home)
       values ($1, 'RUNNING', 'RESERVE', $2, 'eu', $3, $4) returning id`,
      [NORTHWIND, isolation, from, to],
    );
  const runOf = async () =>
    (await sql('select * from tenancy.move_run where tenant_id = $1 order by started_at desc limit 1', [NORTHWIND]))[0];

  /** One process that carries the move, killed when it is seen in a step. Returns the step it was killed in, if it was. */
  const carry = async (step?: string): Promise<string | undefined> => {
    const args = ['--import', './run.mjs', 'tests/tenancy/placement/mover.main.ts', database.url, NORTHWIND];
    const program = resolve(ROOT, 'node_modules/.bin/node');
    const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
    let hasEnded = false;
    const exit = once(child, 'exit').then(() => {
      hasEnded = true;
    });
    // The step a former one was killed in stands there until this one has begun.
    await sql("update tenancy.move_run set step = 'RESERVE' where tenant_id = $1 and step <> 'SETTLE'", [NORTHWIND]);
    await withClient(database.url, async (client) => {
      while (step && !hasEnded) {
        const { rows } = await client.query(
          'select step, lease_until from tenancy.move_run where tenant_id = $1 order by started_at desc limit 1',
          [NORTHWIND],
        );
        if (rows[0].step === step && rows[0].lease_until) child.kill('SIGKILL');
        await sleep(2);
      }
    });
    await exit;
    // Nobody waits a minute here for the lease of the dead to end.
    await sql("update tenancy.move_run set lease_until = null where tenant_id = $1 and state = 'RUNNING'", [NORTHWIND]);
    return child.signalCode === 'SIGKILL' ? (await runOf()).step : undefined;
  };

  test.each([
    ['to a home of its own', 'DEDICATED', '', 'h000000000a02_2'],
    ['back to the shared one', 'SHARED', 'h000000000a02_2', ''],
  ])(
    '%s is carried on by the next, and nothing is lost or doubled, wherever it stood',
    async (_, isolation, from, to) => {
      const before = await sums(from);
      await begin(isolation, from, to);
      const killed: string[] = [];
      for (const step of to === '' ? STEPS : ['DATABASE', ...STEPS]) {
        const found = await carry(step);
        if (found) killed.push(found);
      }
      if ((await runOf()).state === 'RUNNING') await carry();
      console.log(`killed in ${killed.join(', ')}`);
      expect(killed.length).toBeGreaterThan(3);
      expect(await runOf()).toMatchObject({ state: 'DONE', error: null });
      expect(await sums(to)).toEqual(before);
      expect(
        (await sql('select version, home from kernel.placement where tenant_id = $1', [NORTHWIND]))[0],
      ).toMatchObject({ home: to });
      expect(
        (await sql('select is_write_paused from tenancy.tenant where id = $1', [NORTHWIND]))[0].is_write_paused,
      ).toBe(false);
      const state = async (home: string) =>
        (await sql('select state from kernel.residence where tenant_id = $1', [NORTHWIND], home))[0].state;
      expect([await state(from), await state(to)]).toEqual(['MOVED', 'HERE']);
    },
    200_000,
  );
});
