import { randomUUID } from 'node:crypto';
import { Context } from '../subgraphs/_kernel/context.ts';
import { consume } from '../subgraphs/_kernel/quota.ts';
import { anonymousEnvelope } from '../subgraphs/_kernel/signed-context.ts';
import { openWorld, type World } from '../tests/setup/world.ts';
import type { Result } from './setup.ts';

/** Who consumes at once: as many as a subgraph has connections. */
const CONSUMERS = 10;
const SECONDS = 5;
const TENANTS = 100;

/** One unit of a counter at a time, each in a transaction of its own, as a domain's use case does it. */
export async function consumption(): Promise<Result[]> {
  const world = await openWorld();
  try {
    const hot = await run(world, 1);
    const many = await run(world, TENANTS);
    const full = await atTheLimit(world);
    return [
      { what: 'consume on one hot counter', figure: `${hot}/s`, bound: '≥ 300/s', holds: hot >= 300 },
      { what: `over ${TENANTS} tenants`, figure: `${many}/s`, bound: '≥ 2,000/s', holds: many >= 2_000 },
      { what: 'passed of 1,000 at once with room for 500', figure: String(full), bound: '500', holds: full === 500 },
    ];
  } finally {
    await world.close();
  }
}

/** Tenants with a counter of their own, and a consumer's context in each. */
async function contexts(world: World, count: number, limit: number): Promise<Context[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await world.sql(
    `insert into kernel.quota (tenant_id, key, kind, "limit", policy, anchor_day, zone)
     select unnest($1::uuid[]), 'tickets', 'COUNTER', $2, 'HARD', 1, 'UTC'`,
    [ids, limit],
  );
  const { machinery } = world.subgraph('tickets');
  return ids.map((tenantId) => contextIn(tenantId, machinery));
}

const contextIn = (tenantId: string, machinery: Context['machinery']) =>
  new Context({ ...anonymousEnvelope(), tenantId, deadline: Number.MAX_SAFE_INTEGER }, machinery);

const takeOne = (ctx: Context) => ctx.tx((em) => consume(ctx, em, 'tickets', 1n, randomUUID()));

/** Units consumed in a second. */
async function run(world: World, tenants: number): Promise<number> {
  const there = await contexts(world, tenants, 1_000_000);
  const { machinery } = world.subgraph('tickets');
  const measure = async (seconds: number) => {
    const until = performance.now() + seconds * 1_000;
    let done = 0;
    await Promise.all(
      Array.from({ length: CONSUMERS }, async (_, consumer) => {
        for (let i = consumer; performance.now() < until; i += CONSUMERS) {
          await takeOne(contextIn((there[i % tenants] as Context).tenantId, machinery));
          done += 1;
        }
      }),
    );
    return Math.round(done / seconds);
  };
  await measure(1);
  return measure(SECONDS);
}

/** How many of a thousand pass where five hundred may. */
async function atTheLimit(world: World): Promise<number> {
  const [only] = await contexts(world, 1, 500);
  const { tenantId, machinery } = only as Context;
  let passed = 0;
  await Promise.all(
    Array.from({ length: CONSUMERS }, async () => {
      for (let i = 0; i < 1_000 / CONSUMERS; i++)
        await takeOne(contextIn(tenantId, machinery)).then(
          () => (passed += 1),
          () => undefined,
        );
    }),
  );
  const [row] = await world.sql('select used::int from kernel.quota where tenant_id = $1', [tenantId]);
  if (row.used !== passed) throw new Error(`${passed} passed and ${row.used} were counted.`);
  return passed;
}
