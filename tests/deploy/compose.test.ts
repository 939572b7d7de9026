import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join, resolve } from 'node:path';
import { readConfig, SECRETS, SETTINGS } from '../../subgraphs/_kernel/config.ts';
import { ed25519PublicOf } from '../../subgraphs/_kernel/dev-secrets.ts';
import { SUBGRAPHS } from '../../subgraphs/index.ts';
import { dockerfileOf, environmentOf, partsOf, ROOT, readCompose, readYaml, type Service } from '../setup/compose.ts';

const compose = readCompose();
const parts = partsOf(compose);
const { services } = compose;
const key = () => randomBytes(32).toString('base64url');
/** What an operator writes into `.env`. */
const DOT_ENV: Record<string, string> = {
  ...Object.fromEntries(SECRETS.map((name) => [name, key()])),
  ENVELOPE_PUBLIC_KEYS: ed25519PublicOf(key()),
  POSTGRES_PASSWORD: 'drawn',
  GRAFANA_PASSWORD: 'drawn',
};
const portOf = (name: string, setting = 'PORT') => environmentOf(services[name] as Service, DOT_ENV)[setting];

describe('docker-compose.yml', () => {
  test('has every subgraph, two gateways, and what they stand on', () => {
    const commands = parts.map(([, { command }]) => command?.slice(-2).join(' '));
    expect(commands.sort()).toEqual(
      [
        'subgraphs/migrate.main.ts',
        ...SUBGRAPHS.map(({ name }) => `subgraphs/serve.main.ts ${name}`),
        'gateway/index.ts --apart',
        'gateway/index.ts --apart',
      ]
        .map((command) => (command.includes(' ') ? command : `./run.mjs ${command}`))
        .sort(),
    );
    for (const name of ['postgres', 'redis', 'proxy', 'otel-collector', 'prometheus', 'grafana'])
      expect(services[name]?.image).toMatch(/^[\w./-]+:v?\d/); // a version, never whatever is newest
  });

  test('starts every part with a command that exists and settings that are known and allow a production start', () => {
    for (const [name, service] of parts) {
      const [program, ...args] = service.command ?? [];
      expect([name, program]).toEqual([name, 'node']);
      for (const path of args.filter((arg) => /\.(ts|mjs)$/.test(arg)))
        expect(existsSync(resolve(ROOT, path))).toBe(true);
      const told = Object.keys(service.environment ?? {});
      expect([name, told.filter((setting) => !(setting in SETTINGS))]).toEqual([name, []]);
      expect(() => readConfig(environmentOf(service, DOT_ENV))).not.toThrow();
    }
  });

  test('asks .env for what it names, and for nothing it does not say', () => {
    const head = readFileSync(resolve(ROOT, 'docker-compose.yml'), 'utf8').split('\n\n')[0] ?? '';
    const asked = [...readFileSync(resolve(ROOT, 'docker-compose.yml'), 'utf8').matchAll(/\$\{(\w+)\}/g)].map(
      ([, n]) => n,
    );
    for (const name of [...new Set(asked), ...SECRETS]) expect(head).toContain(String(name));
    for (const name of asked) expect(DOT_ENV).toHaveProperty(String(name));
  });

  test('waits for what is there, and for health only of what says how it is', () => {
    for (const [name, { depends_on = [] }] of Object.entries(services))
      for (const [other, { condition }] of Object.entries(
        Array.isArray(depends_on)
          ? Object.fromEntries(depends_on.map((needed) => [needed, { condition: 'service_started' }]))
          : depends_on,
      )) {
        const needed = services[other];
        expect([name, other, needed !== undefined]).toEqual([name, other, true]);
        if (condition === 'service_healthy')
          expect([other, needed?.healthcheck?.test?.[0]]).toEqual([other, expect.stringMatching(/^CMD/)]);
        if (condition === 'service_completed_successfully') expect(other).toBe('migrate');
      }
  });

  test('names each other by addresses that answer', () => {
    for (const [name, service] of parts) {
      const env = environmentOf(service, DOT_ENV);
      const urls = [env.DATABASE_URL, env.REDIS_URL, env.OTEL_EXPORTER_OTLP_ENDPOINT].map(
        (url) => new URL(String(url)),
      );
      expect([name, ...urls.map(({ hostname, port }) => `${hostname}:${port}`)]).toEqual([
        name,
        'postgres:5432',
        'redis:6379',
        'otel-collector:4318',
      ]);
      const health = service.healthcheck?.test?.join(' ');
      if (health) expect(health).toContain(`127.0.0.1:${env.PORT}/health/ready`);
      if (!env.SUBGRAPH_URLS) continue;
      const subgraphs = env.SUBGRAPH_URLS.split(',').map((pair) => pair.split('=') as [string, string]);
      expect(subgraphs.map(([subgraph]) => subgraph).sort()).toEqual(SUBGRAPHS.map((subgraph) => subgraph.name).sort());
      for (const [subgraph, url] of subgraphs) expect(url).toBe(`http://${subgraph}:${portOf(subgraph)}/graphql`);
    }
    const proxy = environmentOf(services.proxy as Service, DOT_ENV);
    for (const i of [1, 2]) expect(proxy[`GATEWAY_${i}`]).toBe(`gateway-${i}:${portOf(`gateway-${i}`)}`);
    expect(services.proxy?.ports).toEqual([`4000:${proxy.PROXY_BIND?.split(':')[1]}`]);
  });

  test('opens the proxy to the world, Grafana to this machine, and nothing else', () => {
    const open = Object.entries(services).flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(open).toEqual(['proxy 4000:4000', 'grafana 127.0.0.1:3000:3000']);
  });

  test('mounts files that are there, and volumes and networks it declares', () => {
    for (const [name, { volumes = [], networks = [] }] of Object.entries(services)) {
      for (const volume of volumes) {
        const [from = ''] = volume.split(':');
        const isThere = from.startsWith('./') ? existsSync(resolve(ROOT, from)) : from in compose.volumes;
        expect([name, from, isThere]).toEqual([name, from, true]);
      }
      for (const network of networks) expect(compose.networks).toHaveProperty(network);
    }
  });

  test('gives every part time to drain, and nothing it does not need', () => {
    for (const [, service] of parts) {
      expect(Number.parseInt(String(service.stop_grace_period), 10)).toBeGreaterThan(15);
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    }
  });
});

describe('what watches', () => {
  test('Prometheus asks every part on its admin port, and knows the alerts', () => {
    const { scrape_configs, rule_files } = readYaml<{
      scrape_configs: { static_configs: { targets: string[] }[] }[];
      rule_files: string[];
    }>('deploy/prometheus/prometheus.yml');
    const targets = scrape_configs.flatMap(({ static_configs }) => static_configs.flatMap((config) => config.targets));
    const wanted = parts
      .filter(([name]) => name !== 'migrate')
      .map(([name]) => `${name}:${portOf(name, 'ADMIN_PORT')}`);
    const proxy = `proxy:${portOf('proxy', 'PROXY_ADMIN_BIND')?.split(':')[1]}`;
    expect(targets.sort()).toEqual([...wanted, proxy].sort());
    for (const file of rule_files) expect(existsSync(resolve(ROOT, 'deploy/prometheus', file))).toBe(true);
    const { groups } = readYaml<{ groups: { rules: { alert: string; annotations: { summary: string } }[] }[] }>(
      'deploy/prometheus/alerts.yml',
    );
    for (const { alert, annotations } of groups.flatMap(({ rules }) => rules))
      expect([alert, annotations.summary]).toEqual([alert, expect.stringMatching(/\.$/)]);
  });

  test('the collector listens where spans are sent, and every pipeline is made of parts it has', () => {
    const collector = readYaml<{
      receivers: { otlp: { protocols: { http: { endpoint: string } } } };
      service: { extensions: string[]; pipelines: Record<string, Record<string, string[]>> };
      [kind: string]: object;
    }>('deploy/otel/collector.yml');
    expect(collector.receivers.otlp.protocols.http.endpoint).toBe('0.0.0.0:4318');
    for (const pipeline of Object.values(collector.service.pipelines))
      for (const [kind, names] of Object.entries(pipeline))
        for (const name of names) expect(collector[kind]).toHaveProperty(name);
    expect(services['otel-collector']?.volumes?.[0]).toContain(services['otel-collector']?.command?.[0]?.split('=')[1]);
  });

  test('Grafana finds Prometheus and the dashboard, whose panels do not overlap', () => {
    const { datasources } = readYaml<{ datasources: { uid: string; url: string }[] }>(
      'deploy/grafana/provisioning/datasources/prometheus.yml',
    );
    expect(datasources).toMatchObject([{ uid: 'prometheus', url: 'http://prometheus:9090' }]);
    const { providers } = readYaml<{ providers: { options: { path: string } }[] }>(
      'deploy/grafana/provisioning/dashboards/dotmac.yml',
    );
    expect(services.grafana?.volumes?.some((volume) => volume.includes(`:${providers[0]?.options.path}:`))).toBe(true);
    interface Panel {
      id: number;
      gridPos: { x: number; y: number; w: number; h: number };
      datasource?: { uid: string };
    }
    const { panels } = JSON.parse(readFileSync(resolve(ROOT, 'deploy/grafana/dashboards/dotmac.json'), 'utf8')) as {
      panels: Panel[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos, datasource } of panels) {
      if (datasource) expect(datasource.uid).toBe('prometheus');
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`)).toBe(false);
          taken.add(`${x},${y}`);
        }
    }
  });

  test('the proxy takes its configuration', () => {
    const { status, stdout, stderr } = spawnSync('/usr/sbin/haproxy', ['-c', '-f', 'deploy/haproxy/haproxy.cfg'], {
      cwd: ROOT,
      env: { ...environmentOf(services.proxy as Service, DOT_ENV), GATEWAY_1: '127.0.0.1:1', GATEWAY_2: '127.0.0.1:2' },
      encoding: 'utf8',
    });
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('valid')]);
    expect(stdout + stderr).not.toMatch(/WARNING/);
  });
});

describe('Dockerfile', () => {
  test('ships what the parts are started from, as nobody in particular, and nothing made for tests', () => {
    const copied = dockerfileOf('COPY')
      .filter((line) => !line.startsWith('--from='))
      .flatMap((line) => line.split(' ').slice(0, -1));
    expect(copied.sort()).toEqual(
      ['.swcrc', 'gateway', 'package.json', 'run.hooks.mjs', 'run.mjs', 'schema', 'subgraphs'].sort(),
    );
    for (const path of copied) expect(existsSync(resolve(ROOT, path))).toBe(true);
    expect(dockerfileOf('USER')).toEqual(['node']);
    const [command] = dockerfileOf('CMD');
    expect(JSON.parse(String(command))[0]).toBe('node'); // npm would keep SIGTERM to itself
    expect(dockerfileOf('HEALTHCHECK')).toEqual([expect.stringContaining('/health/live')]);
  });

  test('what is shipped imports production dependencies only', () => {
    const { dependencies } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8'));
    const foreign = new Set<string>();
    for (const dir of ['gateway', 'schema', 'subgraphs'])
      for (const file of readdirSync(resolve(ROOT, dir), { recursive: true, encoding: 'utf8' })) {
        if (!file.endsWith('.ts')) continue;
        const text = readFileSync(join(ROOT, dir, file), 'utf8');
        for (const [, kind, from = ''] of text.matchAll(/^(?:import|export)( type)?\b[^;'"]*from '([^'.][^']*)';/gm)) {
          const name = from
            .split('/')
            .slice(0, from.startsWith('@') ? 2 : 1)
            .join('/');
          const isBuiltIn = from.startsWith('node:') || builtinModules.includes(name);
          if (!kind && !isBuiltIn && !(name in dependencies)) foreign.add(`${dir}/${file}: ${name}`);
        }
      }
    expect([...foreign]).toEqual([]);
  });
});
