/** The data folder of the embedded database: who may use it now, what is in it, and how it comes to be. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  foreign,
  inUse,
  lastComplaint,
  notStarted,
  passwordWrong,
  unreadable,
  wrongVersion,
} from './embedded-postgres.failures.ts';
import type { Account, Programs } from './embedded-postgres.programs.ts';

const MAJOR_VERSION = '18';
const MAKING = 'postgres.making-';
/** An earlier keeper may be on its way out. */
const LOCK_WAIT_MS = 5_000;
const SQLITE_BUSY = 5;
const SQLITE_BARRED = [8, 14];

/** Nothing of ours is for PostgreSQL to see: no PG* variables, no secrets. */
export const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };

/**
 * How PostgreSQL is told of its data. Root starts it inside the folder and names it by this path, which also opens where
 * its own account may not walk down from `/`. Every process of PostgreSQL stays in that folder for life.
 */
export function dataPath(dataDir: string, account: Account): string {
  return account.uid !== undefined && process.platform === 'linux' ? '/proc/self/cwd' : dataDir;
}

/** One keeper per folder. It is SQLite's lock because Node has no other that the system drops when its holder dies. */
export async function lockDir(dir: string, signal: AbortSignal, onWait: () => void): Promise<DatabaseSync> {
  mkdirSync(dir, { recursive: true });
  for (const deadline = Date.now() + LOCK_WAIT_MS; ; await sleep(200, undefined, { signal })) {
    let lock: DatabaseSync | undefined;
    try {
      lock = new DatabaseSync(join(dir, 'postgres.lock'));
      lock.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
      return lock;
    } catch (error) {
      lock?.close();
      const reason = (error as { errcode?: number }).errcode;
      if (reason !== undefined && SQLITE_BARRED.includes(reason & 0xff)) throw unreadable(dir);
      if (reason === undefined || (reason & 0xff) !== SQLITE_BUSY) throw error;
      if (Date.now() > deadline) throw inUse(dir);
      onWait();
    }
  }
}

/** Makes the data in `dir` where there is none, and gives the password it was made with. */
export async function openData(
  dir: string,
  programs: Programs,
  signal: AbortSignal,
  isThrowaway: boolean,
): Promise<string> {
  const dataDir = join(dir, 'postgres');
  for (const name of unfinished(dir)) remove(join(dir, name));
  if (!existsSync(dataDir)) await makeData(dir, programs, signal, isThrowaway);

  accessSync(dataDir, constants.R_OK | constants.X_OK);
  if (!existsSync(join(dataDir, 'PG_VERSION'))) throw foreign(dataDir, 'holds no database');
  const version = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim();
  if (version !== MAJOR_VERSION) throw wrongVersion(dataDir, version, MAJOR_VERSION);
  const passwordFile = join(dir, 'postgres-password');
  if (!existsSync(passwordFile)) throw passwordWrong(dir);
  return readFileSync(passwordFile, 'utf8').trim();
}

/** Under another name until it is complete, so that `postgres` is never half-finished and never needs deleting. */
async function makeData(dir: string, programs: Programs, signal: AbortSignal, isThrowaway: boolean): Promise<void> {
  const password = randomBytes(24).toString('base64url');
  const making = mkdtempSync(join(dir, MAKING));
  const data = join(making, 'data');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(join(making, 'password'), password, { mode: 0o600 });
  const { uid, gid } = programs.account;
  if (uid !== undefined && gid !== undefined) {
    for (const path of [making, data, join(making, 'password')]) chownSync(path, uid, gid);
  }
  await runInitdb(data, programs, signal, isThrowaway);
  writeFileSync(join(dir, `${MAKING}password`), `${password}\n`, { mode: 0o600 });
  renameSync(join(dir, `${MAKING}password`), join(dir, 'postgres-password'));
  renameSync(data, join(dir, 'postgres'));
  remove(making);
}

async function runInitdb(data: string, programs: Programs, signal: AbortSignal, isThrowaway: boolean): Promise<void> {
  const flags = [
    `--pgdata=${dataPath(data, programs.account)}`,
    '--username=postgres',
    '--pwfile=../password',
    '--auth=scram-sha-256',
    // Text sorts by its bytes and knows Unicode's letters, on every machine alike. LC_CTYPE is left to pg_trgm alone.
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    `--lc-ctype=${process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'}`,
    ...(isThrowaway ? ['--no-sync'] : []),
  ];
  const initdb = spawn(programs.initdb, flags, {
    ...programs.account,
    cwd: data,
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const end = () => initdb.kill();
  signal.addEventListener('abort', end, { once: true });
  const [[status], output] = await Promise.all([once(initdb, 'close'), text(initdb.stderr)]);
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (status !== 0) throw notStarted(lastComplaint(output));
}

/** Only what was made here, and the folder itself when nothing else is in it. */
export function deleteData(dir: string): void {
  for (const name of [...unfinished(dir), 'postgres', 'postgres-password', 'postgres.lock']) remove(join(dir, name));
  if (readdirSync(dir).length === 0) rmdirSync(dir);
}

const unfinished = (dir: string) => readdirSync(dir).filter((name) => name.startsWith(MAKING));

/** With retries, because an initdb whose keeper was killed may still be writing. */
const remove = (path: string) => rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
