import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, print, visit } from 'graphql';
import { printMetrics } from '../../subgraphs/_kernel/metrics.ts';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';

const GOOD_FILE = resolve(import.meta.dirname, '../../schema/supergraph.graphql');
const good = readFileSync(GOOD_FILE, 'utf8');

/** The supergraph as it was before somebody added `Tenant.country`. */
const older = (() => {
  let type = '';
  return print(
    visit(parse(good), {
      ObjectTypeDefinition: {
        enter: (node) => {
          type = node.name.value;
        },
      },
      FieldDefinition: (node) => (type === 'Tenant' && node.name.value === 'country' ? null : undefined),
    }),
  );
})();

/** What must never take the place of one that works. */
const BROKEN = [
  'type Query { broken',
  '',
  'type Query { hello: String }',
  good.slice(0, good.length / 2),
  good.replace('@link(url: "https://specs.apollo.dev/join/', '@link(url: "https://specs.apollo.dev/unheard-of/'),
];

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let wren: Person;
let dir: string;
let file: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dotmac-supergraph-'));
  file = join(dir, 'supergraph.graphql');
  copyFileSync(GOOD_FILE, file);
  running = await openGatewayWorld({ SUPERGRAPH_FILE: file, RATE_PER_CALLER: '1000000', RATE_PER_TENANT: '1000000' });
  wren = await running.client.signIn('wren@kestrel.example', running.password);
}, 60_000);
afterAll(async () => {
  await running?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Puts a text in the file's place at once, as a deployment does. */
function swap(text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Asks without a pause from several sides while something happens; what came back beside the answer that is right. */
async function failuresMeanwhile(happens: () => Promise<void>): Promise<{ asked: number; failures: unknown[] }> {
  let isOver = false;
  let asked = 0;
  const failures: unknown[] = [];
  const asking = Promise.all(
    ['{ tenant { name } }', 'query Other { tenant { name license { state } } }', '{ __typename tenant { id } }'].map(
      async (query) => {
        while (!isOver) {
          const { status, data, errors } = await wren.ask<{ tenant: object }, object>(query);
          asked += 1;
          if (status !== 200 || errors || !data?.tenant) failures.push({ status, errors });
        }
      },
    ),
  );
  await happens().finally(() => {
    isOver = true;
  });
  await asking;
  return { asked, failures };
}

const country = async () =>
  (await wren.ask<{ tenant: { country: string } }, object>('{ tenant { country } }')).data?.tenant.country;

test('a supergraph swapped twenty times under traffic, broken ones among them, fails no request; a new field answers at once', async () => {
  const { asked, failures } = await failuresMeanwhile(async () => {
    for (let i = 0; i < 20; i++) {
      if (i % 4 === 3) {
        swap(BROKEN[(i >> 2) % BROKEN.length] as string);
        expect(await running.gateway.reload()).toBe(false);
        continue;
      }
      const isOlder = i % 4 !== 1;
      swap((isOlder ? older : good).replace('Its short name in addresses', `Its short name in addresses, ${i}`));
      expect(await running.gateway.reload()).toBe(true);
      if (isOlder) expect(await country()).toBeUndefined();
      else expect(await country()).toBe('US');
    }
    swap(good);
    expect(await running.gateway.reload()).toBe(true);
  });
  expect(failures).toEqual([]);
  expect(asked).toBeGreaterThan(20);
  expect(await country()).toBe('US');
  const figures = await printMetrics();
  const loads = (outcome: string) =>
    Number(new RegExp(`dotmac_gateway_supergraph_loads_total{outcome="${outcome}"} (\\d+)`).exec(figures)?.[1]);
  expect(loads('taken')).toBeGreaterThanOrEqual(16);
  expect(loads('refused')).toBeGreaterThanOrEqual(5);
}, 120_000);

test('a changed file is taken without anybody saying so, and a broken one is refused while the last good one stays', async () => {
  swap(older);
  for (let i = 0; i < 100 && (await country()) !== undefined; i++) await sleep(100);
  expect(await country()).toBeUndefined();
  for (const broken of BROKEN) {
    swap(broken);
    expect(await running.gateway.reload()).toBe(false);
    expect((await wren.ask('{ tenant { name } }')).status).toBe(200);
  }
  rmSync(file);
  expect(await running.gateway.reload()).toBe(false);
  expect((await wren.ask('{ tenant { name } }')).status).toBe(200);
  swap(good);
  for (let i = 0; i < 100 && (await country()) === undefined; i++) await sleep(100);
  expect(await country()).toBe('US');
}, 60_000);
