import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Config, readConfig } from '../../subgraphs/_kernel/config.ts';
import { devSecrets } from '../../subgraphs/_kernel/dev-secrets.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { migrate } from '../../subgraphs/migrate.ts';
import { buildWorld } from '../../subgraphs/seed.ts';
import { serve } from '../../subgraphs/serve.ts';

/** The migrated and seeded database every test's own is copied from. */
const TEMPLATE = 'dotmac_template';

/** Tests and benches ask faster than people do; those that are about rates set their own. */
const NO_RATES = { RATE_PER_CALLER: '1000000000', RATE_PER_TENANT: '1000000000', RATE_PER_ADDRESS: '1000000000' };

/** A busy machine is none of what tests are about; those that are about waiting set their own. Benches wait as others do. */
const PATIENCE = { DATABASE_WAIT_MS: '3000' };

/** Where the files of a test's database lie. */
const filesOf = (databaseUrl: string) => join(tmpdir(), 'dotmac-test-files', new URL(databaseUrl).pathname.slice(1));

/** The configuration of a test: its own database, secrets that all tests share. */
export function testConfig(databaseUrl: string, env: Record<string, string> = {}): Config {
  const secrets = devSecrets(
    process.env.TEST_SECRETS_DIR ?? join(tmpdir(), `dotmac-test-secrets-${process.getuid?.() ?? 0}`),
  );
  return readConfig(
    {
      NODE_ENV: 'test',
      LOG_LEVEL: process.env.TEST_LOG ?? 'silent',
      PORT: '0',
      DATABASE_URL: databaseUrl,
      DATA_DIR: filesOf(databaseUrl),
      ...NO_RATES,
      ...(process.env.JEST_WORKER_ID ? PATIENCE : {}),
      ...env,
    },
    secrets,
  );
}

const urlOf = (server: string, database: string) => {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
};

/** A connection as the superuser or a role, around whatever the services do; ended when `run` is. */
export async function withClient<T>(url: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

const asAdmin = <T>(server: string, run: (client: pg.Client) => Promise<T>) =>
  withClient(urlOf(server, 'postgres'), run);

/** Makes the template once per run: migrations, the example world, and every reaction to it. */
export async function prepareTestDatabase(server: string): Promise<void> {
  await asAdmin(server, async (client) => {
    await client.query(`drop database if exists ${TEMPLATE} with (force)`);
    await client.query(`create database ${TEMPLATE}`);
  });
  const config = testConfig(urlOf(server, TEMPLATE));
  await migrate(config);
  const serving = await serve(config, createLog(config, 'template'));
  try {
    await buildWorld(config, serving.subgraphs, String(config.SEED_PASSWORD));
    await untilNoJobs(urlOf(server, TEMPLATE));
  } finally {
    await serving.stop();
  }
}

/** A job that got no connection on a busy machine: it is tried again by itself. */
const WITHOUT_CONNECTION = 'connection timeout';

/** Resolves when every job whose time has come has run. Rejects after half a minute, or when one fails. */
export function untilNoJobs(databaseUrl: string): Promise<void> {
  return withClient(databaseUrl, async (client) => {
    for (let i = 0; i < 600; i++) {
      const { rows } = await client.query(
        `select (count(*) filter (where run_at <= now() or locked_at is not null or is_without))::int as open,
                max(last_error) filter (where not is_without) as error
           from (select *, last_error is not null and strpos(last_error, $1) > 0 as is_without
                   from graphile_worker._private_jobs where attempts < max_attempts) job`,
        [WITHOUT_CONNECTION],
      );
      if (rows[0].error) throw new Error(`A job failed: ${rows[0].error}`);
      if (rows[0].open === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('The jobs did not come to an end.');
  });
}

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** A database of a test's own, with the example world in it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = String(process.env.TEST_DATABASE_URL);
  const name = `dotmac_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(server, async (client) => {
    await client.query('select pg_advisory_lock(7190000002)'); // a template is copied by one at a time
    await client.query(`create database ${name} template ${TEMPLATE}`);
  });
  return {
    url: urlOf(server, name),
    async drop() {
      await asAdmin(server, async (client) => {
        // Homes of single tenants lie beside it and begin with its name.
        const { rows } = await client.query(
          'select datname from pg_database where datname = $1 or starts_with(datname, $2)',
          [name, `${name}_`],
        );
        for (const { datname } of rows) await client.query(`drop database if exists ${datname} with (force)`);
      });
      rmSync(filesOf(urlOf(server, name)), { recursive: true, force: true });
    },
  };
}
