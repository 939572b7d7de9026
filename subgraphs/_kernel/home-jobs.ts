import { runOnce, type TaskList, type Logger as WorkerLogger } from 'graphile-worker';
import pg from 'pg';
import type { Config } from './config.ts';
import { roleUrl } from './db.ts';
import { configAt, type Home, isGone } from './homes.ts';
import type { Logger } from './telemetry.ts';

/** Jobs of one home that run at once. */
const CONCURRENCY = 2;

/**
 * Runs the jobs that wait at the homes of single tenants: all there are whenever somebody says so, and then no connection
 * is held. One run per home at a time.
 */
export class HomeJobs {
  private readonly running = new Map<Home, Promise<void>>();
  private readonly again = new Set<Home>();
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
    if (this.isOver) return;
    if (this.running.has(home)) return void this.again.add(home);
    const run = this.runAll(home)
      .catch((error: Error) => {
        if (!isGone(error)) this.log.warn({ error: error.message, home }, 'jobs at a home could not be run');
      })
      .finally(() => {
        this.running.delete(home);
        if (this.again.delete(home)) this.run(home);
      });
    this.running.set(home, run);
  }

  async close(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.running.values());
  }

  private async runAll(home: Home): Promise<void> {
    const connectionString = roleUrl(configAt(this.config, home), 'dotmac_jobs');
    const pgPool = new pg.Pool({ connectionString, max: CONCURRENCY + 1, connectionTimeoutMillis: 2_000 });
    pgPool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined)); // the query itself fails
    try {
      await pgPool.query('select'); // to a home that is gone nothing else is said
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
