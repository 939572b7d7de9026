import { runOnce, type TaskList, type Logger as WorkerLogger } from 'graphile-worker';
import pg from 'pg';
import type { Config } from './config.ts';
import { roleUrl } from './db.ts';
import { configAt, type Home, isGone } from './homes.ts';
import type { Logger } from './telemetry.ts';

/** Jobs of one home that run at once. */
const CONCURRENCY = 2;
/** Homes whose jobs run at once: each takes a few connections. */
const AT_ONCE = 4;
/** Whether there is anything to run, or left over by somebody who died. */
const IS_ANY_DUE = `select exists (select from graphile_worker._private_jobs
  where (is_available and run_at <= now()) or locked_at < now() - interval '4 hours') as is_due`;

/**
 * Runs the jobs that wait at the homes of single tenants: all there are whenever somebody says so, and then no connection
 * is held. One run per home at a time, of a few homes at once.
 */
export class HomeJobs {
  private readonly running = new Map<Home, Promise<void>>();
  /** Homes whose turn comes, some of which run now: again, for something may have come since they looked. */
  private readonly next = new Set<Home>();
  private isOver = false;
  private readonly config: Config;
  private readonly tasksAt: (home: Home) => TaskList;
  private readonly logger: WorkerLogger;
  private readonly log: Logger;

  constructor(config: Config, tasksAt: (home: Home) => TaskList, logger: WorkerLogger, log: Logger) {
    this.config = config;
    this.tasksAt = tasksAt;
    this.logger = logger;
    this.log = log;
  }

  run(home: Home): void {
    this.next.add(home);
    this.goOn();
  }

  async close(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running.values());
  }

  private goOn(): void {
    for (const home of this.next) {
      if (this.isOver || this.running.size >= AT_ONCE) return;
      if (this.running.has(home)) continue;
      this.next.delete(home);
      const run = this.runAll(home)
        .catch((error: Error) => {
          if (!isGone(error)) this.log.warn({ error: error.message, home }, 'jobs at a home could not be run');
        })
        .finally(() => {
          this.running.delete(home);
          this.goOn();
        });
      this.running.set(home, run);
    }
  }

  private async runAll(home: Home): Promise<void> {
    const connectionString = roleUrl(configAt(this.config, home), 'dotmac_jobs');
    const pgPool = new pg.Pool({ connectionString, max: CONCURRENCY + 1, connectionTimeoutMillis: 2_000 });
    pgPool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined)); // the query itself fails
    try {
      const { rows } = await pgPool.query(IS_ANY_DUE); // to a home that is gone nothing else is said
      if (!rows[0].is_due) return;
      await runOnce({
        pgPool,
        taskList: this.tasksAt(home),
        concurrency: CONCURRENCY,
        noHandleSignals: true,
        logger: this.logger,
      });
    } finally {
      await pgPool.end();
    }
  }
}
