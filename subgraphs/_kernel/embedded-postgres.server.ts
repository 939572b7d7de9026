/** One PostgreSQL server process of the embedded database: started, waited for, and ended. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataPath, ENVIRONMENT } from './embedded-postgres.data.ts';
import { inUse, lastComplaint, notStarted, unreadable } from './embedded-postgres.failures.ts';
import type { Programs } from './embedded-postgres.programs.ts';
import type { StartFailure } from './embedded-postgres.ts';

/** Long, because after a crash the server first replays what it had promised to keep. */
const READY_WITHIN_MS = 120_000;
const TRIES = 20;
const BETWEEN_TRIES_MS = 500;
/** First without losing a transaction, then without a checkpoint, then by force. */
const ENDING: readonly [NodeJS.Signals, withinMs: number][] = [
  ['SIGINT', 20_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
];

const NAME = 'cluster_name=dotmac-embedded';
const ALWAYS = [
  NAME,
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=400', // two hundred homes with one each, and what the control plane needs
  'timezone=UTC',
  'log_timezone=UTC',
];
const THROWAWAY = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

export interface Server {
  port: number;
  process: ChildProcessByStdio<null, null, Readable>;
}

export interface Launch {
  dataDir: string;
  programs: Programs;
  isThrowaway: boolean;
  signal: AbortSignal;
  log(line: string): void;
}

/** Tries again while the reason may pass: a port lost to somebody else, an earlier server still on its way out. */
export async function startServer(launch: Launch): Promise<Server> {
  for (let tries = 1; ; tries += 1) {
    const server = await launchServer(launch);
    const complaint = await complaintUntilReady(server, launch);
    if (complaint === undefined) return server;
    await endServer(server);
    launch.signal.throwIfAborted();
    const mayPass = /could not bind|Address already in use|pre-existing shared memory/.test(complaint);
    if (tries === TRIES || !(mayPass || clearTheWay(launch, complaint))) throw failureOf(launch.dataDir, complaint);
    await sleep(BETWEEN_TRIES_MS, undefined, { signal: launch.signal });
  }
}

export async function endServer(server: Server): Promise<void> {
  for (const [signal, withinMs] of ENDING) {
    if (hasEnded(server)) return;
    const ended = once(server.process, 'exit', { signal: AbortSignal.timeout(withinMs) }).catch(() => undefined);
    server.process.kill(signal);
    await ended;
  }
}

export function hasEnded({ process }: Server): boolean {
  return process.pid === undefined || process.exitCode !== null || process.signalCode !== null;
}

async function launchServer({ dataDir, programs, isThrowaway }: Launch): Promise<Server> {
  const port = await freePort();
  const settings = [...ALWAYS, ...(isThrowaway ? THROWAWAY : []), `port=${port}`];
  const flags = ['-D', dataPath(dataDir, programs.account), ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(programs.postgres, flags, {
    ...programs.account,
    cwd: dataDir,
    env: ENVIRONMENT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return { port, process: server };
}

/** Undefined once the server takes connections, and what it said until then when it never does. */
async function complaintUntilReady({ process }: Server, { log, signal }: Launch): Promise<string | undefined> {
  const said: string[] = [];
  const { promise: isReady, resolve: settle } = Promise.withResolvers<boolean>();
  const giveUp = (why: string) => {
    said.push(`FATAL: ${why}`);
    settle(false);
  };
  const late = setTimeout(giveUp, READY_WITHIN_MS, `it was not ready within ${READY_WITHIN_MS / 1000} seconds`);
  const abort = () => giveUp('it is no longer wanted');
  signal.addEventListener('abort', abort, { once: true });
  process.once('error', (error) => giveUp(error.message));
  createInterface({ input: process.stderr })
    .on('line', (line) => {
      log(line);
      said.push(line);
      if (line.endsWith('database system is ready to accept connections')) settle(true);
      if (said.length > 50) said.shift();
    })
    .once('close', () => settle(false));
  const complaint = (await isReady) ? undefined : said.join('\n');
  clearTimeout(late);
  signal.removeEventListener('abort', abort);
  return complaint;
}

/**
 * Whether the `postmaster.pid` that PostgreSQL stumbled over is out of the way now, or soon. We hold the lock, so no keeper
 * lives here. A server of ours at work in this very folder is therefore the orphan of a keeper that was killed: it is
 * asked to end. A number that meanwhile belongs to another program, or to a dead process nobody collected, names no
 * server at all, and PostgreSQL finds out by its shared memory if that should be wrong. Only Linux lets us look.
 */
function clearTheWay({ dataDir, programs }: Launch, complaint: string): boolean {
  const pid = holderOf(complaint);
  if (pid === undefined || process.platform !== 'linux') return false;
  if (isDead(pid)) return forget(dataDir);
  const cwd = spawnSync('readlink', [`/proc/${pid}/cwd`], { ...programs.account, encoding: 'utf8' }).stdout.trim();
  if (cwd === '') return isDead(pid);
  if (cwd !== realpathSync(dataDir)) return forget(dataDir);
  if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(NAME)) return false;
  return process.kill(pid, 'SIGINT');
}

function forget(dataDir: string): true {
  rmSync(join(dataDir, 'postmaster.pid'), { force: true });
  return true;
}

function isDead(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return !existsSync(stat) || /\) [ZX] /.test(readFileSync(stat, 'utf8'));
}

function holderOf(complaint: string): number | undefined {
  const pid = /"postmaster\.pid" already exists[\s\S]*\(PID (\d+)\)/.exec(complaint)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function failureOf(dataDir: string, complaint: string): StartFailure {
  const pid = holderOf(complaint);
  if (pid !== undefined) return inUse(dirname(dataDir), `process ${pid}`);
  if (/Permission denied|wrong ownership|invalid permissions/.test(complaint)) return unreadable(dataDir);
  return notStarted(lastComplaint(complaint));
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
