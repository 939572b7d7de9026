import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import type { Feature } from '../../schema/features.ts';
import { PLATFORM_TENANT } from '../../subgraphs/_kernel/db.ts';
import { emit } from '../../subgraphs/_kernel/events.ts';
import { type Jobs, react, reactionsOf, runJobs } from '../../subgraphs/_kernel/jobs.ts';
import { writeReactions } from '../../subgraphs/_kernel/migrations.ts';
import {
  type Hearing,
  hears,
  type RunningSubgraph,
  type SubgraphDefinition,
} from '../../subgraphs/_kernel/subgraph.ts';
import { SUBGRAPHS } from '../../subgraphs/index.ts';
import { tenancy } from '../../subgraphs/tenancy/index.ts';
import { openWorld, type World } from '../setup/world.ts';
import { asRole, asSuperuser, enterTenant, inNewTenant, migrateByHand, until } from './by-hand.ts';

/** What a subscriber does: it writes down what it heard. */
const noting = (task: string, hearing: Hearing = {}) =>
  hears(
    'tenancy.tenant.updated',
    async (ctx, { id, payload }) => {
      await ctx.tx((em) =>
        em.execute('insert into tenancy.note (id, task, event_id) values (?, ?, ?)', [randomUUID(), task, id]),
      );
      if (payload.version === FAILS_TWICE && failsAgain(task)) throw new Error('not yet');
    },
    hearing,
  );

/** The version in an event that a subscriber cannot deal with at first. */
const FAILS_TWICE = 500;
const failures = new Map<string, number>();
function failsAgain(task: string): boolean {
  const sofar = failures.get(task) ?? 0;
  failures.set(task, sofar + 1);
  return sofar < 2;
}

/** A domain that needs a feature; one of its subscribers runs whatever the licence says, one hears the platform alone. */
const domain: SubgraphDefinition = {
  ...tenancy,
  name: 'trial',
  feature: 'crm',
  subscribers: {
    note: noting('note'),
    keep: noting('keep', { isAlwaysOn: true }),
    order: noting('order', { isPlatformOnly: true, isUrgent: true, isAlwaysOn: true }),
  },
};

let world: World;
let jobs: Jobs;
beforeAll(async () => {
  world = await openWorld();
  await migrateByHand(
    world,
    `create table tenancy.note (tenant_id uuid not null, id uuid not null, task text not null, event_id uuid not null, primary key (tenant_id, id));
     call kernel.make_tenanted('tenancy.note', false)`,
  );
  await writeReactions(world.config, [...SUBGRAPHS, domain].flatMap(reactionsOf));
  jobs = await startJobs();
});
afterAll(() => world.close());

function startJobs(): Promise<Jobs> {
  const { machinery, subgraph } = world.subgraph('tenancy');
  const running = {
    name: domain.name,
    machinery,
    subgraph: { ...subgraph, name: domain.name, definition: domain },
  } as RunningSubgraph;
  return runJobs(world.config, [running], machinery.log);
}

/** A tenant whose licence opens crm this far, or not at all. */
async function tenantWith(access?: 'FULL' | 'READ' | 'NONE', from = '2020-01-01T00:00:00Z'): Promise<string> {
  const tenantId = randomUUID();
  const features: Partial<Record<Feature, { access: string }>> = access ? { crm: { access } } : {};
  const course = JSON.stringify([{ from, state: 'ACTIVE', core: 'FULL', features }]);
  await migrateByHand(
    world,
    `insert into kernel.entitlement (tenant_id, license_id, version, plan, course, limits) values ('${tenantId}', '${randomUUID()}', 1, 'trial', '${course}', '{}')`,
  );
  return tenantId;
}

async function tell(tenantId: string, version = 1): Promise<string> {
  const ctx = await inNewTenant(world, tenantId);
  return ctx.tx(async (em) => emit(em, 'tenancy.tenant.updated', { version }));
}

const notesOf = async (tenantId: string) =>
  (
    await asSuperuser(world, 'select task, event_id from tenancy.note where tenant_id = $1 order by task', [tenantId])
  ).map(({ task, event_id }) => [task, event_id]);
/** What our domain has still to do for a tenant; what other domains make of the same events is their affair. */
const jobsOf = (tenantId: string) =>
  asSuperuser(
    world,
    `select j.id, attempts, last_error from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
      where identifier like 'trial.%' and payload ->> 'tenantId' = $1`,
    [tenantId],
  );
const done = (tenantId: string) => until('its jobs are done', async () => (await jobsOf(tenantId)).length === 0);

describe('who subscribes to an event', () => {
  test('hears it once, in the tenant it happened in, and soon', async () => {
    const tenantId = await tenantWith('FULL');
    const begun = Date.now();
    const event = await tell(tenantId);
    await done(tenantId);
    expect(Date.now() - begun).toBeLessThan(3_000);
    expect(await notesOf(tenantId)).toEqual([
      ['keep', event],
      ['note', event],
    ]);
  });

  test('hears it once although its job runs again, and again at the same time', async () => {
    const tenantId = await tenantWith('FULL');
    const event = await tell(tenantId);
    await done(tenantId);
    const { machinery } = world.subgraph('tenancy');
    await Promise.all(Array.from({ length: 4 }, () => react(machinery, domain, 'note', { tenantId, seq: 1 })));
    await asSuperuser(
      world,
      `select graphile_worker.add_job('trial.note', json_build_object('tenantId', $1::text, 'seq', 1))`,
      [tenantId],
    );
    await done(tenantId);
    expect(await notesOf(tenantId)).toEqual([
      ['keep', event],
      ['note', event],
    ]);
  });

  test('hears the platform’s log alone where it says so, and nothing of an ISP’s, even by hand', async () => {
    const tenantId = await tenantWith('FULL');
    const event = await tell(tenantId);
    await done(tenantId);
    await asSuperuser(
      world,
      `select graphile_worker.add_job('trial.order', json_build_object('tenantId', $1::text, 'seq', 1))`,
      [tenantId],
    );
    await done(tenantId);
    expect(await notesOf(tenantId)).toEqual([
      ['keep', event],
      ['note', event],
    ]);
    const ordered = await tell(PLATFORM_TENANT);
    await done(PLATFORM_TENANT);
    expect(await notesOf(PLATFORM_TENANT)).toContainEqual(['order', ordered]);
  });

  test('is enqueued for the logs it hears, and before all others where it is urgent', async () => {
    const enqueued = (tenantId: string) =>
      asRole(world, 'svc_tenancy', async (client) => {
        await client.query('begin');
        await enterTenant(client, tenantId);
        const event = { id: randomUUID(), name: 'tenancy.tenant.updated', payload: { version: 1 } };
        await client.query('select kernel.finish($1)', [JSON.stringify({ events: [event] })]);
        await client.query('commit');
        return event.id;
      });
    await jobs.stop();
    try {
      const of = async (event: string) =>
        (
          await asSuperuser(
            world,
            `select key, priority from graphile_worker._private_jobs where key like 'trial.%' and key like '%' || $1 order by priority, key`,
            [event],
          )
        ).map(({ key, priority }) => [String(key).split(':')[0], priority]);
      expect(await of(await enqueued(await tenantWith('FULL')))).toEqual([
        ['trial.keep', 0],
        ['trial.note', 0],
      ]);
      expect(await of(await enqueued(PLATFORM_TENANT))).toEqual([
        ['trial.order', -1],
        ['trial.keep', 0],
        ['trial.note', 0],
      ]);
    } finally {
      jobs = await startJobs();
    }
  });

  test('hears nothing of what was rolled back', async () => {
    const tenantId = await tenantWith('FULL');
    const ctx = await inNewTenant(world, tenantId);
    const failing = ctx.tx(async (em) => {
      emit(em, 'tenancy.tenant.updated', { version: 1 });
      await em.flush();
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow();
    expect(await jobsOf(tenantId)).toEqual([]);
  });

  test('and fails is asked again until it succeeds, and of its failures nothing remains', async () => {
    const tenantId = await tenantWith('FULL');
    const event = await tell(tenantId, FAILS_TWICE);
    for (const attempt of [1, 2]) {
      await until(`attempt ${attempt} has failed`, async () => {
        const held = await jobsOf(tenantId);
        return (
          held.length === 2 &&
          held.every(({ attempts, last_error }) => Number(attempts) === attempt && /not yet/.test(String(last_error)))
        );
      });
      expect(await notesOf(tenantId)).toEqual([]);
      const ids = (await jobsOf(tenantId)).map(({ id }) => id);
      await asSuperuser(world, 'select graphile_worker.reschedule_jobs($1::bigint[], run_at => now())', [ids]); // nobody waits that long
    }
    await done(tenantId);
    expect(await notesOf(tenantId)).toEqual([
      ['keep', event],
      ['note', event],
    ]);
  });

  test('hears every event of many tenants, each once', async () => {
    const tenants = await Promise.all(Array.from({ length: 3 }, () => tenantWith('FULL')));
    const told = await Promise.all(
      tenants.map(async (tenantId) => [await tell(tenantId), await tell(tenantId), await tell(tenantId)]),
    );
    for (const [i, tenantId] of tenants.entries()) {
      await done(tenantId);
      const expected = [...(told[i] as string[]), ...(told[i] as string[])].sort();
      expect((await notesOf(tenantId)).map(([, event]) => event).sort()).toEqual(expected);
    }
  });
});

describe('a module that is not licensed', () => {
  test.each<[string, () => Promise<string>]>([
    ['because there is no licence', async () => randomUUID()],
    ['because the plan leaves it out', () => tenantWith()],
    ['because the licence shut it', () => tenantWith('NONE')],
    ['because the licence allows reading only', () => tenantWith('READ')],
    ['because its licence begins tomorrow', () => tenantWith('FULL', new Date(Date.now() + 86_400_000).toISOString())],
  ])('does nothing in the background, %s, but what is always on', async (_name, making) => {
    const tenantId = await making();
    const event = await tell(tenantId);
    await done(tenantId);
    expect(await notesOf(tenantId)).toEqual([['keep', event]]);
  });

  test('does not do later what it left undone', async () => {
    const tenantId = await tenantWith('NONE');
    await tell(tenantId);
    await done(tenantId);
    await migrateByHand(
      world,
      `update kernel.entitlement set course = jsonb_set(course, '{0,features,crm,access}', '"FULL"') where tenant_id = '${tenantId}'`,
    );
    const second = await tell(tenantId);
    await done(tenantId);
    expect((await notesOf(tenantId)).filter(([task]) => task === 'note')).toEqual([['note', second]]);
  });
});

describe('the runner of the jobs', () => {
  test('goes on after PostgreSQL cut its connections', async () => {
    await asSuperuser(
      world,
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'dotmac_jobs'`,
    );
    const tenantId = await tenantWith('FULL');
    const event = await tell(tenantId);
    await until('its jobs are done', async () => (await jobsOf(tenantId)).length === 0, 15_000);
    expect(await notesOf(tenantId)).toEqual([
      ['keep', event],
      ['note', event],
    ]);
  });

  test('stops when it is told to, and lets what runs finish', async () => {
    const tenantId = await tenantWith('FULL');
    await tell(tenantId);
    const begun = Date.now();
    await jobs.stop();
    expect(Date.now() - begun).toBeLessThan(5_000);
    // The world's own runner goes on with the jobs of its domains.
    const locked = await asSuperuser(
      world,
      `select t.identifier, j.attempts, j.locked_by, j.locked_at, now(), j.payload from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
        where j.locked_at is not null and t.identifier like 'trial.%'`,
    );
    expect(locked).toEqual([]);
  });

  test('knows nobody any more whom no domain names', async () => {
    await writeReactions(world.config, SUBGRAPHS.flatMap(reactionsOf));
    expect(await asSuperuser(world, `select 1 from kernel.reaction where task like 'trial.%'`)).toEqual([]);
    const tenantId = await tenantWith('FULL');
    await tell(tenantId);
    expect(await jobsOf(tenantId)).toEqual([]);
  });
});
