import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Config } from '../subgraphs/_kernel/config.ts';
import { SUBGRAPHS } from '../subgraphs/index.ts';
import { freePort } from '../tests/setup/apart.ts';
import { ROOT } from '../tests/setup/compose.ts';

/** The product as operators start it, in one process or in several. */
export interface Deployment {
  /** Where its first gateway answers. */
  origin: string;
  /** Where its gateways answer. */
  ports: number[];
  /** The sum of a figure over its processes; `labels` is what the series must be told with. */
  figure(name: string, labels?: string): Promise<number>;
  /** Several figures, each process's as they were at one moment. */
  figures(...names: string[]): Promise<number[]>;
  /** Kills a gateway as a lost machine would: it says nothing to anybody. */
  kill(gateway: number): Promise<void>;
  /** Starts it again, where it was. */
  restart(gateway: number): Promise<void>;
  stop(): Promise<void>;
}

/** Where and how a process runs. */
interface Place {
  /** The processor it has; any, if none is said. */
  processor?: string;
  env: Record<string, string>;
}

/** The processor the product runs on beside PostgreSQL and whoever asks, who have the others. */
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
  MASTER_KEY: config.MASTER_KEY,
  CERTIFICATE_KEY: config.CERTIFICATE_KEY,
  IDENTITY_DATA_KEY: config.IDENTITY_DATA_KEY,
  IDENTITY_MAC_KEY: config.IDENTITY_MAC_KEY,
  ...RATES,
});

/**
 * Gateway and every subgraph in one process, on one processor.
 * @param place on all of them, where it names none.
 */
export async function inOneProcess(
  config: Config,
  { processor, env }: Place = { processor: ITS_PROCESSOR, env: {} },
): Promise<Deployment> {
  const place = { env: { ...environment(config), ...env }, ...(processor ? { processor } : {}) };
  return open([await start(['gateway/index.ts'], place)], []);
}

/** The gateway and every subgraph in processes of their own, over HTTP, on one processor. */
export function apart(config: Config): Promise<Deployment> {
  return startApart({ processor: ITS_PROCESSOR, env: environment(config) }, 1);
}

/** Several gateways and every subgraph in processes of their own, over HTTP, on all processors. */
export function withGateways(config: Config, gateways: number, env: Record<string, string>): Promise<Deployment> {
  return startApart({ env: { ...environment(config), ...env } }, gateways);
}

async function startApart(place: Place, count: number): Promise<Deployment> {
  const subgraphs = await Promise.all(SUBGRAPHS.map(({ name }) => start(['subgraphs/serve.main.ts', name], place)));
  const urls = SUBGRAPHS.map(({ name }, i) => `${name}=http://127.0.0.1:${subgraphs[i]?.port}/graphql`);
  const env = { ...place.env, SUBGRAPH_URLS: urls.join(',') };
  const gateways = Array.from({ length: count }, () => start(['gateway/index.ts', '--apart'], { ...place, env }));
  return open(await Promise.all(gateways), subgraphs);
}

interface Started {
  child: ChildProcess;
  port: number;
  adminPort: number;
  /** Starts it again at its port, after it has ended. */
  again(): Promise<Started>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill(); // a bench that fails leaves nothing behind
});

async function start(args: string[], place: Place, port?: number): Promise<Started> {
  const [ownPort, adminPort] = [port ?? (await freePort()), await freePort()];
  const node = [
    process.execPath,
    '--max-semi-space-size=64',
    '--heap-growing-percent=120',
    '--import',
    './run.mjs',
    ...args,
  ];
  const [program = '', ...rest] = place.processor ? ['taskset', '-c', place.processor, ...node] : node;
  const child = spawn(program, rest, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, PORT: String(ownPort), ADMIN_PORT: String(adminPort), ...place.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  for (const until = Date.now() + READY_MS; ; await new Promise((done) => setTimeout(done, 100))) {
    if (child.exitCode !== null) throw new Error(`${args.join(' ')} ended with ${child.exitCode}.`);
    if (Date.now() > until) throw new Error(`${args.join(' ')} is not ready.`);
    const answer = await fetch(`http://127.0.0.1:${ownPort}/health/ready`).catch(() => undefined);
    if (answer?.ok) return { child, port: ownPort, adminPort, again: () => start(args, place, ownPort) };
  }
}

async function end({ child }: Started, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

function sumOf(lines: readonly string[], name: string, labels = ''): number {
  let sum = 0;
  for (const line of lines) {
    const [, found, told = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found === name && told.includes(labels)) sum += Number(value);
  }
  return sum;
}

function open(gateways: Started[], subgraphs: Started[]): Deployment {
  const at = (gateway: number) => gateways[gateway] as Started;
  const ports = gateways.map(({ port }) => port);
  const scrape = async () => {
    const texts = [...gateways, ...subgraphs].map(async ({ adminPort }) =>
      (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text(),
    );
    return (await Promise.all(texts)).flatMap((text) => text.split('\n'));
  };
  return {
    origin: `http://127.0.0.1:${ports[0]}`,
    ports,
    figure: async (name, labels) => sumOf(await scrape(), name, labels),
    figures: async (...names) => {
      const lines = await scrape();
      return names.map((name) => sumOf(lines, name));
    },
    kill: (gateway) => end(at(gateway), 'SIGKILL'),
    async restart(gateway) {
      gateways[gateway] = await at(gateway).again();
    },
    async stop() {
      await Promise.all([...gateways, ...subgraphs].map((process) => end(process, 'SIGTERM')));
    },
  };
}
