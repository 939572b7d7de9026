import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { observeOperation } from '../../gateway/metrics.ts';
import { type AdminPort, openAdminPort } from '../../subgraphs/_kernel/admin-port.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { ROOT, readYaml } from '../setup/compose.ts';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';

type World = Awaited<ReturnType<typeof openGatewayWorld>>;

let running: World;
let admin: AdminPort;
let ingrid: Person;
let wren: Person;
beforeAll(async () => {
  running = await openGatewayWorld({ ADMIN_PORT: '0' });
  admin = (await openAdminPort(running.world.config, createLog(running.world.config, 'test'))) as AdminPort;
  ingrid = await running.client.signIn('ingrid@northwind.example', running.password);
  wren = await running.client.signIn('wren@kestrel.example', running.password);
}, 60_000);
afterAll(async () => {
  await admin.close();
  await running.close();
});

const scrape = async () => (await fetch(`http://127.0.0.1:${admin.port}/metrics`)).text();

/** The value of one series; 0 when it has not been counted yet. */
async function figureOf(series: string): Promise<number> {
  const [name, labels = ''] = series.replace('}', '').split('{');
  const wanted = labels.split(',').filter(Boolean);
  let sum = 0;
  for (const line of (await scrape()).split('\n')) {
    const [, found, told = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found === name && wanted.every((label) => told.includes(label))) sum += Number(value);
  }
  return sum;
}

/** By how much series grow while something is done. */
async function growth(series: readonly string[], run: () => Promise<unknown>): Promise<number[]> {
  const before = await Promise.all(series.map(figureOf));
  await run();
  const after = await Promise.all(series.map(figureOf));
  return after.map((value, i) => value - (before[i] as number));
}

test('an operation is counted and timed by its name, its kind and its outcome, and so are the calls of subgraphs', async () => {
  expect(
    await growth(
      [
        'dotmac_gateway_operations_total{operation="Named",kind="query",outcome="ok"}',
        'dotmac_gateway_operation_duration_seconds_count{operation="Named"}',
        'dotmac_api_duration_seconds_count{kind="query",outcome="ok"}',
        'dotmac_gateway_subgraph_duration_seconds_count{subgraph="billing",outcome="ok"}',
        'dotmac_subgraph_operation_duration_seconds_count{subgraph="billing",outcome="ok"}',
        'dotmac_gateway_plan_cache_total{result="miss"}',
        'dotmac_gateway_plan_cache_total{result="hit"}',
      ],
      async () => {
        for (let i = 0; i < 3; i++)
          expect((await ingrid.ask('query Named { customers(first: 1) { nodes { name } } }')).status).toBe(200);
      },
    ),
  ).toEqual([3, 3, 3, 3, 3, 1, 2]);
  expect(
    await growth(
      [
        'dotmac_gateway_operations_total{operation="Renamed",kind="mutation",outcome="ok"}',
        'dotmac_db_transaction_duration_seconds_count{subgraph="tenancy",outcome="commit"}',
      ],
      () => wren.ask('mutation Renamed { updateTenantProfile(input: { name: "Kestrel" }) { userErrors { code } } }'),
    ),
  ).toEqual([1, 1]);
});

test('what is refused is counted by its code, and what the licence denies by feature, reason and plan', async () => {
  expect(
    await growth(
      [
        'dotmac_feature_denials_total{feature="crm",reason="NOT_IN_PLAN"}',
        'dotmac_api_duration_seconds_count{kind="query",outcome="refused"}',
        'dotmac_api_duration_seconds_count{kind="query",outcome="partial"}',
      ],
      async () => {
        expect((await wren.ask('{ leads { nodes { number } } }')).status).toBe(402);
        expect((await wren.ask('{ tenant { slug } leads { nodes { number } } }')).status).toBe(200);
      },
    ),
  ).toEqual([2, 1, 1]);
  expect(await scrape()).toMatch(/dotmac_feature_denials_total\{feature="crm",reason="NOT_IN_PLAN",plan="[a-z_]+"\} /);
  expect(
    await growth(['dotmac_feature_denials_total{feature="crm"}', 'dotmac_feature_denials_lost_total'], () =>
      wren.ask('{ a: leads { nodes { number } } b: leads { nodes { number } } contacts { nodes { id } } }'),
    ),
  ).toEqual([1, 0]);
  expect(
    await growth(
      [
        'dotmac_gateway_refusals_total{code="BAD_USER_INPUT"}',
        'dotmac_gateway_refusals_total{code="OPERATION_LIMIT"}',
        'dotmac_gateway_refusals_total{code="UNAUTHENTICATED"}',
      ],
      async () => {
        await ingrid.ask('{ nothing }');
        await ingrid.ask(`{ ${Array.from({ length: 100 }, (_, i) => `a${i}: __typename`).join(' ')} }`);
        await running.client.as('no.such.token').ask('{ tenant { slug } }');
      },
    ),
  ).toEqual([1, 1, 1]);
});

test('who asks too fast is counted by whose bucket is empty', async () => {
  const { client, password, close } = await openGatewayWorld({ RATE_PER_CALLER: '1' });
  try {
    const wes = await client.signIn('wren@kestrel.example', password);
    const [limited = 0, refused = 0] = await growth(
      ['dotmac_gateway_rate_limited_total{scope="user"}', 'dotmac_gateway_refusals_total{code="RATE_LIMITED"}'],
      async () => {
        let status = 200;
        for (let i = 0; i < 100 && status === 200; i++)
          ({ status } = await wes.ask(
            '{ customers(first: 100) { nodes { name services(first: 20) { nodes { number } } } } }',
          ));
        expect(status).toBe(429);
      },
    );
    expect(limited).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  } finally {
    await close();
  }
}, 60_000);

test('licences looked up are counted, and those found in memory', async () => {
  const [requests = 0, hits = 0] = await growth(
    ['dotmac_license_cache_requests', 'dotmac_license_cache_hits'],
    async () => {
      for (let i = 0; i < 5; i++) await wren.ask('{ tenant { slug } }');
    },
  );
  expect(requests).toBe(5);
  expect(hits).toBe(5);
});

test('a job is counted and timed by its task, and how many wait', async () => {
  const task = 'task="crm.keepPrimaryContact"';
  const [jobs, waits] = await growth(
    [`dotmac_job_duration_seconds_count{${task},outcome="ok"}`, `dotmac_job_wait_seconds_count{${task}}`],
    async () => {
      await ingrid.ask(
        'mutation { createCustomer(input: { name: "Counted Bakery", kind: BUSINESS }) { userErrors { message } } }',
      );
      await running.world.untilNoJobs();
      await sleep(100);
    },
  );
  expect([jobs, waits]).toEqual([1, 1]);
  expect(await scrape()).toMatch(/^dotmac_jobs_waiting 0$/m);
});

test('open streams are counted by their door', async () => {
  const open = 'dotmac_gateway_streams_open';
  const before = await figureOf(open);
  const stream = wren.follow('subscription { tenantUpdated { name } }');
  await stream.next();
  expect(await figureOf(open)).toBe(before + 1);
  await stream.stop();
  for (let i = 0; i < 100 && (await figureOf(open)) > before; i++) await sleep(20);
  expect(await figureOf(open)).toBe(before);
});

test('made-up names do not push out the figures of real ones, and never become many', async () => {
  const namesOf = async () =>
    new Set(
      [...(await scrape()).matchAll(/dotmac_gateway_operations_total\{operation="(\w+)"/g)].map(([, name]) => name),
    );
  const before = (await namesOf()).size;
  for (let i = 0; i < 1_000; i++) await running.client.post(`query MadeUp${i} { __typename }`);
  expect((await namesOf()).size - before).toBeLessThanOrEqual(20);
  await ingrid.ask('query Genuine { customers(first: 1) { nodes { name } } }');
  expect(await namesOf()).toContain('Genuine');
  for (let i = 0; i < 1_000; i++) observeOperation({ name: `Many${i}`, kind: 'query' }, false, 'ok', 1);
  expect((await namesOf()).size).toBeLessThanOrEqual(201);
  observeOperation({ name: 'x'.repeat(10_000), kind: 'query' }, false, 'ok', 1);
  expect((await scrape()).includes('x'.repeat(100))).toBe(false);
}, 60_000);

test('the figures are told on the admin port alone, and nothing else is there', async () => {
  const at = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${admin.port}${path}`, { method });
  expect((await at('/metrics')).headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  for (const path of ['/', '/graphql', '/metrics/more']) expect((await at(path)).status).toBe(404);
  expect((await at('/metrics', 'POST')).status).toBe(404);
  expect((await fetch(running.client.url.replace('/graphql', '/metrics'))).status).toBe(404);
  expect(
    await openAdminPort({ ...running.world.config, ADMIN_PORT: undefined }, createLog(running.world.config, 'test')),
  ).toBeUndefined();
});

test('no label names a tenant, a person or a document', async () => {
  const text = await scrape();
  expect(text).not.toMatch(/northwind|kestrel|ingrid|wren|Bakery/i);
  expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
});

test('every figure the dashboard and the alerts ask for is told', async () => {
  const told = new Set(
    [...(await scrape()).matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  );
  interface Panel {
    title: string;
    targets?: { expr: string }[];
  }
  const asked: string[] = [];
  const dashboards = resolve(ROOT, 'deploy/grafana/dashboards');
  for (const file of readdirSync(dashboards)) {
    const { panels } = JSON.parse(readFileSync(resolve(dashboards, file), 'utf8')) as { panels: Panel[] };
    for (const { targets = [] } of panels) asked.push(...targets.map(({ expr }) => expr));
  }
  expect(asked.length).toBeGreaterThan(20);
  const { groups } = readYaml<{ groups: { rules: { expr: string }[] }[] }>('deploy/prometheus/alerts.yml');
  asked.push(...groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)));
  const unknown = asked.flatMap((expr) =>
    (expr.match(/\b(dotmac|process|nodejs)_\w+/g) ?? []).filter((name) => !told.has(name)),
  );
  expect(unknown).toEqual([]);
});

test('how long it takes to find out who asks is told by what they show: a token met before or a new one', async () => {
  const counted = (credential: string) =>
    `dotmac_gateway_authentication_duration_seconds_count{credential="${credential}"}`;
  const [known, fresh] = await growth([counted('known_token'), counted('new_token')], async () => {
    const person = await running.client.signIn('ingrid@northwind.example', running.password);
    for (let i = 0; i < 3; i++) await person.ask('{ __typename }');
    await running.client.post('{ __typename }');
  });
  expect([known, fresh]).toEqual([2, 1]);
});
