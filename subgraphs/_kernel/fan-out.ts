import { EventEmitter } from 'node:events';
import type { Config } from './config.ts';
import { roleUrl } from './db.ts';
import { listenToPostgres } from './fan-out.postgres.ts';
import { listenToRedis } from './fan-out.redis.ts';
import { fanOutHeard, fanOutTold, fanOutUp } from './metrics.ts';
import type { Logger } from './telemetry.ts';

/** Whom a commit wakes: who follows a tenant's log, or a gateway feed. */
export type Ear = `tenant:${string}` | `feed:${string}`;

/**
 * Live news between processes. A notification that is lost, or a connection that is cut, costs time and not truth:
 * listeners are woken after a reconnection, and whoever must not wait long polls besides.
 */
export interface FanOut {
  readonly engine: Engine;
  /** Calls `heard` when a tenant's log grew, and after every reconnection. Returns how to stop. */
  onTenant(tenantId: string, heard: () => void): () => void;
  /** Calls `heard` when a gateway feed grew, and after every reconnection. Returns how to stop. */
  onFeed(name: string, heard: () => void): () => void;
  /** Tells every process what a transaction changed, after a commit that has not told it itself. */
  tell(ears: readonly Ear[]): void;
  /** How many listen now. */
  listeners(): number;
  close(): Promise<void>;
}

export type Engine = 'POSTGRES' | 'REDIS';

/** A connection on which news come, laid anew whenever it is lost. */
export interface Line {
  tell(ears: readonly Ear[]): Promise<void>;
  close(): Promise<void>;
}

/** What a line does with what it hears. */
export interface Listener {
  /** The line stands. Whatever was told while it did not is lost, so that everybody looks for themselves. */
  up(): void;
  /** It was lost, or could not be laid. */
  down(error: Error): void;
  heard(ear: string): void;
}

/** Opens the engine the configuration asks for: Redis where there is one, or the database. */
export function openFanOut(config: Config, log: Logger): FanOut {
  const engine: Engine = config.REDIS_URL ? 'REDIS' : 'POSTGRES';
  const ears = new EventEmitter().setMaxListeners(0);
  const heard = fanOutHeard.labels(engine);
  const told = fanOutTold.labels(engine, 'told');
  const lost = fanOutTold.labels(engine, 'lost');
  const isUp = fanOutUp.labels(engine);
  const listener: Listener = {
    up() {
      isUp.set(1);
      for (const name of ears.eventNames()) ears.emit(name);
    },
    down(error) {
      isUp.set(0);
      log.warn({ engine, error: error.message }, 'live news are cut off; laying the line anew');
    },
    heard(ear) {
      heard.inc();
      ears.emit(ear);
    },
  };
  const line = config.REDIS_URL
    ? listenToRedis(config.REDIS_URL, databaseOf(config), listener)
    : listenToPostgres(roleUrl(config, 'dotmac_fan_out'), listener);
  const on = (ear: Ear, hear: () => void) => {
    ears.on(ear, hear);
    return () => void ears.off(ear, hear);
  };
  return {
    engine,
    onTenant: (tenantId, hear) => on(`tenant:${tenantId}`, hear),
    onFeed: (name, hear) => on(`feed:${name}`, hear),
    tell: (names) =>
      void line.tell(names).then(
        () => told.inc(),
        () => lost.inc(), // whoever was to hear it looks for itself within a second
      ),
    listeners: () => ears.eventNames().reduce((sum, name) => sum + ears.listenerCount(name), 0),
    close: () => line.close(),
  };
}

/** The name of the database: what keeps the news of several apart that share one Redis. */
const databaseOf = ({ DATABASE_URL }: Config) => new URL(String(DATABASE_URL)).pathname.slice(1);
