import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { printMetrics } from '../../subgraphs/_kernel/metrics.ts';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';
import { another, BROKEN_SUPERGRAPHS, GOOD_SUPERGRAPH, OLDER_SUPERGRAPH, swapIn } from '../setup/supergraphs.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let wren: Person;
let dir: string;
let file: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dotmac-supergraph-'));
  file = join(dir, 'supergraph.graphql');
  swapIn(file, GOOD_SUPERGRAPH);
  running = await openGatewayWorld({ SUPERGRAPH_FILE: file });
  wren = await running.client.signIn('wren@kestrel.example', running.password);
}, 60_000);
afterAll(async () => {
  await running?.close();
  rmSync(dir, { recursive: true, force: true });
});

const country = async () =>
  (await wren.ask<{ tenant: { country: string } }, object>('{ tenant { country } }')).data?.tenant.country;

test('a new supergraph takes over between two requests, and a broken one is refused while the last good one stays', async () => {
  const statuses = new Set<number>();
  let isOver = false;
  const asking = (async () => {
    do statuses.add((await wren.ask('{ tenant { name } }')).status);
    while (!isOver);
  })();
  for (let i = 0; i < 3; i++) {
    swapIn(file, another(OLDER_SUPERGRAPH, i));
    await running.gateway.reload(); // or whoever watches the file was there before
    expect(await country()).toBeUndefined();
    swapIn(file, BROKEN_SUPERGRAPHS[i] as string);
    expect(await running.gateway.reload()).toBe(false);
    expect(await country()).toBeUndefined();
    swapIn(file, another(GOOD_SUPERGRAPH, i));
    await running.gateway.reload();
    expect(await country()).toBe('US');
  }
  isOver = true;
  await asking;
  expect([...statuses]).toEqual([200]);
  const figures = await printMetrics();
  const loads = (outcome: string) =>
    Number(new RegExp(`dotmac_gateway_supergraph_loads_total{outcome="${outcome}"} (\\d+)`).exec(figures)?.[1]);
  expect(loads('taken')).toBeGreaterThanOrEqual(6);
  expect(loads('refused')).toBeGreaterThanOrEqual(3);
}, 60_000);

test('a changed file is taken without anybody saying so, and nothing that is broken or gone takes its place', async () => {
  swapIn(file, OLDER_SUPERGRAPH);
  for (let i = 0; i < 100 && (await country()) !== undefined; i++) await sleep(100);
  expect(await country()).toBeUndefined();
  for (const broken of BROKEN_SUPERGRAPHS) {
    swapIn(file, broken);
    expect(await running.gateway.reload()).toBe(false);
    expect((await wren.ask('{ tenant { name } }')).status).toBe(200);
  }
  rmSync(file);
  expect(await running.gateway.reload()).toBe(false);
  expect((await wren.ask('{ tenant { name } }')).status).toBe(200);
  swapIn(file, GOOD_SUPERGRAPH);
  for (let i = 0; i < 100 && (await country()) === undefined; i++) await sleep(100);
  expect(await country()).toBe('US');
}, 60_000);
