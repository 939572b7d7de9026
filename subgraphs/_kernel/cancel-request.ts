import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import pg, { type PoolClient } from 'pg';

/** How long PostgreSQL may take to hear a request, milliseconds. */
const HEARD_MS = 1_000;

/** What of its connections `pg` does not declare. */
interface Connected {
  host: string;
  port: number;
  ssl: boolean | object;
  processID: number;
  secretKey: number;
  _activeQuery?: unknown;
}
interface Line extends EventEmitter {
  stream: Duplex;
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
}

/** Whether a statement is carried out on it now. */
export const isBusy = (client: PoolClient): boolean => (client as unknown as Connected)._activeQuery !== null;

/**
 * Asks PostgreSQL, on a line of its own as its protocol has it, to stop the statement that runs on a connection. Resolves
 * once the request was passed on, so that no statement after that one can be hit by it. Rejects when that is not known;
 * the connection must not be used again then.
 */
export function requestCancel(client: PoolClient): Promise<void> {
  const { host, port, ssl, processID, secretKey } = client as unknown as Connected;
  const line = new pg.Connection({ ssl } as never) as unknown as Line;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let isAsked = false;
  const ask = () => {
    isAsked = true;
    line.cancel(processID, secretKey);
  };
  const timer = setTimeout(() => {
    reject(new Error('PostgreSQL did not take a request to cancel.'));
    line.stream.destroy();
  }, HEARD_MS);
  line.on('error', reject);
  line.once('connect', () => (ssl ? line.requestSsl() : ask()));
  line.once('sslconnect', ask);
  line.once('end', () => (isAsked ? resolve() : reject(new Error('PostgreSQL could not be asked to cancel.'))));
  if (host.startsWith('/')) line.connect(`${host}/.s.PGSQL.${port}`);
  else line.connect(port, host);
  return promise.finally(() => clearTimeout(timer));
}
