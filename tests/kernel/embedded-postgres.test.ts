import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type EmbeddedDatabase, startEmbeddedPostgres } from '../../subgraphs/_kernel/embedded-postgres.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const place = mkdtempSync(join(tmpdir(), 'dotmac-embedded-'));
const dir = join(place, 'shared');
const dataDir = join(dir, 'postgres');
const started: EmbeddedDatabase[] = [];
const owners: ChildProcess[] = [];
const onLinux = process.platform === 'linux' ? test : test.skip;

afterEach(async () => {
  for (const owner of owners.splice(0)) owner.kill('SIGKILL');
  await Promise.all(started.splice(0).map((database) => database.stop()));
});
afterAll(async () => {
  await gone(join(dataDir, 'postmaster.pid'));
  rmSync(place, { recursive: true, force: true, maxRetries: 5 });
});

describe('the first start', () => {
  test('gives a PostgreSQL 18 on 127.0.0.1 that speaks UTC and sorts alike on every machine', async () => {
    const { url } = await start();
    expect(url).toMatch(/^postgres:\/\/postgres:[\w-]{32}@127\.0\.0\.1:\d+\/dotmac$/);
    const [facts] = await query(
      url,
      `select current_setting('server_version') as version, current_setting('timezone') as zone, current_setting('fsync') as fsync,
        current_setting('listen_addresses') as address, current_setting('unix_socket_directories') as sockets,
        current_setting('max_connections') as connections, rolsuper, datlocprovider, datlocale,
        pg_encoding_to_char(encoding) as encoding, lower('ÀÉ') as lower, 'Z' < 'a' as is_by_bytes
      from pg_database, pg_roles where datname = current_database() and rolname = current_user`,
    );
    expect(facts).toMatchObject({
      version: expect.stringMatching(/^18\./),
      zone: 'UTC',
      address: '127.0.0.1',
      sockets: '',
    });
    expect(facts).toMatchObject({ fsync: 'on', connections: '400', rolsuper: true, encoding: 'UTF8' });
    expect(facts).toMatchObject({ datlocprovider: 'b', datlocale: 'C.UTF-8', lower: 'àé', is_by_bytes: true });
  });

  test('keeps the password for its owner alone, and admits nobody without it', async () => {
    const { url } = await start();
    expect(statSync(join(dir, 'postgres-password')).mode & 0o777).toBe(0o600);
    await expect(query(url.replace(/:[\w-]{32}@/, ':guess@'), 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test('is done over when an earlier one was killed half-way', async () => {
    const first = join(place, 'half');
    const owner = await ownerOf(first);
    await until(() => existsSync(first) && readdirSync(first).some((name) => name.startsWith('postgres.making-')));
    owner.kill('SIGKILL');
    mkdirSync(join(first, 'postgres.making-older/data'), { recursive: true });
    const { url } = await start(first);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(readdirSync(first).sort()).toEqual(['postgres', 'postgres-password', 'postgres.lock']);
  });
});

describe('what was committed', () => {
  test('is there after a stop and another start', async () => {
    const first = await start();
    await query(first.url, `create table kept (word text); insert into kept values ('stopped')`);
    await first.stop();
    await first.stop();
    const second = await start();
    expect(await query(second.url, 'select word from kept')).toEqual([{ word: 'stopped' }]);
  });

  onLinux('is there after kill -9 of the program, which leaves no process behind', async () => {
    const owner = await ownerOf(dir);
    await query(await urlFrom(owner), `insert into kept values ('owner killed')`);
    const { keeper, server } = processes();
    owner.kill('SIGKILL');
    const { url } = await start();
    expect(await query(url, 'select word from kept')).toContainEqual({ word: 'owner killed' });
    expect([isAlive(keeper), isAlive(server)]).toEqual([false, false]);
  });

  onLinux('is there after everything was killed at once', async () => {
    const owner = await ownerOf(dir);
    await query(await urlFrom(owner), `insert into kept values ('all killed')`);
    const { keeper, server } = processes();
    for (const pid of [owner.pid, keeper, server]) process.kill(pid ?? 0, 'SIGKILL');
    expect(existsSync(join(dataDir, 'postmaster.pid'))).toBe(true);
    const { url } = await start();
    expect(await query(url, 'select word from kept')).toContainEqual({ word: 'all killed' });
  });

  onLinux('is there after only the server was left, which is found and ended', async () => {
    const owner = await ownerOf(dir);
    await query(await urlFrom(owner), `insert into kept values ('server orphaned')`);
    const { keeper, server } = processes();
    for (const pid of [keeper, owner.pid]) process.kill(pid ?? 0, 'SIGKILL');
    const { url } = await start();
    expect(await query(url, 'select word from kept')).toContainEqual({ word: 'server orphaned' });
    expect(isAlive(server)).toBe(false);
  });
});

test('a Ctrl-C that reaches everything leaves the database to the program until it has finished', async () => {
  const owner = await ownerOf(dir, `process.on('SIGINT', () => setTimeout(() => process.exit(0), 60_000));`);
  const url = await urlFrom(owner);
  process.kill(-(owner.pid ?? 0), 'SIGINT');
  if (process.platform === 'linux') process.kill(processes().keeper, 'SIGINT');
  await sleep(500);
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('a throwaway database leaves nothing, and never takes the place of a real one', async () => {
  const throwaway = join(place, 'throwaway');
  const database = await start(throwaway, true);
  expect(await query(database.url, `select current_setting('fsync') as fsync`)).toEqual([{ fsync: 'off' }]);
  await database.stop();
  expect(existsSync(throwaway)).toBe(false);
  await expect(start(dir, true)).rejects.toMatchObject({ code: 'DATA_DIR_FOREIGN' });
  expect(existsSync(dataDir)).toBe(true);
});

describe('one sentence says why it does not start', () => {
  test('when another program uses the folder', async () => {
    await start();
    const sentence = `The database in ${dir} is in use by another process: stop that first, or set another DATA_DIR.`;
    await expect(start()).rejects.toMatchObject({ name: 'StartFailure', code: 'DATA_DIR_IN_USE', message: sentence });
  });

  test('when the data is of another PostgreSQL', async () => {
    const versionFile = join(dataDir, 'PG_VERSION');
    writeFileSync(versionFile, '17\n');
    await expect(start()).rejects.toMatchObject({
      code: 'DATA_DIR_WRONG_VERSION',
      message: expect.stringMatching(/17.*18.*\.$/),
    });
    writeFileSync(versionFile, '18\n');
  });

  test('when the password beside the data is not its own', async () => {
    const passwordFile = join(dir, 'postgres-password');
    const password = readFileSync(passwordFile);
    writeFileSync(passwordFile, 'another\n');
    await expect(start()).rejects.toMatchObject({ code: 'DATABASE_PASSWORD_WRONG' });
    writeFileSync(passwordFile, password);
  });

  test('when the folder cannot be one', async () => {
    writeFileSync(join(place, 'file'), '');
    await expect(start(join(place, 'file'))).rejects.toMatchObject({ code: 'DATA_DIR_UNREADABLE' });
    mkdirSync(join(place, 'other/postgres/holiday-pictures'), { recursive: true });
    await expect(start(join(place, 'other'))).rejects.toMatchObject({ code: 'DATA_DIR_FOREIGN' });
  });

  test('when PostgreSQL may not read its data', async () => {
    const { uid, gid } = statSync(dataDir);
    if (process.getuid?.() === 0) chownSync(dataDir, 0, 0);
    else chmodSync(dataDir, 0o000);
    await expect(start()).rejects.toMatchObject({ code: 'DATA_DIR_UNREADABLE' });
    chmodSync(dataDir, 0o700);
    chownSync(dataDir, uid, gid);
    const { url } = await start();
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

async function start(at = dir, isThrowaway = false): Promise<EmbeddedDatabase> {
  const database = await startEmbeddedPostgres({ dir: at, isThrowaway });
  started.push(database);
  return database;
}

/** Another program that starts the database in `at`, prints its URL and then lives on; it leads a process group. */
async function ownerOf(at: string, more = ''): Promise<ChildProcess> {
  const kernel = new URL('../../subgraphs/_kernel/embedded-postgres.ts', import.meta.url).href;
  const program = `${more}
    import { startEmbeddedPostgres } from '${kernel}';
    console.log((await startEmbeddedPostgres({ dir: ${JSON.stringify(at)} })).url);
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--import', './run.mjs', '--input-type=module', '--eval', program], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  owners.push(owner);
  return owner;
}

async function urlFrom(owner: ChildProcess): Promise<string> {
  if (!owner.stdout) throw new Error('The owner has no output.');
  const [url] = await once(createInterface({ input: owner.stdout }), 'line', { signal: AbortSignal.timeout(15_000) });
  return url;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

function processes(): { keeper: number; server: number } {
  const server = Number(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const keeper = Number(/PPid:\s*(\d+)/.exec(readFileSync(`/proc/${server}/status`, 'utf8'))?.[1]);
  return { keeper, server };
}

/** A zombie that nobody has collected yet is dead, too. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/status`)) return false;
  return !/State:\s*Z/.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !isTrue(); await sleep(10)) {
    if (Date.now() > deadline) throw new Error('It did not happen within 15 seconds.');
  }
}

const gone = (path: string) => until(() => !existsSync(path));
