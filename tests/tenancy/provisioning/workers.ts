import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Context, type Machinery, systemContext } from '../../../subgraphs/_kernel/context.ts';
import { connect, PLATFORM_TENANT } from '../../../subgraphs/_kernel/db.ts';
import { openFanOut } from '../../../subgraphs/_kernel/fan-out.ts';
import { HomeCopies } from '../../../subgraphs/_kernel/home-copies.ts';
import { HomePools, Homes } from '../../../subgraphs/_kernel/homes.ts';
import { createLog } from '../../../subgraphs/_kernel/telemetry.ts';
import { migrate } from '../../../subgraphs/migrate.ts';
import { tenancy } from '../../../subgraphs/tenancy/index.ts';
import { takeOverStalled } from '../../../subgraphs/tenancy/provisioning/provisioning.service.ts';
import { createTestDatabase, testConfig, withClient } from '../../setup/database.ts';
import type { World } from '../../setup/world.ts';
import { letTimePass } from './trial.ts';
import type { Order } from './worker.main.ts';

/** Begins the work of a process that was loaded before; it dies at a point, or lives on. */
export type Begin = (diesAt?: string) => Promise<ChildProcess>;

/** A database in which tenants are set up by processes that may be killed, and nobody else works. */
export interface Workers {
  databaseUrl: string;
  /** The system in the platform's tenant. */
  platform: Context;
  sql: World['sql'];
  /** Loads a worker while another still works; it begins when it is told to. */
  load(): Begin;
  /** A minute later, for everything that waits for one. `workedMs`: what moved within it is left alone, milliseconds. */
  aMinuteLater(workedMs?: number): Promise<void>;
  close(): Promise<void>;
}

export async function openWorkers(): Promise<Workers> {
  const database = await createTestDatabase();
  const config = testConfig(database.url);
  const log = createLog(config, 'test');
  const db = await connect(config, 'svc_tenancy', tenancy.entities as never, log);
  const platformDb = await connect(config, 'dotmac_platform', tenancy.entities as never, log);
  const fanOut = openFanOut(config, log);
  const [homePools, copies] = [new HomePools(config, log), new HomeCopies(config)];
  const homes = new Homes(db, homePools, 'svc_tenancy', tenancy.entities as never, false);
  const machinery: Machinery = { name: 'tenancy', db, platformDb, homes, copies, migrate, fanOut, log, config };
  const platform = await systemContext(machinery, PLATFORM_TENANT);
  const children = new Set<ChildProcess>();
  const dataDir = mkdtempSync(join(tmpdir(), 'dotmac-worker-'));
  const sql: World['sql'] = (text, values = []) =>
    withClient(database.url, async (client) => (await client.query(text, values)).rows);
  return {
    databaseUrl: database.url,
    platform,
    sql,
    load() {
      const child = spawn(process.execPath, ['--import', './run.mjs', resolve(import.meta.dirname, 'worker.main.ts')], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        cwd: resolve(import.meta.dirname, '../../..'),
      });
      children.add(child);
      child.on('exit', () => children.delete(child));
      const loaded = once(child, 'message');
      return async (diesAt) => {
        await loaded;
        const order: Order = { databaseUrl: database.url, dataDir: mkdtempSync(join(dataDir, 'of-')) };
        child.send({ ...order, ...(diesAt ? { diesAt } : {}) });
        return child;
      };
    },
    async aMinuteLater(workedMs = 0) {
      await letTimePass(sql);
      await sql(
        `update tenancy.provisioning_run set moved_at = moved_at - interval '61 seconds', due_at = due_at - interval '61 seconds'
          where state not in ('SUCCEEDED', 'FAILED', 'STUCK') and moved_at < now() - make_interval(secs => $1)
            and set_config('app.tenant_id', tenant_id::text, true) is not null`,
        [workedMs / 1_000],
      );
      await takeOverStalled(platform);
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await platform.end();
      await fanOut.close();
      await Promise.all([db.close(), platformDb.close(), copies.close(), homePools.close()]);
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** How a worker ended; a sentence when it lives on. */
export async function died(child: ChildProcess, at: string): Promise<unknown> {
  const signal = AbortSignal.timeout(30_000);
  const [, how] = await once(child, 'exit', { signal }).catch(() => [null, `alive at ${at}`]);
  return how;
}
