import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { dockerfileOf, environmentOf, partsOf, ROOT, readCompose } from './compose.ts';
import { createTestDatabase, testConfig } from './database.ts';
import { startRedis } from './redis.ts';

/** One service of `docker-compose.yml`, as a plain process. */
export interface Part {
  name: string;
  port: number;
  adminPort: number;
  child: ChildProcess;
  /** The lines of its log so far. */
  log(): Record<string, unknown>[];
  /** Ends it, and resolves with the code it ended with; null when it had to be killed. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** A span as the collector is told of it. */
export interface ToldSpan {
  service: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
}

export interface Deployment {
  part(name: string): Part;
  /** Starts a part that has ended again, where it was. */
  restart(name: string): Promise<void>;
  /** Where clients find the gateways, whichever answers. */
  proxyPort: number;
  password: string;
  /** The file of the supergraph that the gateways serve. */
  supergraphFile: string;
  databaseUrl: string;
  /** What the parts have sent to the collector. */
  spans: ToldSpan[];
  stop(): Promise<void>;
}

/** A part that does not go within this time is killed, milliseconds. */
const LONGEST_STOP_MS = 16_000;

export const freePort = () =>
  new Promise<number>((done) => {
    const server = createTcpServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });

/**
 * Everything `docker-compose.yml` says, as plain processes on this machine: each part with its own command, from a
 * directory that holds what the image holds and nothing else, on one PostgreSQL and one Redis, behind the proxy with its
 * own configuration. Only addresses are other ones.
 */
export async function deploy(): Promise<Deployment> {
  const undo: (() => unknown)[] = [];
  const stop = async () => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const database = await createTestDatabase();
    undo.push(() => database.drop());
    const redis = await startRedis();
    undo.push(() => redis.stop());
    const image = imageDirectory();
    undo.push(() => rmSync(image, { recursive: true, force: true }));
    const collector = await startCollector();
    undo.push(collector.stop);

    const config = testConfig(database.url);
    const secrets = {
      DATABASE_ROLE_SECRET: config.DATABASE_ROLE_SECRET,
      ENVELOPE_PRIVATE_KEY: config.ENVELOPE_PRIVATE_KEY,
      ENVELOPE_PUBLIC_KEYS: config.ENVELOPE_PUBLIC_KEYS.join(','),
      MASTER_KEY: config.MASTER_KEY,
      CERTIFICATE_KEY: config.CERTIFICATE_KEY,
      IDENTITY_DATA_KEY: config.IDENTITY_DATA_KEY,
      IDENTITY_MAC_KEY: config.IDENTITY_MAC_KEY,
    };
    const here = {
      HOST: '127.0.0.1',
      DATA_DIR: config.DATA_DIR,
      PORT: '0',
      ADMIN_HOST: '127.0.0.1',
      ADMIN_PORT: '0',
      DATABASE_URL: database.url,
      DATABASE_POOL: '4',
      DATABASE_WAIT_MS: String(config.DATABASE_WAIT_MS),
      REDIS_URL: redis.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    };
    const compose = readCompose();
    const parts = new Map<string, Part>();
    const startPart = async (name: string, port = 0) => {
      const service = compose.services[name];
      if (!service) throw new Error(`docker-compose.yml has no service ${name}.`);
      const env: Record<string, string> = { ...environmentOf(service, secrets), ...here, PORT: String(port) };
      if (env.SUBGRAPH_URLS)
        env.SUBGRAPH_URLS = env.SUBGRAPH_URLS.replace(
          /http:\/\/([\w-]+):\d+/g,
          (_, host: string) => `http://127.0.0.1:${parts.get(host)?.port}`,
        );
      const part = await startProcess(name, service.command ?? [], env, image);
      undo.push(() => part.end('SIGTERM'));
      parts.set(name, part);
    };
    const names = partsOf(compose).map(([name]) => name);
    await runOnce(compose.services.migrate?.command ?? [], { ...secrets, ...here, NODE_ENV: 'production' }, image);
    const isGateway = (name: string) => name.startsWith('gateway');
    await Promise.all(names.filter((name) => name !== 'migrate' && !isGateway(name)).map((name) => startPart(name)));
    await Promise.all(names.filter(isGateway).map((name) => startPart(name)));
    const part = (name: string) => {
      const found = parts.get(name);
      if (!found) throw new Error(`There is no part ${name}.`);
      return found;
    };
    const proxyPort = await startProxy(
      Object.fromEntries([1, 2].map((i) => [`GATEWAY_${i}`, `127.0.0.1:${part(`gateway-${i}`).port}`])),
      undo,
    );
    return {
      part,
      restart: (name) => startPart(name, part(name).port),
      proxyPort,
      password: String(config.SEED_PASSWORD),
      supergraphFile: join(image, 'schema/supergraph.graphql'),
      databaseUrl: database.url,
      spans: collector.spans,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A directory with what the Dockerfile copies into the image. */
function imageDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'dotmac-image-'));
  for (const copied of dockerfileOf('COPY')) {
    if (copied.startsWith('--from=')) continue;
    const paths = copied.split(' ');
    const to = paths.pop() as string;
    for (const path of paths)
      cpSync(resolve(ROOT, path), to === './' ? join(dir, path) : join(dir, to), { recursive: true });
  }
  symlinkSync(resolve(ROOT, 'node_modules'), join(dir, 'node_modules'));
  return dir;
}

const argumentsOf = ([program, ...args]: readonly string[]): string[] => {
  if (program !== 'node') throw new Error(`A part is started with node, not with ${program}.`);
  return args;
};

async function runOnce(command: readonly string[], env: Record<string, string>, cwd: string): Promise<void> {
  const child = spawn(process.execPath, argumentsOf(command), { cwd, env: { PATH: process.env.PATH, ...env } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${text}`);
}

function startProcess(
  name: string,
  command: readonly string[],
  env: Record<string, string>,
  cwd: string,
): Promise<Part> {
  const child = spawn(process.execPath, argumentsOf(command), { cwd, env: { PATH: process.env.PATH, ...env } });
  let text = '';
  const log = () =>
    text
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const end = (signal: NodeJS.Signals) =>
    new Promise<number | null>((done) => {
      if (child.exitCode !== null || child.signalCode !== null) return done(child.exitCode);
      const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_STOP_MS);
      child.once('exit', (code) => {
        clearTimeout(timer);
        done(code);
      });
      child.kill(signal);
    });
  return new Promise((done, fail) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        text += chunk;
        const port = /"url":"http:\/\/127\.0\.0\.1:(\d+)\/graphql"/.exec(text)?.[1] ?? /"port":(\d+)/.exec(text)?.[1];
        const adminPort = /"adminPort":(\d+)/.exec(text)?.[1];
        if (port && adminPort) done({ name, port: Number(port), adminPort: Number(adminPort), child, log, end });
      });
    child.on('exit', (code) => fail(new Error(`${name} ended with ${code}:\n${text}`)));
  });
}

/** The proxy with the configuration it has in `deploy/`. Needs /usr/sbin/haproxy, as `.ci/run` installs it. */
async function startProxy(gateways: Record<string, string>, undo: (() => unknown)[]): Promise<number> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const child = spawn('/usr/sbin/haproxy', ['-W', '-f', resolve(ROOT, 'deploy/haproxy/haproxy.cfg')], {
    env: { ...gateways, PROXY_BIND: `127.0.0.1:${port}`, PROXY_ADMIN_BIND: `127.0.0.1:${adminPort}` },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk));
  undo.push(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  });
  for (let i = 0; i < 100; i++) {
    if (child.exitCode !== null) throw new Error(`haproxy ended with ${child.exitCode}:\n${text}`);
    const answer = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (answer?.ok) return port;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`The proxy did not find a gateway:\n${text}`);
}

interface TracesRequest {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: Omit<ToldSpan, 'service'>[] }[];
  }[];
}

/** A collector that speaks OTLP over HTTP and keeps what it is told. */
async function startCollector(): Promise<{ url: string; spans: ToldSpan[]; stop: () => Promise<void> }> {
  const spans: ToldSpan[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as TracesRequest;
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = String(resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue);
      for (const scope of scopeSpans) for (const span of scope.spans) spans.push({ ...span, service });
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    stop: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
