import { EventEmitter } from 'node:events';
import pg from 'pg';
import type { Logger } from './telemetry.ts';

export interface FanOut {
  /** Calls `heard` when a tenant's log grew, and after every reconnection. Returns how to stop. */
  onTenant(tenantId: string, heard: () => void): () => void;
  /** Calls `heard` when a gateway feed grew, and after every reconnection. Returns how to stop. */
  onFeed(name: string, heard: () => void): () => void;
  /** How many listen now. */
  listeners(): number;
  close(): Promise<void>;
}

const CHANNEL = 'dotmac';
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

/**
 * Hears commits of every process through PostgreSQL's LISTEN. A notification that is lost, or a connection that is cut,
 * costs time and not truth: listeners are woken after a reconnection, and whoever must not wait long polls besides.
 */
export function listen(url: string, log: Logger): FanOut {
  const ears = new EventEmitter().setMaxListeners(0);
  let client: pg.Client | undefined;
  let isClosed = false;
  let retryMs = FIRST_RETRY_MS;
  let timer: NodeJS.Timeout | undefined;

  const wakeAll = () => {
    for (const name of ears.eventNames()) ears.emit(name);
  };
  const again = () => {
    client = undefined;
    if (isClosed || timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      void open();
    }, retryMs);
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
  };
  const open = async () => {
    const next = new pg.Client({ connectionString: url, application_name: 'dotmac_fan_out', keepAlive: true });
    next.on('error', (error) => {
      log.warn({ error: error.message }, 'the fan-out connection was lost; connecting again');
      if (client === next) again();
    });
    next.on('end', () => {
      if (client === next) again();
    });
    next.on('notification', ({ payload }) => {
      const name = earOf(payload);
      if (name) ears.emit(name);
    });
    try {
      await next.connect();
      await next.query(`listen ${CHANNEL}`);
      if (isClosed) return void (await next.end());
      client = next;
      retryMs = FIRST_RETRY_MS;
      wakeAll();
    } catch (error) {
      await next.end().catch(() => undefined);
      log.warn({ error: (error as Error).message }, 'the fan-out cannot connect; trying again');
      again();
    }
  };
  const on = (name: string, heard: () => void) => {
    ears.on(name, heard);
    return () => void ears.off(name, heard);
  };

  void open();
  return {
    onTenant: (tenantId, heard) => on(`tenant:${tenantId}`, heard),
    onFeed: (name, heard) => on(`feed:${name}`, heard),
    listeners: () => ears.eventNames().reduce((sum, name) => sum + ears.listenerCount(name), 0),
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      const held = client;
      client = undefined;
      await held?.end().catch(() => undefined);
    },
  };
}

/** Whom a notification wakes; nobody when it is not one of ours, for anyone who may connect may notify. */
function earOf(payload = ''): string | undefined {
  try {
    const { tenant, feed } = (JSON.parse(payload) ?? {}) as { tenant?: string; feed?: string };
    if (tenant) return `tenant:${tenant}`;
    return feed && `feed:${feed}`;
  } catch {
    return undefined;
  }
}
