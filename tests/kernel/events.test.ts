import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggedEvent } from '../../schema/events.ts';
import { type Context, systemContext } from '../../subgraphs/_kernel/context.ts';
import { PLATFORM_TENANT } from '../../subgraphs/_kernel/db.ts';
import {
  emit,
  emitToPlatform,
  type FeedRow,
  logHead,
  readEvent,
  readEventsNamed,
  readFeed,
  readLog,
  tellGateways,
} from '../../subgraphs/_kernel/events.ts';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { openWorld, type World, WREN } from '../setup/world.ts';
import { asRole, asSuperuser, enterTenant, inNewTenant } from './by-hand.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

/** Runs one thing in a tenant and leaves nothing open. */
async function inTenant<T>(tenantId: string, run: (ctx: Context) => Promise<T>): Promise<T> {
  const ctx = await inNewTenant(world, tenantId);
  try {
    return await run(ctx);
  } finally {
    await ctx.end();
  }
}
const logOf = (tenantId: string, after = 0, limit = 10_000) =>
  inTenant(tenantId, async (ctx) => readLog(await ctx.em(), after, limit));
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
const random = (max: number) => Math.floor(Math.random() * max);

/** Reads on from where it was, until `isOver` and nothing more comes; fails at the first gap. */
async function readAlong<T extends { seq: number }>(
  read: (after: number) => Promise<T[]>,
  isOver: () => boolean,
): Promise<T[]> {
  const all: T[] = [];
  for (;;) {
    const wasOver = isOver();
    const page = await read(all.length);
    for (const row of page) {
      if (row.seq !== all.length + 1) throw new Error(`After ${all.length} came ${row.seq}.`);
      all.push(row);
    }
    if (wasOver && page.length === 0) return all;
    await sleep(random(3));
  }
}

/** Many writers on connections of their own that dawdle between numbering their events and committing; some give up. */
async function write(
  tenants: readonly string[],
  writers: number,
  rounds: number,
): Promise<{ id: string; tenantId: string }[]> {
  const committed: { id: string; tenantId: string }[] = [];
  await Promise.all(
    Array.from({ length: writers }, (_, writer) =>
      asRole(world, 'svc_tenancy', async (client) => {
        await client.query(`set lock_timeout = '10s'; set statement_timeout = '10s'`); // a slow machine is not what is tested
        for (let round = 0; round < rounds; round++) {
          const tenantId = tenants[(writer + round) % tenants.length] as string;
          const events = Array.from({ length: 1 + random(3) }, () => ({
            id: randomUUID(),
            name: 'tenancy.tenant.updated',
            payload: { version: round },
          }));
          const isKept = random(5) > 0;
          await client.query('begin');
          await enterTenant(client, tenantId);
          await sleep(random(4));
          await client.query('select kernel.finish($1)', [
            JSON.stringify({ events, platformEvents: [], feed: [{ name: 'tenants', subject: events[0]?.id }] }),
          ]);
          await sleep(random(4));
          await client.query(isKept ? 'commit' : 'rollback');
          if (isKept) committed.push(...events.map(({ id }) => ({ id, tenantId })));
        }
      }),
    ),
  );
  return committed;
}

describe('an event', () => {
  test('is told with what happened, by whom and when', async () => {
    const ctx = await world.context(WREN, 'tenancy');
    const before = await inTenant(ctx.tenantId, async (reader) => logHead(await reader.em()));
    const id = await ctx.tx(async (em) =>
      emit(em, 'tenancy.tenant.updated', { version: 7 }, { subject: 'wren', email: 'wren@kestrel.example' }),
    );
    const [event] = await logOf(ctx.tenantId, before);
    expect(event).toEqual({
      tenantId: ctx.tenantId,
      seq: before + 1,
      id,
      name: 'tenancy.tenant.updated',
      at: ctx.now(),
      actor: seedId('6011'),
      actingFor: null,
      payload: { version: 7 },
      personal: { subject: 'wren', email: 'wren@kestrel.example' },
    });
    expect(await inTenant(ctx.tenantId, async (reader) => readEvent(await reader.em(), before + 1))).toEqual(event);
    expect(
      await inTenant(ctx.tenantId, async (reader) =>
        readEventsNamed(await reader.em(), 'tenancy.tenant.updated', before, 10),
      ),
    ).toEqual([event]);
    expect(
      await inTenant(ctx.tenantId, async (reader) =>
        readEventsNamed(await reader.em(), 'tenancy.tenant.suspended', before, 10),
      ),
    ).toEqual([]);
  });

  test('of a use case that fails is never told, to nobody', async () => {
    const tenantId = randomUUID();
    const platformBefore = await inTenant(PLATFORM_TENANT, async (ctx) => logHead(await ctx.em()));
    const [feedBefore] = await asSuperuser(world, 'select count(*)::int as n from kernel.feed');
    const failing = inTenant(tenantId, (ctx) =>
      ctx.tx(async (em) => {
        emit(em, 'tenancy.tenant.updated', { version: 1 });
        emitToPlatform(em, 'tenancy.tenant.updated', { version: 1 });
        tellGateways(em, 'tenants', tenantId);
        throw new Error('changed my mind');
      }),
    );
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await logOf(tenantId)).toEqual([]);
    expect(await inTenant(PLATFORM_TENANT, async (ctx) => logHead(await ctx.em()))).toBe(platformBefore);
    expect(await asSuperuser(world, 'select count(*)::int as n from kernel.feed')).toEqual([feedBefore]);
  });

  test('of a use case inside another is told once, when the outer one is done', async () => {
    const tenantId = randomUUID();
    await inTenant(tenantId, (ctx) =>
      ctx.tx(async (em) => {
        await ctx.tx(async (inner) => void emit(inner, 'tenancy.tenant.updated', { version: 1 }));
        expect(await logOf(tenantId)).toEqual([]);
        emit(em, 'tenancy.tenant.updated', { version: 2 });
      }),
    );
    expect((await logOf(tenantId)).map(({ seq, payload }) => [seq, payload])).toEqual([
      [1, { version: 1 }],
      [2, { version: 2 }],
    ]);
  });

  test("is in its own tenant's log and in no other", async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    await inTenant(one, (ctx) => ctx.tx(async (em) => void emit(em, 'tenancy.tenant.updated', { version: 1 })));
    expect(await logOf(other)).toEqual([]);
    expect(await logOf(one)).toHaveLength(1);
  });

  test('for the platform stands in its log, whoever sends it', async () => {
    const tenantId = randomUUID();
    const before = await inTenant(PLATFORM_TENANT, async (ctx) => logHead(await ctx.em()));
    await inTenant(tenantId, (ctx) =>
      ctx.tx(async (em) => emitToPlatform(em, 'tenancy.tenant.updated', { version: 3 })),
    );
    expect(await logOf(tenantId)).toEqual([]);
    expect(await logOf(PLATFORM_TENANT, before)).toMatchObject([
      { tenantId: PLATFORM_TENANT, seq: before + 1, payload: { version: 3 } },
    ]);
  });
});

describe('the log', () => {
  test('of a tenant has no gaps and no late arrivals, while twenty write to it at once and one reads along', async () => {
    const tenantId = randomUUID();
    let isOver = false;
    const reading = readAlong<LoggedEvent>(
      (after) => logOf(tenantId, after, 1 + random(20)),
      () => isOver,
    );
    const committed = await write([tenantId], 20, 10).finally(() => {
      isOver = true;
    });
    const read = await reading;
    expect(read.map(({ seq }) => seq)).toEqual(upTo(read.length));
    expect(read.map(({ id }) => id).sort()).toEqual(committed.map(({ id }) => id).sort());
    expect(committed.length).toBeGreaterThan(200);
    const instants = await asSuperuser(
      world,
      'select committed_at from kernel.event where tenant_id = $1 order by seq',
      [tenantId],
    );
    const inOrder = [...instants].sort((a, b) => Number(a.committed_at) - Number(b.committed_at));
    expect(instants).toEqual(inOrder);
  });

  test('of the gateways has none either, over many tenants', async () => {
    const tenants = upTo(5).map(() => randomUUID());
    const [{ head }] = (await asSuperuser(
      world,
      `select coalesce(max(seq), 0)::int as head from kernel.feed where name = 'tenants'`,
    )) as [{ head: number }];
    let isOver = false;
    let lastHead = 0;
    const read = async (after: number): Promise<FeedRow[]> =>
      inTenant(tenants[0] as string, async (ctx) => {
        const page = await readFeed(await ctx.em(), 'tenants', head + after, 1 + random(20));
        expect(page.head).toBeGreaterThanOrEqual(Math.max(lastHead, page.rows.at(-1)?.seq ?? 0));
        lastHead = page.head;
        return page.rows.map((row) => ({ ...row, seq: row.seq - head }));
      });
    const reading = readAlong(read, () => isOver);
    const committed = await write(tenants, 20, 5).finally(() => {
      isOver = true;
    });
    const rows = await reading;
    const known = new Map(committed.map(({ id, tenantId }) => [id, tenantId]));
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) expect(known.get(row.subject)).toBe(row.tenantId);
    for (const tenantId of tenants) {
      const log = await logOf(tenantId);
      expect(log.map(({ seq }) => seq)).toEqual(upTo(log.length));
    }
  });

  test('of the gateways is complete up to the end it names, so that whoever goes on from there misses nothing', async () => {
    const tenantId = randomUUID();
    const ctx = await inNewTenant(world, tenantId);
    let isOver = false;
    let at = await inTenant(tenantId, async (reader) => (await readFeed(await reader.em(), 'grants', 0, 0)).head);
    const heard: string[] = [];
    const gateway = (async () => {
      for (;;) {
        const wasOver = isOver;
        const { head, rows } = await ctx.acrossTenants((em) => readFeed(em, 'grants', at, 5));
        heard.push(...rows.map(({ subject }) => subject));
        if (wasOver && rows.length === 0) return;
        at = rows.length === 5 ? Number(rows.at(-1)?.seq) : head;
      }
    })();
    const subjects = upTo(300).map((i) => `session ${i}`);
    await inBatches(subjects, 4, (subject) =>
      inTenant(tenantId, (writer) => writer.tx(async (em) => tellGateways(em, 'grants', subject))),
    );
    isOver = true;
    await gateway;
    expect(heard.toSorted()).toEqual(subjects.toSorted());
  });

  test("is written together with the platform's and the gateways' by many tenants at once, and nobody waits in a circle", async () => {
    const tenants = [PLATFORM_TENANT, seedId('0a01'), seedId('0a02'), seedId('0a03')];
    const deeds = upTo(80).map((i) => tenants[i % tenants.length] as string);
    const isDone = await inBatches(deeds, 8, (tenantId) =>
      inTenant(tenantId, (ctx) =>
        ctx.tx(async (em) => {
          const steps = [
            () => emit(em, 'tenancy.tenant.updated', { version: 1 }),
            () => emitToPlatform(em, 'tenancy.tenant.updated', { version: 1 }),
            () => tellGateways(em, 'tenants', tenantId),
            () => tellGateways(em, 'licenses', tenantId),
            () => tellGateways(em, 'grants', tenantId),
          ].sort(() => Math.random() - 0.5);
          for (const step of steps.slice(random(3))) step();
          await em.execute('select pg_sleep(?)', [Math.random() / 200]);
          return true;
        }),
      ),
    );
    expect(isDone).toEqual(deeds.map(() => true));
    for (const tenantId of tenants) {
      const log = await logOf(tenantId);
      expect(log.map(({ seq }) => seq)).toEqual(upTo(log.length));
    }
  });
});

/** At most `width` at a time, so that the pool is not what is tested. */
async function inBatches<T, R>(items: readonly T[], width: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const next = items.entries();
  await Promise.all(
    upTo(width).map(async () => {
      for (const [i, item] of next) results[i] = await run(item);
    }),
  );
  return results;
}

test('background work in a tenant acts as the system, with every permission and the licence of now', async () => {
  const ctx = await systemContext(world.subgraph('tenancy').machinery, randomUUID());
  expect(ctx.envelope.caller).toEqual({ kind: 'SYSTEM', id: null });
  expect(ctx.can('tenancy.tenant.update')).toBe(true);
  expect(ctx.access('crm')).toEqual({ access: 'NONE', reason: 'NO_LICENSE' });
  const [row] = await (await ctx.em()).execute(`select current_setting('statement_timeout') as patience`);
  expect(row).toEqual({ patience: '3s' }); // for each statement, however long the whole takes
  expect(ctx.envelope.deadline - Date.now()).toBeGreaterThan(3_600_000);
  await ctx.end();
});
