import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Query, Resolver, Root, Subscription } from 'type-graphql';
import { OpenDoor, SignedIn } from '../../schema/directives.ts';
import type { Context } from '../../subgraphs/_kernel/context.ts';
import { emit, logHead, readLog } from '../../subgraphs/_kernel/events.ts';
import { follow, type PlacedItem } from '../../subgraphs/_kernel/live.ts';
import { createMint, createVerifier } from '../../subgraphs/_kernel/signed-context.ts';
import { defineSubgraph, type GraphResult, runSubgraph } from '../../subgraphs/_kernel/subgraph.ts';
import { openWorld, type World, WREN } from '../setup/world.ts';
import { asSuperuser, inNewTenant, until } from './by-hand.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => until('nobody follows any more', () => world.serving.fanOut.listeners() === 0));
afterAll(() => world.close());

interface Followed {
  stream: AsyncGenerator<string>;
  /** The next word of the stream, or what it is late with. */
  next: (withinMs?: number) => Promise<string>;
  /** How often it began. */
  starts: () => number;
}

/** Follows a tenant's log: begins with the number of the last event, then says the version in each. */
async function followed(tenantId: string): Promise<Followed> {
  const ctx = await inNewTenant(world, tenantId);
  let starts = 0;
  const stream = follow<string>(
    ctx,
    async (reader) => {
      starts += 1;
      const upTo = await logHead(await reader.em());
      return { upTo, first: [`begins at ${upTo}`] };
    },
    (events) => events.map(({ payload }) => `version ${(payload as { version: number }).version}`),
  );
  const next = async (withinMs = 900) => {
    const late = sleep(withinMs, { value: `nothing within ${withinMs} ms`, done: false }, { ref: false });
    const { value, done } = await Promise.race([stream.next(), late]);
    return done ? 'the end' : value;
  };
  return { stream, next, starts: () => starts };
}

async function tell(tenantId: string, ...versions: number[]): Promise<void> {
  const ctx = await inNewTenant(world, tenantId);
  await ctx.tx(async (em) => {
    for (const version of versions) emit(em, 'tenancy.tenant.updated', { version });
  });
}

describe('who follows a tenant', () => {
  test('sees how it stands, then every change once and in order', async () => {
    const tenantId = randomUUID();
    await tell(tenantId, 1, 2);
    const { stream, next } = await followed(tenantId);
    expect(await next()).toBe('begins at 2');
    await tell(tenantId, 3, 4);
    expect([await next(), await next()]).toEqual(['version 3', 'version 4']);
    await tell(tenantId, 5);
    expect(await next()).toBe('version 5');
    await stream.return(undefined);
  });

  test('hears of a change long before it would look for itself', async () => {
    const tenantId = randomUUID();
    const { stream, next } = await followed(tenantId);
    await next();
    for (let version = 1; version <= 5; version++) {
      await tell(tenantId, version);
      expect(await next(500)).toBe(`version ${version}`);
    }
    await stream.return(undefined);
  });

  test('misses nothing that happens while it begins, and is told nothing twice', async () => {
    const tenantId = randomUUID();
    const versions = Array.from({ length: 60 }, (_, i) => i + 1);
    const followers = await Promise.all(versions.slice(0, 6).map(() => followed(tenantId)));
    const telling = (async () => {
      for (const version of versions) await tell(tenantId, version);
    })();
    for (const { stream, next } of followers) {
      await sleep(20);
      const begun = Number(/^begins at (\d+)$/.exec(await next())?.[1]);
      for (const version of versions.slice(begun)) expect(await next(5_000)).toBe(`version ${version}`);
      await stream.return(undefined);
    }
    await telling;
  });

  test('begins with one moment: what is committed while that is read comes as news', async () => {
    const tenantId = randomUUID();
    await tell(tenantId, 1);
    const ctx = await inNewTenant(world, tenantId);
    const stream = follow<string>(
      ctx,
      async (reader) => {
        const upTo = await logHead(await reader.em());
        await tell(tenantId, 2);
        const seen = await readLog(await reader.em(), 0, 10);
        return { upTo, first: [`begins with ${seen.length} of ${upTo}`] };
      },
      (events) => events.map(({ payload }) => `version ${(payload as { version: number }).version}`),
    );
    expect([await stream.next(), await stream.next()].map(({ value }) => value)).toEqual([
      'begins with 1 of 1',
      'version 2',
    ]);
    await stream.return(undefined);
  });

  test('hears nothing of another tenant', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const { stream, next } = await followed(one);
    await next();
    await tell(other, 1);
    expect(await next(200)).toBe('nothing within 200 ms');
    await stream.return(undefined);
  });

  test('shares one reader of the log with everybody else who does', async () => {
    const tenantId = randomUUID();
    const followers = await Promise.all(Array.from({ length: 50 }, () => followed(tenantId)));
    await Promise.all(followers.map(({ next }) => next()));
    expect(world.serving.fanOut.listeners()).toBe(1);
    await tell(tenantId, 1);
    expect(await Promise.all(followers.map(({ next }) => next()))).toEqual(followers.map(() => 'version 1'));
    await Promise.all(followers.map(({ stream }) => stream.return(undefined)));
  });

  test('that comes in the very moment in which the last one leaves is not forgotten', async () => {
    const tenantId = randomUUID();
    const leaving = await followed(tenantId);
    await leaving.next();
    const coming = await followed(tenantId);
    const idle = leaving.stream.next();
    await sleep(20);
    const left = leaving.stream.return(undefined);
    expect(await coming.next()).toBe('begins at 0');
    await Promise.all([left, idle]);
    await tell(tenantId, 1);
    expect(await coming.next(2_000)).toBe('version 1');
    await coming.stream.return(undefined);
  });

  test('and cannot keep up is told how it stands anew, and its queue does not grow', async () => {
    const tenantId = randomUUID();
    const { stream, next, starts } = await followed(tenantId);
    expect(await next()).toBe('begins at 0');
    for (let block = 0; block < 6; block++)
      await tell(tenantId, ...Array.from({ length: 50 }, (_, i) => block * 50 + i + 1));
    await sleep(200);
    expect(starts()).toBe(1);
    expect(await next()).toBe('begins at 300');
    expect(starts()).toBe(2);
    await tell(tenantId, 301);
    expect(await next()).toBe('version 301');
    await stream.return(undefined);
  });
});

test('who follows outlives the database’s turning everybody away for a while', async () => {
  const tenantId = randomUUID();
  const { stream, next } = await followed(tenantId);
  expect(await next()).toBe('begins at 0');
  const { pathname } = new URL(world.databaseUrl);
  const turnAway = (limit: number) =>
    asSuperuser(world, `alter database "${pathname.slice(1)}" connection limit ${limit}`);
  await turnAway(0);
  await asSuperuser(
    world,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'svc_tenancy'`,
  );
  const heard = next(8_000);
  await sleep(600);
  await turnAway(-1);
  await tell(tenantId, 1);
  expect(await heard).toBe('version 1');
  await stream.return(undefined);
});

describe('where a stream stands', () => {
  /** Follows as a gateway does that shares streams: each item with its place. */
  async function placed(tenantId: string, after?: number) {
    const ctx = await inNewTenant(world, tenantId);
    ctx.following = after === undefined ? {} : { after };
    const stream = follow<string>(
      ctx,
      async (reader) => ({ upTo: await logHead(await reader.em()), first: [] }),
      (events) => events.map(({ payload }) => `version ${(payload as { version: number }).version}`),
    ) as AsyncGenerator<unknown> as AsyncGenerator<PlacedItem>;
    return { stream, next: async () => (await stream.next()).value as PlacedItem };
  }

  test('is said of each item, and of a beginning with nothing, too', async () => {
    const tenantId = randomUUID();
    await tell(tenantId, 1);
    const { stream, next } = await placed(tenantId);
    expect(await next()).toEqual({ place: { upTo: 1 }, told: [] });
    await tell(tenantId, 2, 3);
    expect(await next()).toEqual({ place: { after: 1, upTo: 3, isPart: true }, told: ['version 2'] });
    expect(await next()).toEqual({ place: { after: 1, upTo: 3 }, told: ['version 3'] });
    await stream.return(undefined);
  });

  test('is where it can be picked up again: what came since is told, once and in order', async () => {
    const tenantId = randomUUID();
    for (let version = 1; version <= 6; version++) await tell(tenantId, version);
    const { stream, next } = await placed(tenantId, 3);
    const first = [await next(), await next(), await next()];
    expect(first.flatMap(({ told }) => told)).toEqual(['version 4', 'version 5', 'version 6']);
    expect(first.at(-1)?.place).toEqual({ after: 3, upTo: 6 });
    await tell(tenantId, 7);
    expect(await next()).toEqual({ place: { after: 6, upTo: 7 }, told: ['version 7'] });
    await stream.return(undefined);
  });

  test('does not help who is too far behind: they are told how things are', async () => {
    const tenantId = randomUUID();
    await tell(tenantId, ...Array.from({ length: 200 }, (_, i) => i + 1));
    const { stream, next } = await placed(tenantId, 3);
    expect(await next()).toEqual({ place: { upTo: 200 }, told: [] });
    await stream.return(undefined);
  });
});

describe('when the line on which news come is cut', () => {
  const lines = () =>
    asSuperuser(
      world,
      `select pid from pg_stat_activity where datname = current_database() and usename = 'dotmac_fan_out'`,
    );

  test('a change still arrives within two seconds, and the line is laid anew', async () => {
    const tenantId = randomUUID();
    const { stream, next } = await followed(tenantId);
    await next();
    for (let version = 1; version <= 2; version++) {
      const [cut] = await lines();
      await asSuperuser(world, 'select pg_terminate_backend($1)', [cut?.pid]);
      await tell(tenantId, version);
      expect(await next(2_000)).toBe(`version ${version}`);
      await until('there is a line again', async () => (await lines()).some(({ pid }) => pid !== cut?.pid), 2_000);
    }
    await stream.return(undefined);
  });

  test('nonsense on it is not heard, whoever of the database sends it', async () => {
    const tenantId = randomUUID();
    const { stream, next } = await followed(tenantId);
    await next();
    for (const nonsense of ['', 'nonsense', 'null', '5', '[]', '{}', '{"tenant":null}', `{"tenant":"${tenantId}"`])
      await asSuperuser(world, "select pg_notify('dotmac', $1)", [nonsense]);
    await tell(tenantId, 1);
    expect(await next()).toBe('version 1');
    await stream.return(undefined);
  });

  test('whoever listens is woken when it is laid again, for news may have been lost', async () => {
    let woken = 0;
    const stop = world.serving.fanOut.onFeed('tenants', () => {
      woken += 1;
    });
    const [cut] = await lines();
    await asSuperuser(world, 'select pg_terminate_backend($1)', [cut?.pid]);
    await until('it is woken', () => woken > 0, 2_000);
    stop();
  });
});

describe('who leaves', () => {
  test('is gone at once, although nothing ever happens', async () => {
    const { stream, next } = await followed(randomUUID());
    await next();
    const waiting = stream.next();
    await sleep(50);
    const begun = performance.now();
    expect(await stream.return(undefined)).toEqual({ value: undefined, done: true });
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(performance.now() - begun).toBeLessThan(300);
  });

  test('before it saw anything leaves nothing behind', async () => {
    const early = await followed(randomUUID());
    await early.stream.return(undefined);
    const midway = await followed(randomUUID());
    const first = midway.stream.next();
    await midway.stream.return(undefined);
    await first;
    expect(await midway.stream.next()).toEqual({ value: undefined, done: true });
  });

  test('because it broke leaves nothing behind either', async () => {
    const ctx = await inNewTenant(world);
    const broken = follow(
      ctx,
      async () => ({ upTo: 0, first: ['here'] }),
      () => Promise.reject(new Error('cannot read that')),
    );
    await broken.next();
    await tell(ctx.tenantId, 1);
    await expect(broken.next()).rejects.toThrow('cannot read that');
    expect(await broken.next()).toEqual({ value: undefined, done: true });
  });
});

@Resolver()
class ProbeResolver {
  @Query(() => String)
  @OpenDoor('A schema has a query.')
  nothing() {
    return '';
  }

  @Subscription(() => String, { subscribe: ({ context }) => probing(context as Context) as never })
  @SignedIn()
  probe(@Root() slug: string) {
    return slug;
  }
}

/** A stream whose door asks the database who is there before it opens. */
async function probing(ctx: Context) {
  const [row] = await (await ctx.em()).execute('select slug from kernel.tenant_profile');
  return follow(
    ctx,
    async () => ({ upTo: 0, first: [row?.slug] }),
    () => [],
  );
}

describe('a subscription', () => {
  /** Opens one at the subgraph, as the gateway does. */
  async function subscribe(query: string, running = world.subgraph('tenancy')): Promise<AsyncGenerator<GraphResult>> {
    const { envelope } = await world.context(WREN, 'tenancy');
    const body = JSON.stringify({ query });
    const token = createMint(world.config.ENVELOPE_PRIVATE_KEY)(envelope, 'tenancy', body);
    return (await running.subscribe(body, token)) as AsyncGenerator<GraphResult>;
  }
  const busyConnections = () =>
    asSuperuser(
      world,
      `select query from pg_stat_activity where datname = current_database() and usename = 'svc_tenancy' and state <> 'idle'`,
    );
  const dataOf = async (stream: AsyncGenerator<GraphResult>) => (await stream.next()).value?.data;

  test('tells the present, then each change', async () => {
    const stream = await subscribe('subscription { tenantUpdated { name } }');
    expect(await dataOf(stream)).toEqual({ tenantUpdated: { name: 'Kestrel Wireless' } });
    for (const name of ['Kestrel', 'Kestrel Wireless']) {
      const change = dataOf(stream);
      await world.ask(
        WREN,
        'tenancy',
        `mutation { updateTenantProfile(input: { name: "${name}" }) { userErrors { message } } }`,
      );
      expect(await change).toEqual({ tenantUpdated: { name } });
    }
    await stream.return(undefined);
  });

  test('holds no connection while nothing happens', async () => {
    const streams = await Promise.all(
      Array.from({ length: 30 }, () => subscribe('subscription { tenantUpdated { name now } }')),
    );
    await Promise.all(streams.map((stream) => stream.next()));
    expect(await busyConnections()).toEqual([]);
    await Promise.all(streams.map((stream) => stream.return(undefined)));
  });

  test('whose door had to read first holds none either', async () => {
    const { machinery } = world.subgraph('tenancy');
    const probe = await defineSubgraph({ name: 'tenancy', resolvers: [ProbeResolver], entities: [] });
    const stream = await subscribe(
      'subscription { probe }',
      runSubgraph(probe, machinery, createVerifier(world.config.ENVELOPE_PUBLIC_KEYS)),
    );
    expect(await dataOf(stream)).toEqual({ probe: 'kestrel' });
    expect(await busyConnections()).toEqual([]);
    await stream.return(undefined);
  });

  test('ends at once when it is let go, although nothing happens', async () => {
    const stream = await subscribe('subscription { tenantUpdated { name } }');
    await stream.next();
    const waiting = stream.next();
    await sleep(50);
    const begun = performance.now();
    await stream.return(undefined);
    expect((await waiting).done).toBe(true);
    expect(performance.now() - begun).toBeLessThan(300);
  });

  test('let go before it began leaves nothing behind', async () => {
    const stream = await subscribe('subscription { tenantUpdated { name } }');
    await stream.return(undefined);
    expect(await stream.next()).toEqual({ value: undefined, done: true });
  });

  test('that may not be opened is refused before it begins', async () => {
    const { envelope } = await world.context({ tenant: 'kestrel' }, 'tenancy');
    const body = JSON.stringify({ query: 'subscription { tenantUpdated { name } }' });
    const stranger = { ...envelope, caller: { kind: 'ANONYMOUS' as const, id: null } };
    const token = createMint(world.config.ENVELOPE_PRIVATE_KEY)(stranger, 'tenancy', body);
    expect(await world.subgraph('tenancy').subscribe(body, token)).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });
});
