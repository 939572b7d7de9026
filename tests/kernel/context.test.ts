import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraphQLError } from 'graphql';
import { unauthenticated } from '../../schema/errors.ts';
import { Context } from '../../subgraphs/_kernel/context.ts';
import { formatError } from '../../subgraphs/_kernel/format-error.ts';
import { defineLoader } from '../../subgraphs/_kernel/loader.ts';
import { SEED_TENANTS, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import type { Envelope } from '../../subgraphs/_kernel/signed-context.ts';
import { anonymousEnvelope } from '../../subgraphs/_kernel/signed-context.ts';
import type { GraphResult } from '../../subgraphs/_kernel/subgraph.ts';
import { ADA, NGOZI, openWorld, type World, WREN } from '../setup/world.ts';
import { asSuperuser, codeOf, inNewTenant, migrateByHand, until } from './by-hand.ts';

const KESTREL = seedId(SEED_TENANTS.kestrel);
const POOL = 2;

let world: World;
beforeAll(async () => {
  world = await openWorld({ DATABASE_POOL: String(POOL), DATABASE_WAIT_MS: '500' });
  await migrateByHand(
    world,
    `create table tenancy.promise (tenant_id uuid not null, id uuid not null, is_kept boolean not null, primary key (tenant_id, id));
     call kernel.make_tenanted('tenancy.promise', false);
     create function tenancy.check_promise() returns trigger language plpgsql as
       $$ begin if not new.is_kept then raise exception 'broken'; end if; return null; end $$;
     create constraint trigger keeps after insert on tenancy.promise deferrable initially deferred
       for each row execute function tenancy.check_promise()`,
  );
});
afterAll(() => world.close());

const contextOf = (envelope: Partial<Envelope>) =>
  new Context({ ...anonymousEnvelope(), tenantId: KESTREL, ...envelope }, world.subgraph('tenancy').machinery);

/** What the client is shown of what a promise rejects with. */
const shown = (refused: Promise<unknown>) =>
  refused.then(
    () => 'none',
    (error: Error) =>
      formatError(new GraphQLError(error.message, { originalError: error }), world.subgraph('tenancy').machinery.log)
        .extensions?.code,
  );

/** As many operations at once as there are connections: it fails when one of them was lost. */
async function everyConnectionWorks(): Promise<void> {
  const contexts = Array.from({ length: POOL }, () => contextOf({}));
  const answers = await Promise.all(contexts.map(async (ctx) => (await ctx.em()).execute('select 1 as one')));
  for (const ctx of contexts) await ctx.end();
  expect(answers).toEqual(contexts.map(() => [{ one: 1 }]));
}

describe('an operation', () => {
  test('reads in a transaction that cannot write', async () => {
    const ctx = contextOf({});
    const em = await ctx.em();
    expect(await codeOf(em.execute(`update tenancy.tenant set name = 'Nobody'`))).toBe('25006');
    await ctx.end();
  });

  test('sees one moment in one transaction, however much it reads', async () => {
    const ctx = contextOf({});
    const facts = await Promise.all(
      Array.from({ length: 20 }, async () => (await ctx.em()).execute('select pg_backend_pid() as pid, now() as at')),
    );
    expect(new Set(facts.map(([row]) => JSON.stringify(row))).size).toBe(1);
    await ctx.end();
  });

  test('asks the database once for what fifty fields want, and anew after a write', async () => {
    const asked: string[][] = [];
    const echo = defineLoader<string>('echo', async (_em, ids) => {
      asked.push([...ids]);
      return ids.filter((id) => id !== 'nobody').map((id) => [id, `node ${id}`] as const);
    });
    const ctx = contextOf({});
    const wanted = Array.from({ length: 50 }, (_, i) => String(i % 10));
    expect(await Promise.all(wanted.map((id) => ctx.load(echo, id)))).toEqual(wanted.map((id) => `node ${id}`));
    expect(await ctx.load(echo, 'nobody')).toBeNull();
    expect(asked.map((ids) => ids.length)).toEqual([10, 1]);
    await ctx.tx(async () => undefined);
    await ctx.load(echo, '3');
    expect(asked).toHaveLength(3);
    await ctx.end();
  });

  test('without a tenant is refused before anything begins', async () => {
    const ctx = contextOf({ tenantId: null });
    await expect(ctx.em()).rejects.toEqual(unauthenticated('NO_TENANT'));
    await expect(ctx.tx(async () => 'written')).rejects.toEqual(unauthenticated('NO_TENANT'));
  });

  test('enters another tenant only in the control plane', async () => {
    const { platformDb: _, ...machinery } = world.subgraph('tenancy').machinery;
    const ctx = new Context({ ...anonymousEnvelope(), tenantId: KESTREL }, machinery);
    expect(() => ctx.inTenant(randomUUID())).toThrow('no part of the control plane');
    await expect(ctx.acrossTenants(async () => 1)).rejects.toThrow('no part of the control plane');
  });

  test('across tenants cannot write', async () => {
    const ctx = await world.context(NGOZI, 'tenancy');
    const writing = ctx.acrossTenants((em) => em.execute(`update tenancy.tenant set name = 'Nobody'`));
    expect(await codeOf(writing)).toBe('25006');
  });
});

describe('a use case', () => {
  test('inside another joins it: both are kept, or neither', async () => {
    const ctx = await inNewTenant(world);
    const outer = ctx.tx(async () => {
      await ctx.tx((em) => em.execute('insert into tenancy.promise (id, is_kept) values (?, true)', [randomUUID()]));
      throw new Error('changed my mind');
    });
    await expect(outer).rejects.toThrow('changed my mind');
    expect(await (await ctx.em()).execute('select 1 from tenancy.promise')).toEqual([]);
    await ctx.end();
  });

  test('reads what it has just written, and so does whoever reads after it', async () => {
    const ctx = await inNewTenant(world);
    const count = async () => (await (await ctx.em()).execute('select count(*)::int as n from tenancy.promise'))[0]?.n;
    expect(await count()).toBe(0);
    await ctx.tx(async (em) => {
      await em.execute('insert into tenancy.promise (id, is_kept) values (?, true)', [randomUUID()]);
      expect(await count()).toBe(1);
    });
    expect(await count()).toBe(1);
    await ctx.end();
  });

  test('that looked away from a failed statement is not said to be done: nothing of it was kept', async () => {
    const ctx = await inNewTenant(world);
    const lookingAway = ctx.tx(async (em) => {
      await em.execute('insert into tenancy.promise (id, is_kept) values (?, true)', [randomUUID()]);
      await em.execute('select 1 / 0').catch(() => undefined);
      return 'done';
    });
    await expect(lookingAway).rejects.toThrow();
    expect(await (await ctx.em()).execute('select 1 from tenancy.promise')).toEqual([]);
    await ctx.end();
  });

  test("knows the time of its transaction, moved in a sandbox by the sandbox's clock", async () => {
    const fable = seedId(SEED_TENANTS.fable);
    await asSuperuser(world, 'update kernel.tenant_profile set clock_offset_seconds = 86400 where tenant_id = $1', [
      fable,
    ]);
    const ctx = await world.system('fable', 'tenancy');
    expect(() => new Context(ctx.envelope, ctx.machinery).now()).toThrow('before any transaction began');
    const [row] = await ctx.tx((em) => em.execute('select kernel.now() as at, now() as real'));
    expect(ctx.now()).toEqual(new Date(row?.at));
    expect(ctx.now().getTime() - new Date(row?.real).getTime()).toBe(86_400_000);
  });
});

describe('too much at once', () => {
  test('a statement that takes longer than the caller waits is given up, and said to be', async () => {
    const ctx = contextOf({ deadline: Date.now() + 200 });
    const begun = Date.now();
    expect(await shown(ctx.tx((em) => em.execute('select pg_sleep(5)')))).toBe('SUBGRAPH_TIMEOUT');
    expect(Date.now() - begun).toBeLessThan(3_000);
    await everyConnectionWorks();
  });

  test('when every connection is taken the next caller hears so after half a second, and it heals', async () => {
    const held = Array.from({ length: POOL }, () => contextOf({}));
    for (const ctx of held) await ctx.em();
    const begun = Date.now();
    expect(await shown(contextOf({}).em())).toBe('OVERLOADED');
    expect(Date.now() - begun).toBeGreaterThan(400);
    expect(Date.now() - begun).toBeLessThan(1_500);
    const waiting = contextOf({});
    const soon = waiting.em();
    await sleep(50);
    for (const ctx of held) await ctx.end();
    await expect(soon).resolves.toBeDefined();
    await waiting.end();
    await everyConnectionWorks();
  });

  test('a row someone holds is waited for a second, not for ever', async () => {
    const lock = `select 1 from tenancy.tenant for update`;
    const [first, second] = [contextOf({}), contextOf({})];
    await first.tx(async (em) => {
      await em.execute(lock);
      expect(await shown(second.tx((other) => other.execute(lock)))).toBe('OVERLOADED');
    });
    await everyConnectionWorks();
  });
});

describe('a failure costs no connection', () => {
  const boom = async () => {
    throw new Error('boom');
  };
  const broken = defineLoader<string>('broken', (em) => em.execute('select 1 / 0') as never);
  const FAILURES: Record<string, () => Promise<unknown>> = {
    'a bug in a use case': () => contextOf({}).tx(boom),
    'a statement that cannot be': () => contextOf({}).tx((em) => em.execute('select no_such_column')),
    'a tenant that cannot be': () => contextOf({ tenantId: 'not-an-id' }).tx(async () => 1),
    'a tenant that cannot be, read': () => contextOf({ tenantId: 'not-an-id' }).em(),
    'no tenant': () => contextOf({ tenantId: null }).tx(async () => 1),
    'a commit the database refuses': () =>
      contextOf({}).tx((em) =>
        em.execute('insert into tenancy.promise (id, is_kept) values (?, false)', [randomUUID()]),
      ),
    'a bug across tenants': () => contextOf({}).acrossTenants(boom),
    'a loader that fails': async () => {
      const ctx = contextOf({});
      await ctx.load(broken, 'x').finally(() => ctx.end());
    },
    'a use case given up': () => contextOf({ deadline: 0 }).tx((em) => em.execute('select pg_sleep(1)')),
  };

  test.each(Object.keys(FAILURES))('%s, fifty times over a pool of two', async (name) => {
    for (let i = 0; i < (name.endsWith('given up') ? 5 : 50); i++) await expect(FAILURES[name]?.()).rejects.toThrow();
    await everyConnectionWorks();
  });

  test('an operation that is answered while parts of it still run leaves none of them behind', async () => {
    const query = `{ tenants(first: 101) { nodes { id } } tenant { slug now accessMode } again: tenant { now }
      tenantById(id: "${KESTREL}") { now accessMode } }`;
    for (let i = 0; i < 20; i++) {
      const { data, errors } = await world.ask(NGOZI, 'tenancy', query);
      expect([data, errors?.[0]?.extensions?.code]).toEqual([null, 'BAD_USER_INPUT']);
    }
    await sleep(100);
    expect(
      await asSuperuser(
        world,
        `select query from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`,
      ),
    ).toEqual([]);
    await everyConnectionWorks();
  });

  test('what a failed use case still does reaches neither its own tenant nor the next one on its connection', async () => {
    const late: string[] = [];
    const lost = async (tenantId: string) => {
      const ctx = contextOf({ tenantId });
      await expect(
        ctx.tx(async (em) => {
          for (let branch = 0; branch < 6; branch++)
            void (async () => {
              for (let step = 0; step < 10; step++) {
                const id = randomUUID();
                late.push(id);
                await em.execute('insert into tenancy.promise (id, is_kept) values (?, true)', [id]);
              }
            })().catch(() => undefined);
          await em.execute('select 1');
          throw new Error('one branch failed');
        }),
      ).rejects.toThrow('one branch failed');
    };
    const sound = async (tenantId: string) => {
      const ctx = contextOf({ tenantId });
      await ctx.tx(async (em) => {
        for (let step = 0; step < 3; step++)
          await em.execute('insert into tenancy.promise (id, is_kept) values (?, true)', [randomUUID()]);
        const rows = await em.execute('select distinct tenant_id from tenancy.promise');
        expect(rows).toEqual([{ tenant_id: tenantId }]);
      });
    };
    const [one, other] = [randomUUID(), randomUUID()];
    for (let round = 0; round < 20; round++) await Promise.all([lost(one), sound(other), lost(one), sound(other)]);
    await sleep(50);
    const rows = await asSuperuser(world, 'select tenant_id from tenancy.promise where id = any($1)', [late]);
    expect(rows).toEqual([]);
    expect(late.length).toBeGreaterThan(200);
    await everyConnectionWorks();
  });

  test('a hundred refused requests leave the next one as fast as the first', async () => {
    const query = 'mutation { suspendTenant(input: { tenantId: "x", reason: ABUSE }) { tenant { id } } }';
    const answers: GraphResult[] = [];
    for (let i = 0; i < 50; i++)
      answers.push(...(await Promise.all([world.ask(ADA, 'tenancy', query), world.ask(ADA, 'tenancy', query)])));
    expect(new Set(answers.map(({ errors }) => errors?.[0]?.extensions?.code))).toEqual(new Set(['FORBIDDEN']));
    await everyConnectionWorks();
  });
});

describe('a restart of PostgreSQL is healed without one of ours', () => {
  /** Ends every connection of the services at the server, as a restart does. */
  const cut = () =>
    asSuperuser(
      world,
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and (usename like 'svc\\_%' or usename = 'dotmac_platform')`,
    );

  test('when nobody was asking', async () => {
    await everyConnectionWorks();
    await cut();
    await everyConnectionWorksSoon();
  });

  test('in the middle of reads, use cases and statements, over and over', async () => {
    for (let round = 0; round < 3; round++) {
      const reader = contextOf({});
      await reader.em();
      const cutInStatement = contextOf({}).tx((em) => em.execute('select pg_sleep(2)'));
      const outcome = shown(cutInStatement);
      await until('the statement runs', async () => {
        const rows = await asSuperuser(
          world,
          `select 1 from pg_stat_activity where datname = current_database() and query like 'select pg_sleep(2)%' and state = 'active'`,
        );
        return rows.length > 0;
      });
      await cut();
      expect(await outcome).toBe('SUBGRAPH_UNAVAILABLE');
      await reader.end();
      await everyConnectionWorksSoon();
    }
    const { data } = await world.ask(WREN, 'tenancy', '{ tenant { slug } }');
    expect(data).toEqual({ tenant: { slug: 'kestrel' } });
  });

  test('between two statements of a use case, which fails and is rolled back', async () => {
    const failing = contextOf({}).tx(async (em) => {
      await em.execute('insert into tenancy.promise (id, is_kept) values (?, true)', [randomUUID()]);
      await cut();
      await sleep(50);
      await em.execute('select 1');
    });
    await expect(failing).rejects.toThrow();
    await everyConnectionWorksSoon();
    expect(await asSuperuser(world, 'select 1 from tenancy.promise where tenant_id = $1', [KESTREL])).toEqual([]);
  });

  /** The first operations after a cut may find out about it; then there is no loss. */
  const everyConnectionWorksSoon = () =>
    until('every connection works', () =>
      everyConnectionWorks().then(
        () => true,
        () => false,
      ),
    );
});

test('a use case that idles for five seconds is ended by the database, and its connection comes back', async () => {
  const idling = contextOf({}).tx(async (em) => {
    await em.execute("set local idle_in_transaction_session_timeout = '100ms'");
    await sleep(300);
    await em.execute('select 1');
  });
  await expect(idling).rejects.toThrow();
  await everyConnectionWorks();
});
