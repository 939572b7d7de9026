/**
 * The process that runs the embedded PostgreSQL for another one, started by `startEmbeddedPostgres` alone. The channel
 * between them is its life: when that closes, for whatever reason, it ends the database and itself.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { deleteData, lockDir, openData } from './embedded-postgres.data.ts';
import { asStartFailure, foreign, passwordWrong } from './embedded-postgres.failures.ts';
import { findPrograms } from './embedded-postgres.programs.ts';
import { endServer, hasEnded, type Server, startServer } from './embedded-postgres.server.ts';
import type { KeeperNews } from './embedded-postgres.ts';

const [dir = '', life] = process.argv.slice(2);
const dataDir = join(dir, 'postgres');
const isThrowaway = life === 'THROWAWAY';
const released = new AbortController();

process.once('disconnect', () => released.abort());
// Whoever signals everything at once (a terminal, systemd) also signals our owner, who needs the database to finish.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

try {
  using _lock = await lockDir(dir, released.signal, () =>
    tell({ log: `Waiting for another process to leave ${dir}.` }),
  );
  if (isThrowaway && existsSync(dataDir)) throw foreign(dataDir, 'is no throwaway database');
  await keep(released.signal).finally(() => isThrowaway && deleteData(dir));
} catch (error) {
  const { code, message } = asStartFailure(error, dir);
  await tell({ failure: { code, sentence: message } });
}
process.exit();

async function keep(signal: AbortSignal): Promise<void> {
  const programs = await findPrograms(dataDir);
  const password = await openData(dir, programs, signal, isThrowaway);
  const server = await startServer({ dataDir, programs, isThrowaway, signal, log: (log) => tell({ log }) });
  try {
    await ensureDatabase(server.port, password);
    await tell({ url: `postgres://postgres:${password}@127.0.0.1:${server.port}/dotmac` });
    await endOf(server, signal);
  } finally {
    await endServer(server);
  }
}

/** `dotmac` is looked for at every start, because the first one may have been killed before it was made. */
async function ensureDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' });
  try {
    await client.connect();
    const { rowCount } = await client.query(`select from pg_database where datname = 'dotmac'`);
    if (rowCount === 0) await client.query('create database dotmac');
  } catch (error) {
    throw (error as { code?: string }).code === '28P01' ? passwordWrong(dir) : error;
  } finally {
    await client.end();
  }
}

async function endOf(server: Server, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (hasEnded(server) || signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    server.process.once('exit', () => resolve());
  });
}

/** The owner may be gone by now, and then there is nobody to tell. */
function tell(news: KeeperNews): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(news, undefined, undefined, () => resolve());
    else resolve();
  });
}
