import { EventEmitter } from 'node:events';
import {
  type CronItem,
  type JobHelpers,
  parseCronItems,
  type Runner,
  run,
  type TaskList,
  type WorkerEvents,
  Logger as WorkerLogger,
} from 'graphile-worker';
import pg from 'pg';
import type { Config } from './config.ts';
import { type Context, type Machinery, systemContext } from './context.ts';
import { PLATFORM_TENANT, roleUrl } from './db.ts';
import { readEvent } from './events.ts';
import { mayUse } from './gate.ts';
import { HomeJobs } from './home-jobs.ts';
import { HomeKeeper } from './home-keeper.ts';
import { CONTROL, dedicatedPlaces, type Home, type Homes, isGone } from './homes.ts';
import { mailTasks } from './mail.ts';
import { foreignNews, jobSeconds, jobsWaiting, jobWaitSeconds, onScrape } from './metrics.ts';
import type { Reaction } from './migrations.ts';
import type { RunningSubgraph, SubgraphDefinition, Subscriber } from './subgraph.ts';
import { continueTrace, inSpan, type Logger } from './telemetry.ts';
import { findTenantProfile } from './tenant-profile.ts';

/** Jobs a process runs at once. */
const CONCURRENCY = 4;

/** The task a subscriber is enqueued under: `crm.keepPrimaryContact`. */
export const taskName = (subgraph: string, subscriber: string) => `${subgraph}.${subscriber}`;

/** Who hears which event, and how, for `kernel.reaction`. */
export function reactionsOf(definition: SubgraphDefinition): Reaction[] {
  return Object.entries(definition.subscribers ?? {}).map(
    ([name, { event, isPlatformOnly, isWhileSuspended, isUrgent }]) => ({
      event,
      task: taskName(definition.name, name),
      is_platform_only: isPlatformOnly ?? false,
      is_while_suspended: isWhileSuspended ?? false,
      is_urgent: isUrgent ?? false,
    }),
  );
}

/**
 * Lets one subscriber hear one event of a tenant's log, exactly once: the receipt is written in the transaction of what
 * the subscriber does, at the hearer's home of the tenant. Throws what it throws, and the job is tried again. Where the
 * module is not licensed nothing is done, now or later: what happened meanwhile is in the log for whoever needs it. Nor is
 * it for one that hears the platform's log alone and is given another's.
 * @param home at which it was told: its place is one in the log there.
 */
export async function react(
  machinery: Machinery,
  definition: SubgraphDefinition,
  name: string,
  told: { tenantId: string; seq: number },
  home: Home = CONTROL,
): Promise<void> {
  const subscriber = definition.subscribers?.[name] as Subscriber;
  const task = taskName(definition.name, name);
  if (subscriber.isPlatformOnly && told.tenantId !== PLATFORM_TENANT) {
    foreignNews.labels(task).inc();
    machinery.log.warn({ task, ...told }, 'a job that hears the platform’s log was given another');
    return;
  }
  const ctx = await systemContext(machinery, told.tenantId);
  try {
    if (definition.feature && !subscriber.isAlwaysOn && !mayUse(ctx, definition.feature, true)) return;
    const event = await readEventAt(machinery.homes, home, told);
    await ctx.tx(async (em) => {
      if (!event && !(await findTenantProfile(em))) return; // its tenant was deleted meanwhile, and the log with it
      if (!event) throw new Error(`There is no event ${told.seq} in the log.`);
      const [isFirst] = await em.execute(
        'insert into kernel.reaction_receipt (task, event_id) values (?, ?) on conflict do nothing returning 1 as is_first',
        [task, event.id],
      );
      if (isFirst) await subscriber.hear(ctx, event);
    });
  } finally {
    await ctx.end();
  }
}

/** An event of a tenant's log at a home; whoever hears it may have its own rows of the tenant at another. */
async function readEventAt(homes: Homes, home: Home, { tenantId, seq }: { tenantId: string; seq: number }) {
  const { db, leave } = await homes.at(home);
  try {
    return await db.fork().transactional(
      async (em) => {
        await em.execute("select set_config('app.tenant_id', ?, true)", [tenantId]);
        return readEvent(em, seq);
      },
      { readOnly: true },
    );
  } finally {
    leave();
  }
}

/** Runs work in the platform's tenant, as the system. */
export const inPlatform = (machinery: Machinery, work: (ctx: Context) => Promise<void>): Promise<void> =>
  inTenant(machinery, PLATFORM_TENANT, work);

async function inTenant(
  machinery: Machinery,
  tenantId: string,
  work: (ctx: Context) => Promise<unknown>,
): Promise<void> {
  const ctx = await systemContext(machinery, tenantId);
  try {
    await work(ctx);
  } finally {
    await ctx.end();
  }
}

/** Runs what a tenant set a timer for. It fails quietly where the tenant was deleted meanwhile. */
async function unlessGone(ctx: Context, run: (ctx: Context) => Promise<unknown>): Promise<void> {
  try {
    await run(ctx);
  } catch (error) {
    if (await findTenantProfile(await ctx.em())) throw error;
  }
}

/** What enqueued a job: the place of an event in a tenant's log, and the trace of the request that wrote it. */
interface Told {
  tenantId: string;
  seq: number;
  trace?: string | null;
}

/** Runs a job in the trace of what enqueued it, times it, and logs how it went. */
function observed(
  task: string,
  log: Logger,
  run: (payload: Partial<Told>, helpers: JobHelpers) => Promise<void>,
): (payload: unknown, helpers: JobHelpers) => Promise<void> {
  const waited = jobWaitSeconds.labels(task);
  const ok = jobSeconds.labels(task, 'ok');
  const failed = jobSeconds.labels(task, 'failed');
  return (payload, helpers) => {
    const { job } = helpers;
    const told = (payload ?? {}) as Partial<Told>;
    return continueTrace(told.trace ?? undefined, () =>
      inSpan(`job ${task}`, { attributes: { 'dotmac.tenant': told.tenantId ?? PLATFORM_TENANT } }, async () => {
        const startedAt = performance.now();
        const seconds = () => (performance.now() - startedAt) / 1_000;
        waited.observe(Math.max(0, Date.now() - new Date(job.run_at).getTime()) / 1_000);
        try {
          await run(told, helpers);
        } catch (error) {
          failed.observe(seconds());
          log.warn({ task, attempt: job.attempts, err: error }, 'a job failed and will be tried again');
          throw error;
        }
        ok.observe(seconds());
        log.debug({ task, tenantId: told.tenantId, ms: Math.round(seconds() * 1_000) }, 'job');
      }),
    );
  };
}

/** How many jobs wait is asked at most this often, milliseconds: several may scrape. */
const COUNT_MS = 5_000;

/** Counts the jobs whose time has come whenever somebody looks. Returns how to stop. */
function watchWaiting(pool: pg.Pool): () => void {
  let countedAt = Number.NEGATIVE_INFINITY;
  return onScrape(async () => {
    if (performance.now() - countedAt < COUNT_MS) return;
    countedAt = performance.now();
    const { rows } = await pool.query(
      'select count(*)::int as waiting from graphile_worker._private_jobs where locked_at is null and run_at <= now() and attempts < max_attempts',
    );
    jobsWaiting.set(rows[0].waiting);
  });
}

export interface Jobs {
  stop(): Promise<void>;
}

/** Gives back what a process that was killed had begun: receipts keep what it finished from being done again. */
async function unlockAll(pool: pg.Pool): Promise<void> {
  await pool.query(
    `select graphile_worker.force_unlock_workers(array(
       select distinct locked_by from graphile_worker._private_jobs where locked_by is not null))`,
  );
}

function jobsPool(config: Config, lost: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({ connectionString: roleUrl(config, 'dotmac_jobs'), max: CONCURRENCY + 2 });
  return pool.on('error', lost).on('connect', (client) => client.on('error', lost));
}

/** What the subgraphs of this process do for the jobs that wait at a home. */
function tasksAt(subgraphs: readonly RunningSubgraph[], home: Home): TaskList {
  const taskList: TaskList = {};
  for (const { subgraph, machinery } of subgraphs) {
    for (const name of Object.keys(subgraph.definition.subscribers ?? {})) {
      const task = taskName(subgraph.name, name);
      taskList[task] = observed(task, machinery.log, (told) =>
        react(machinery, subgraph.definition, name, told as Told, home),
      );
    }
    for (const [name, run] of Object.entries(subgraph.definition.timers ?? {})) {
      const task = taskName(subgraph.name, name);
      taskList[task] = observed(task, machinery.log, ({ tenantId }) =>
        inTenant(machinery, String(tenantId), (ctx) => unlessGone(ctx, run)),
      );
    }
  }
  return taskList;
}

/** Does repeated work once more at each home of a single tenant: its rows are seen across tenants nowhere else. */
async function sweepHomes(machinery: Machinery, pool: pg.Pool, sweep: (ctx: Context) => Promise<void>): Promise<void> {
  for (const home of new Set((await dedicatedPlaces(pool)).map((place) => place.home))) {
    try {
      const { db, leave } = await machinery.homes.platformAt(home);
      await inPlatform({ ...machinery, platformDb: db }, sweep).finally(leave);
    } catch (error) {
      if (!isGone(error)) throw error; // dropped just now
    }
  }
}

/**
 * Runs the jobs of the given subgraphs in this process, each in the tenant it is about, and those of the kernel.
 * @param isAlone no other process runs jobs of this database: what is locked was left by one that died.
 */
export async function runJobs(
  config: Config,
  subgraphs: readonly RunningSubgraph[],
  log: Logger,
  isAlone = false,
): Promise<Jobs> {
  const taskList = tasksAt(subgraphs, CONTROL);
  const crons: CronItem[] = [];
  let isStopping = false; // then the server may end a connection before it has heard that we did
  const lost = (error: Error) => isStopping || log.warn({ error: error.message }, 'a job connection was lost');
  const pool = jobsPool(config, lost);
  for (const { subgraph, machinery } of subgraphs) {
    for (const [name, { pattern, run: sweep }] of Object.entries(subgraph.definition.crons ?? {})) {
      const task = taskName(subgraph.name, name);
      crons.push({ task, match: pattern, identifier: task });
      taskList[task] = observed(task, machinery.log, async () => {
        await inPlatform(machinery, sweep);
        if (subgraph.definition.isAtHome) await sweepHomes(machinery, pool, sweep);
      });
    }
  }
  const mails = mailTasks(config, log);
  for (const [task, run] of Object.entries(mails.tasks)) taskList[task] = observed(task, log, run);
  const workers: string[] = [];
  const events: WorkerEvents = new EventEmitter();
  events.on('pool:create', ({ workerPool }) => workers.push(workerPool.id));
  events.on('worker:create', ({ worker }) => workers.push(worker.workerId));
  if (isAlone) await unlockAll(pool);
  const stopWatching = watchWaiting(pool);
  const runner: Runner = await run({
    events,
    pgPool: pool,
    taskList,
    parsedCronItems: parseCronItems(crons),
    concurrency: CONCURRENCY,
    noHandleSignals: true,
    pollInterval: 1_000,
    logger: quietLogger(log),
  });
  const atHomes = new HomeJobs(config, (home) => tasksAt(subgraphs, home), quietLogger(log), log);
  const first = subgraphs[0]?.machinery;
  const keeper =
    first && new HomeKeeper(first.copies, pool, first.fanOut, (home) => atHomes.run(home), first.homes, log);
  for (const { machinery } of subgraphs)
    machinery.onCommitAt = (home, tenantId, told) => keeper?.committed(home, tenantId, told);
  return {
    stop: async () => {
      stopWatching();
      await keeper?.close();
      await atHomes.close();

      await runner.stop().catch(() => undefined);
      mails.close();
      // A job that was fetched in the moment of stopping stays locked by us, who will never run it.
      await pool.query('select graphile_worker.force_unlock_workers($1)', [workers]).catch(lost);
      isStopping = true;
      await pool.end();
    },
  };
}

function quietLogger(log: Logger): WorkerLogger {
  return new WorkerLogger(() => (level, message, meta) => {
    if (meta?.failure) return; // its own log has said so, with its trace
    if (level === 'error') log.warn({ job: String(meta?.job ?? ''), error: String(meta?.error ?? '') }, message);
    else log.debug(message);
  });
}
