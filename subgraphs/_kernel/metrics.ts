import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What this process counts; `/metrics` of the admin port prints it. One process has one, whatever runs in it. */
export const registry = new Registry();

/** Upper bounds of what is timed, seconds. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const registers = [registry];

export const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
  new Counter<L>({ name, help, labelNames: [...labelNames], registers });

/** A figure that goes up and down; `collect` sets it when somebody looks. */
export const gauge = <L extends string = never>(
  name: string,
  help: string,
  labelNames: readonly L[] = [],
  collect?: (this: Gauge<L>) => void | Promise<void>,
) => new Gauge<L>({ name, help, labelNames: [...labelNames], registers, ...(collect ? { collect } : {}) });

export const histogram = <L extends string = never>(
  name: string,
  help: string,
  labelNames: readonly L[] = [],
  buckets: number[] = SECONDS,
) => new Histogram<L>({ name, help, labelNames: [...labelNames], buckets, registers });

/** Finds what belongs to a label once and keeps it: for what is counted on every request. */
export function resolvedOnce<T>(resolve: (label: string) => T): (label: string) => T {
  const held = new Map<string, T>();
  return (label) => {
    let found = held.get(label);
    if (found === undefined) {
      found = resolve(label);
      held.set(label, found);
    }
    return found;
  };
}

/** How long the event loop may be looked away from between two samples of its delay, milliseconds. */
const LOOP_SAMPLE_MS = 10;

let isWatched = false;

/** Adds the figures of the process itself: CPU, memory, garbage collection, delay of the event loop. Harmless again. */
export function watchProcess(): void {
  if (isWatched) return;
  isWatched = true;
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_SAMPLE_MS });
}

export const subgraphSeconds = histogram(
  'dotmac_subgraph_operation_duration_seconds',
  'Operations a subgraph answered, by outcome: ok or errors.',
  ['subgraph', 'outcome'],
);

export const transactionSeconds = histogram(
  'dotmac_db_transaction_duration_seconds',
  'Use cases’ transactions, by subgraph and outcome: commit or rollback.',
  ['subgraph', 'outcome'],
);

export const statementSeconds = histogram('dotmac_db_statement_duration_seconds', 'Statements sent to PostgreSQL.', [
  'role',
]);

/** What a pool of connections tells of itself. */
interface Pool {
  ended: boolean;
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

const pools = new Map<Pool, string>();

/** Counts a pool's connections under its role for as long as the pool lives. */
export const watchPool = (role: string, pool: Pool): void => void pools.set(pool, role);

gauge(
  'dotmac_db_pool_connections',
  'Connections to PostgreSQL, by role: busy, idle, and how many requests wait for one.',
  ['role', 'state'],
  function () {
    this.reset();
    for (const [pool, role] of pools) {
      if (pool.ended) {
        pools.delete(pool);
        continue;
      }
      this.inc({ role, state: 'busy' }, pool.totalCount - pool.idleCount);
      this.inc({ role, state: 'idle' }, pool.idleCount);
      this.inc({ role, state: 'waiting' }, pool.waitingCount);
    }
  },
);

export const jobSeconds = histogram('dotmac_job_duration_seconds', 'Jobs run, by task and outcome: ok or failed.', [
  'task',
  'outcome',
]);

export const jobWaitSeconds = histogram(
  'dotmac_job_wait_seconds',
  'How long after its time a job began.',
  ['task'],
  [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 60, 300, 1_800],
);

const onLook = new Set<() => Promise<void>>();

/** Runs work whenever somebody is about to look at the figures; what fails leaves them as they were. */
export function onScrape(work: () => Promise<void>): () => void {
  onLook.add(work);
  return () => void onLook.delete(work);
}

/** All figures in Prometheus' text format. */
export async function printMetrics(): Promise<string> {
  await Promise.allSettled([...onLook].map((work) => work()));
  return registry.metrics();
}

export const jobsWaiting = gauge('dotmac_jobs_waiting', 'Jobs of this database whose time has come and that wait.');

export const foreignNews = counter(
  'dotmac_jobs_foreign_news_total',
  'Jobs that hear the platform’s log alone, were given another, and did nothing.',
  ['task'],
);

export const fanOutHeard = counter('dotmac_fan_out_heard_total', 'News heard from other processes, by engine.', [
  'engine',
]);

export const fanOutTold = counter('dotmac_fan_out_told_total', 'News told to other processes, by engine and outcome.', [
  'engine',
  'outcome',
]);

export const fanOutUp = gauge('dotmac_fan_out_up', 'Whether the line on which news come stands: 1 or 0.', ['engine']);
