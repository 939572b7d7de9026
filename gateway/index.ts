import { mkdirSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openAdminPort } from '../subgraphs/_kernel/admin-port.ts';
import { type Config, ConfigError, readConfig, readPublicConfig } from '../subgraphs/_kernel/config.ts';
import { devSecrets } from '../subgraphs/_kernel/dev-secrets.ts';
import { type EmbeddedDatabase, StartFailure, startEmbeddedPostgres } from '../subgraphs/_kernel/embedded-postgres.ts';
import { openFanOut } from '../subgraphs/_kernel/fan-out.ts';
import { createLog, type Logger, startTelemetry } from '../subgraphs/_kernel/telemetry.ts';
import { printBanner, signInForSandbox } from './banner.ts';
import { type DataSource, localSubgraph } from './data-sources.ts';
import { remoteSubgraph } from './http-transport.ts';
import { startGateway } from './start.ts';

/** The root of the checkout: where `.data/` and `schema/` lie, whatever the working directory. */
const ROOT = resolve(import.meta.dirname, '..');
/** A shutdown that takes longer is cut short, milliseconds. */
const LONGEST_STOP_MS = 15_000;

type Step = () => Promise<void>;

/** The gateway alone, its subgraphs at SUBGRAPH_URLS. */
async function startApart(config: Config, log: Logger, undo: Step[]): Promise<void> {
  const urls = new Map(
    config.SUBGRAPH_URLS.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  if (urls.size === 0)
    throw new StartFailure(
      'NO_SUBGRAPHS',
      'SUBGRAPH_URLS names no subgraphs: give name=url pairs, such as billing=http://127.0.0.1:4013/graphql.',
    );
  const sources = new Map<string, DataSource>([...urls].map(([name, url]) => [name, remoteSubgraph(name, url, log)]));
  const fanOut = openFanOut(config, log);
  undo.push(() => fanOut.close());
  const gateway = await startGateway(config, sources, fanOut, log);
  undo.push(() => gateway.stop());
  process.on('SIGHUP', () => void gateway.reload());
  log.info({ port: gateway.port, subgraphs: [...urls.keys()] }, 'gateway ready');
}

/** Database, migrations, example world, every subgraph and the gateway in this process. */
async function startAll(given: Config, dataDir: string, log: Logger, undo: Step[]): Promise<void> {
  const startedAt = performance.now();
  let database: EmbeddedDatabase | undefined;
  let config = given;
  if (!config.DATABASE_URL) {
    const embedded = await startEmbeddedPostgres({ dir: dataDir });
    undo.push(() => embedded.stop());
    database = embedded;
    config = { ...given, DATABASE_URL: embedded.url };
  }
  await import('reflect-metadata');
  const [{ SUBGRAPHS }, { migrateAll }, { serve }, { buildWorld, worldState }] = await Promise.all([
    import('../subgraphs/index.ts'),
    import('../subgraphs/migrate.ts'),
    import('../subgraphs/serve.ts'),
    import('../subgraphs/seed.ts'),
  ]);
  await migrateAll(config);
  let world = await worldState(config);
  if (world === 'HALF') {
    if (!database)
      throw new StartFailure(
        'WORLD_HALF_BUILT',
        'An earlier start was cut short while it built the example world. Start with an empty database.',
      );
    log.warn('an earlier start was cut short while it built the example world; building it anew');
    await recreateDatabase(config);
    await migrateAll(config);
    world = 'NONE';
  }
  const serving = await serve(config, log, undefined, database !== undefined);
  undo.push(() => serving.stop());
  if (world === 'NONE' && config.NODE_ENV === 'development' && config.SEED_PASSWORD)
    await buildWorld(config, serving.subgraphs, config.SEED_PASSWORD);
  const sources = new Map<string, DataSource>(
    serving.subgraphs.map((running) => [running.name, localSubgraph(running)]),
  );
  const gateway = await startGateway(config, sources, serving.fanOut, log, {
    sandboxToken: (graph) => signInForSandbox(graph, config),
  });
  undo.push(() => gateway.stop());
  process.on('SIGHUP', () => void gateway.reload());
  printBanner(
    config,
    SUBGRAPHS.flatMap(({ people = [] }) => people),
    SUBGRAPHS.flatMap(({ keys = [] }) => keys),
    gateway.port,
    performance.now() - startedAt,
  );
}

/** Drops our own embedded database, which holds nothing but half an example world, and makes it empty. */
async function recreateDatabase(config: Config): Promise<void> {
  const { default: pg } = await import('pg');
  const url = new URL(String(config.DATABASE_URL));
  const name = pg.escapeIdentifier(url.pathname.slice(1));
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  await client.query(`drop database ${name} with (force)`);
  await client.query(`create database ${name}`);
  await client.end();
}

/** `--apart`: the gateway alone. `--public`: any supergraph, for anybody, given with `--supergraph` and `--port`. */
const ARGUMENTS = {
  apart: { type: 'boolean', default: false },
  public: { type: 'boolean', default: false },
  supergraph: { type: 'string' },
  port: { type: 'string' },
  'forward-header': { type: 'string', multiple: true, default: [] as string[] },
} as const;

function readArguments() {
  try {
    const { values } = parseArgs({ options: ARGUMENTS });
    const port = Number(values.port ?? 4000);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('--port is a number from 0 to 65535.');
    if (values.public && !values.supergraph) throw new Error('--public needs --supergraph FILE.');
    const isForeign = values.supergraph || values.port || values['forward-header'].length > 0;
    if (!values.public && isForeign) throw new Error('--supergraph, --port and --forward-header go with --public.');
    return { ...values, supergraph: values.supergraph ?? '', port, forwardedHeaders: values['forward-header'] };
  } catch (error) {
    throw new StartFailure('BAD_ARGUMENTS', (error as Error).message);
  }
}

/** The gateway alone, over a graph that need not be ours. */
async function startPublic(given: ReturnType<typeof readArguments>): Promise<void> {
  const config = readPublicConfig(process.env);
  log = createLog(config, 'gateway');
  undo.push(startTelemetry(config, 'gateway'));
  const { startPublicGateway } = await import('./public.ts');
  const { HOST: host, SUBGRAPH_TIMEOUT_MS: subgraphTimeoutMs } = config;
  const gateway = await startPublicGateway({ ...given, host, subgraphTimeoutMs }, log);
  undo.push(() => gateway.stop());
  process.on('SIGHUP', () => void gateway.reload());
  log.info({ port: gateway.port, supergraph: given.supergraph }, 'gateway ready');
}

const undo: Step[] = [];
let stopping: Promise<void> | undefined;

/** Ends everything in the reverse order of its start; once, however often it is asked. */
function stop(log: Logger | undefined, code: number): Promise<void> {
  stopping ??= (async () => {
    setTimeout(() => process.exit(1), LONGEST_STOP_MS).unref();
    for (const step of undo.reverse())
      await step().catch((error: Error) => log?.error({ err: error }, 'a part did not stop cleanly'));
    process.exit(code);
  })();
  return stopping;
}

/** The sentence for a start that failed: ours as it stands, a foreign one with its stack in the log. */
function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof StartFailure) return error.message;
  const { code, message, stack, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `There is no file ${path}.`;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === '28P01')
    return `The database at DATABASE_URL cannot be reached or refuses the sign-in (${code}).`;
  return stack ?? message;
}

async function start(): Promise<void> {
  const given = readArguments();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(log, 0));
  if (given.public) return startPublic(given);
  const dataDir =
    process.env.DATA_DIR && isAbsolute(process.env.DATA_DIR)
      ? process.env.DATA_DIR
      : resolve(ROOT, process.env.DATA_DIR || '.data');
  const isProduction = (process.env.NODE_ENV ?? 'production') === 'production';
  if (!isProduction) mkdirSync(dataDir, { recursive: true });
  const config = { ...readConfig(process.env, isProduction ? {} : devSecrets(dataDir)), DATA_DIR: dataDir };
  const service = given.apart ? 'gateway' : 'dotmac';
  log = createLog(config, service);
  undo.push(startTelemetry(config, service));
  const admin = await openAdminPort(config, log);
  undo.push(async () => admin?.close());
  await (given.apart ? startApart(config, log, undo) : startAll(config, dataDir, log, undo));
}

let log: Logger | undefined;
try {
  await start();
} catch (error) {
  console.error(explain(error));
  await stop(log, 1);
}
