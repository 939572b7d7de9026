import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Config } from '../../subgraphs/_kernel/config.ts';
import { SUBGRAPHS } from '../../subgraphs/index.ts';
import { freePort } from '../../tests/setup/apart.ts';
import { ROOT } from '../../tests/setup/compose.ts';

/** The product as operators start it, in one process or in several. */
export interface Deployment {
  /** Where its gateway answers. */
  origin: string;
  /** The sum of a figure over its processes; `labels` is what the series must be told with. */
  figure(name: string, labels?: string): Promise<number>;
  stop(): Promise<void>;
}

/** The processor the product runs on; PostgreSQL and whoever asks have the others. */
const ITS_PROCESSOR = '0';
/** How long a deployment may take to be ready, milliseconds. */
const READY_MS = 120_000;

const RATES = { RATE_PER_CALLER: '1000000000', RATE_PER_TENANT: '1000000000', RATE_PER_ADDRESS: '1000000000' };

const environment = (config: Config): Record<string, string> => ({
  NODE_ENV: 'production',
  DATABASE_URL: String(config.DATABASE_URL),
  DATABASE_ROLE_SECRET: config.DATABASE_ROLE_SECRET,
  ENVELOPE_PRIVATE_KEY: config.ENVELOPE_PRIVATE_KEY,
  ENVELOPE_PUBLIC_KEYS: config.ENVELOPE_PUBLIC_KEYS.join(','),
  IDENTITY_DATA_KEY: config.IDENTITY_DATA_KEY,
  IDENTITY_MAC_KEY: config.IDENTITY_MAC_KEY,
  ...RATES,
});

/** Gateway and every subgraph in one process. */
export async function inOneProcess(config: Config): Promise<Deployment> {
  return open([await start(['gateway/index.ts'], environment(config))]);
}

/** The gateway and every subgraph in processes of their own, over HTTP. */
export async function apart(config: Config): Promise<Deployment> {
  const env = environment(config);
  const subgraphs = await Promise.all(SUBGRAPHS.map(({ name }) => start(['subgraphs/serve.main.ts', name], env)));
  const urls = SUBGRAPHS.map(({ name }, i) => `${name}=http://127.0.0.1:${subgraphs[i]?.port}/graphql`);
  const gateway = await start(['gateway/index.ts', '--apart'], { ...env, SUBGRAPH_URLS: urls.join(',') });
  return open([gateway, ...subgraphs]);
}

interface Started {
  child: ChildProcess;
  port: number;
  adminPort: number;
}

async function start(args: string[], env: Record<string, string>): Promise<Started> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const child = spawn(
    'taskset',
    ['-c', ITS_PROCESSOR, process.execPath, '--max-semi-space-size=64', '--import', './run.mjs', ...args],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, PORT: String(port), ADMIN_PORT: String(adminPort), ...env },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  for (const until = Date.now() + READY_MS; ; await new Promise((done) => setTimeout(done, 100))) {
    if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode}.`);
    if (Date.now() > until) throw new Error(`${args.join(' ')} is not ready.`);
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (answer?.ok) return { child, port, adminPort };
  }
}

/** @param processes the gateway's first. */
function open(processes: Started[]): Deployment {
  return {
    origin: `http://127.0.0.1:${processes[0]?.port}`,
    async figure(name, labels = '') {
      let sum = 0;
      for (const { adminPort } of processes) {
        const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
        for (const line of text.split('\n')) {
          const [, found, told = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
          if (found === name && told.includes(labels)) sum += Number(value);
        }
      }
      return sum;
    },
    async stop() {
      for (const { child } of processes) {
        if (child.exitCode !== null) continue;
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
    },
  };
}
