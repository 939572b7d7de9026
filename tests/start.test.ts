import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { SECRETS } from '../subgraphs/_kernel/config.ts';

const ROOT = resolve(import.meta.dirname, '..');

interface Started {
  process: ChildProcess;
  output(): string;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
  /** Resolves when the text is printed; rejects if the process ends before. */
  prints(text: string): Promise<void>;
}

function start(dataDir: string, port: number, env: Record<string, string | undefined> = {}): Started {
  const child = spawn(process.execPath, ['--import', './run.mjs', 'gateway/index.ts'], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_ENV: 'development',
      DATA_DIR: dataDir,
      PORT: String(port),
      LOG_LEVEL: 'warn',
      ...env,
    },
  });
  let text = '';
  let heard: () => void = () => undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      text += chunk;
      heard();
    });
  const ended = new Promise<number | null>((done) => child.on('exit', (code) => done(code)));
  return {
    process: child,
    output: () => text,
    ended,
    prints: (wanted) =>
      new Promise((done, fail) => {
        heard = () => text.includes(wanted) && done();
        heard();
        void ended.then((code) => fail(new Error(`It ended with ${code} before it printed "${wanted}":\n${text}`)));
      }),
  };
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

describe('npm start', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dotmac-start-'));
  const open: Started[] = [];
  const run = (...args: Parameters<typeof start>) => {
    const started = start(...args);
    open.push(started);
    return started;
  };
  afterAll(async () => {
    for (const { process: child, ended } of open) {
      if (child.exitCode === null) child.kill('SIGTERM');
      await ended;
    }
    rmSync(dir, { recursive: true, force: true });
  }, 30_000);

  test('builds everything, prints how to sign in, stops cleanly, and keeps the data', async () => {
    const port = await freePort();
    const first = run(dir, port);
    await first.prints('is ready after');
    await first.prints('Sign in and ask');
    const line = first
      .output()
      .split('\n')
      .find((text) => text.includes('TOKEN=$(curl')) as string;
    const answer = JSON.parse(execFileSync('bash', ['-c', line], { encoding: 'utf8' }));
    expect(answer).toMatchObject({
      data: {
        me: { user: { displayName: 'Ingrid Solberg' } },
        tenant: { name: 'Northwind Fibre', license: { state: 'ACTIVE' } },
      },
    });

    const beside = run(dir, await freePort());
    expect(await beside.ended).toBe(1);
    expect(beside.output().trim()).toMatch(/^The database in .* is in use by .*\.$/);

    first.process.kill('SIGINT');
    expect(await first.ended).toBe(0);

    const second = run(dir, port);
    await second.prints('is ready after');
    const seconds = Number(/ready after ([\d.]+) s/.exec(second.output())?.[1]);
    expect(seconds).toBeLessThan(15);
    const again = JSON.parse(execFileSync('bash', ['-c', line], { encoding: 'utf8' }));
    expect(again.data.me.user.displayName).toBe('Ingrid Solberg');

    // Killed without a word, it starts again as if nothing had been.
    second.process.kill('SIGKILL');
    await second.ended;
    const third = run(dir, port);
    await third.prints('is ready after');
    third.process.kill('SIGTERM');
    expect(await third.ended).toBe(0);
  }, 120_000);

  test('a start cut short while it built the example world is healed by the next', async () => {
    const cut = mkdtempSync(join(tmpdir(), 'dotmac-cut-'));
    const port = await freePort();
    const first = run(cut, port, { LOG_LEVEL: 'info' });
    await new Promise((done) => setTimeout(done, 3_000));
    first.process.kill('SIGKILL');
    await first.ended;
    const second = run(cut, port);
    await second.prints('is ready after');
    second.process.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    rmSync(cut, { recursive: true, force: true });
  }, 120_000);

  test('a taken port, a malformed setting and a bypass in production each give one clear sentence', async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
    const { port } = taken.address() as { port: number };
    const blocked = run(dir, port);
    expect(await blocked.ended).toBe(1);
    expect(blocked.output().trim()).toBe(`Port ${port} is taken by another program. Set PORT to a free one.`);
    taken.close();

    const malformed = run(dir, 0, { DATABASE_POOL: 'many', LOG_LEVEL: 'loud' });
    expect(await malformed.ended).toBe(1);
    expect(malformed.output()).toMatch(
      /^The environment does not allow a start:\n {2}- LOG_LEVEL: .*\n {2}- DATABASE_POOL: .*\n$/,
    );

    const production = run(dir, 0, { NODE_ENV: 'production', FEATURE_OVERRIDE: 'crm' });
    expect(await production.ended).toBe(1);
    expect(production.output()).toContain('FEATURE_OVERRIDE: is honoured in development and test only.');
    expect(production.output()).toContain('DATABASE_URL: is missing.');
    expect(production.output()).not.toContain('    at ');
  }, 60_000);

  test.each([
    ['LICENSE_TIER', 'professional', 'production'],
    ['LICENSE_TIER', 'professional', undefined],
    ['FEATURE_OVERRIDE', 'crm,-tickets', undefined],
  ])(
    '%s=%s does not start with NODE_ENV %s, were everything else right',
    async (name, value, mode) => {
      const secret = randomBytes(32).toString('base64url');
      const settings = Object.fromEntries(SECRETS.map((setting) => [setting, secret]));
      const asked = { ...settings, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', [name]: value };
      const started = run(dir, 0, { ...asked, NODE_ENV: mode });
      expect(await started.ended).toBe(1);
      expect(started.output()).toBe(
        `The environment does not allow a start:\n  - ${name}: is honoured in development and test only.\n`,
      );
    },
    30_000,
  );
});
