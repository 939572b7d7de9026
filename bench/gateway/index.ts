import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { median, type Result } from '../setup.ts';
import { composeShop, QUERY } from './shop.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PEERS = join(import.meta.dirname, 'peers');
const CONNECTIONS = 50;
const ROUNDS = 3;
/** How long each gateway is measured in each round, after half that time to warm up. */
const SECONDS = 8;
/** One core for the gateway, another for load and subgraphs. */
const [GATEWAY_CORE, OTHER_CORE] = ['0', '1'];
const START_MS = 30_000;

interface Run {
  perSecond: number;
  p50: number;
  p99: number;
  residentMb: number;
}

interface Contender {
  name: string;
  command(file: string, port: number, answer: string): string[];
  cwd?: string;
}

const ours = (file: string, port: number) => [
  'npm',
  'run',
  '--silent',
  'gateway',
  '--',
  '--supergraph',
  file,
  '--port',
  String(port),
  '--public',
  '--forward-header',
  'authorization',
];

const CONTENDERS: readonly Contender[] = [
  { name: 'ours', command: ours, cwd: ROOT },
  {
    name: 'Apollo Gateway',
    command: (file, port) => [...typescript('apollo.main.ts'), file, String(port)],
    cwd: ROOT,
  },
  {
    name: 'Hive Gateway with router-runtime',
    command: (file, port) => [
      'node',
      'node_modules/.bin/hive-gateway',
      'supergraph',
      file,
      '--port',
      String(port),
      '--host',
      '127.0.0.1',
      '--hive-router-runtime',
      '--fork',
      '1',
    ],
    cwd: PEERS,
  },
  {
    name: 'ready bytes',
    command: (_file, port, answer) => [...typescript('ready-bytes.main.ts'), String(port), answer],
    cwd: ROOT,
  },
];

function typescript(file: string): string[] {
  return ['node', '--import', './run.mjs', join(import.meta.dirname, file)];
}

/**
 * The public four-subgraph benchmark: one big nested query over 50 connections, each request with a header of its own that
 * subgraphs must get, every answer compared. The gateway has one core; load and subgraphs, which answer from memory, the
 * other. Three interleaved rounds, medians.
 */
export async function gateway(): Promise<Result[]> {
  if (!existsSync(join(PEERS, 'node_modules')))
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: PEERS, stdio: 'inherit' });
  const dir = mkdtempSync(join(tmpdir(), 'dotmac-bench-gateway-'));
  const subgraphsPort = await freePort();
  const file = join(dir, 'supergraph.graphql');
  writeFileSync(file, composeShop(subgraphsPort));
  const subgraphs = await start(OTHER_CORE, [...typescript('subgraphs.main.ts'), String(subgraphsPort)], ROOT);
  const runs = new Map<string, Run[]>();
  try {
    const answer = await rightAnswer(file);
    for (let round = 0; round < ROUNDS; round++)
      for (const contender of CONTENDERS) {
        const run = await measure(contender, file, answer);
        runs.set(contender.name, [...(runs.get(contender.name) ?? []), run]);
        console.log(
          `  ${contender.name}: ${run.perSecond.toFixed(0)}/s, p50 ${run.p50.toFixed(1)} ms, p99 ${run.p99.toFixed(1)} ms, ${run.residentMb.toFixed(0)} MB`,
        );
      }
  } finally {
    await stop(subgraphs);
    rmSync(dir, { recursive: true, force: true });
  }
  return results(runs);
}

function results(runs: ReadonlyMap<string, readonly Run[]>): Result[] {
  const of = (name: string, key: keyof Run) => median((runs.get(name) ?? []).map((run) => run[key]));
  const [apollo, hive, ceiling] = ['Apollo Gateway', 'Hive Gateway with router-runtime', 'ready bytes'] as const;
  const times = of('ours', 'perSecond') / of(apollo, 'perSecond');
  const hiveTimes = of('ours', 'perSecond') / of(hive, 'perSecond');
  const late = of('ours', 'p99') / of(hive, 'p99');
  return [
    { what: `requests/s against ${apollo}`, figure: `${times.toFixed(1)} ×`, bound: '≥ 8 ×', holds: times >= 8 },
    {
      what: `requests/s against ${hive}`,
      figure: `${hiveTimes.toFixed(1)} ×`,
      bound: '≥ 3.5 ×',
      holds: hiveTimes >= 3.5,
    },
    { what: 'p99 against Hive’s', figure: late.toFixed(2), bound: '≤ 0.33', holds: late <= 1 / 3 },
    {
      what: 'resident memory',
      figure: `${of('ours', 'residentMb').toFixed(0)} MB`,
      bound: '≤ 350 MB',
      holds: of('ours', 'residentMb') <= 350,
    },
    {
      what: 'share of what ready bytes reach',
      figure: `${((100 * of('ours', 'perSecond')) / of(ceiling, 'perSecond')).toFixed(0)} %`,
      bound: 'none',
      holds: true,
    },
  ];
}

async function measure({ name, command, cwd }: Contender, file: string, answer: string): Promise<Run> {
  const port = await freePort();
  const child = await start(GATEWAY_CORE, command(file, port, `{"data":${answer}}`), cwd ?? ROOT, port);
  try {
    const load = [...typescript('load.main.ts'), String(port), String(CONNECTIONS), String(SECONDS), answer];
    const told = JSON.parse(await output(OTHER_CORE, load)) as Omit<Run, 'residentMb'> & { wrong: number };
    if (told.wrong > 0) throw new Error(`${name} gave ${told.wrong} wrong answers.`);
    return { ...told, residentMb: residentMb(child.pid as number) };
  } finally {
    await stop(child);
  }
}

/** What the query must be answered with: our gateway's answer, as the subgraphs' merged data say it (see the tests). */
async function rightAnswer(file: string): Promise<string> {
  const port = await freePort();
  const child = await start(GATEWAY_CORE, ours(file, port), ROOT, port);
  try {
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer first' },
      body: JSON.stringify({ query: QUERY }),
    });
    const { data, errors } = (await response.json()) as { data: unknown; errors?: unknown };
    if (errors) throw new Error(JSON.stringify(errors));
    return JSON.stringify(data);
  } finally {
    await stop(child);
  }
}

async function start(core: string, command: readonly string[], cwd: string, port?: number): Promise<ChildProcess> {
  const child = spawn('taskset', ['-c', core, ...command], {
    cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_ENV: 'production', LOG_LEVEL: 'info' },
  });
  let said = '';
  child.stdout?.on('data', (text) => {
    if (said.length < 10_000) said += text;
  });
  const until = Date.now() + START_MS;
  while (Date.now() < until && child.exitCode === null) {
    if (port === undefined ? said.includes('ready') : await answers(port)) return child;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop(child);
  throw new Error(`${command.join(' ')} did not start: ${said}`);
}

const answers = (port: number) =>
  fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ __typename }"}',
  }).then(
    (response) => response.ok,
    () => false,
  );

function output(core: string, command: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', core, ...command], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    child.on('exit', (code) => (code === 0 ? resolve(said) : reject(new Error(`The load ended with ${code}.`))));
  });
}

/** Ends a command with all it started. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGTERM');
  const timer = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), 3_000);
  await ended;
  clearTimeout(timer);
}

/** What the process with most memory of a command's group holds. */
function residentMb(group: number): number {
  const sizes = execFileSync('ps', ['-eo', 'pgid=,rss='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([pgid]) => pgid === group)
    .map(([, rss = 0]) => rss / 1024);
  return Math.max(...sizes);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
