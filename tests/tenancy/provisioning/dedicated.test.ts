import { Context, type Machinery, systemContext } from '../../../subgraphs/_kernel/context.ts';
import { letHostPass } from '../../../subgraphs/_kernel/dns.ts';
import { CONTROL, HomePools, Homes, homeUrl } from '../../../subgraphs/_kernel/homes.ts';
import { billing } from '../../../subgraphs/billing/index.ts';
import { migrateAll } from '../../../subgraphs/migrate.ts';
import { requestTenant as requestAt } from '../../../subgraphs/tenancy/provisioning/provisioning.service.ts';
import { until as soon } from '../../kernel/by-hand.ts';
import { withClient } from '../../setup/database.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import {
  aRequest,
  begin as beginFor,
  cancel,
  firstSignIn,
  letTimePass,
  NOTHING,
  type Progress,
  progressUntil,
  retry,
  traceOf,
  WHOLE,
} from './trial.ts';

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
type Asked = any;

const STEPS = [
  ...['reserve', 'place', 'database', 'migrate', 'seed', 'license', 'account', 'admin', 'domain', 'verify', 'activate'],
];
const CUSTOMER = `mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code } } }`;
const ENDS = ['SUCCEEDED', 'FAILED', 'STUCK'];
/** A database is made and migrated within this time, milliseconds (tenancy section 9: one run within 60 s). */
const PATIENCE_MS = 60_000;

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let ngozi: Person;
let sql: typeof running.world.sql;
beforeAll(async () => {
  running = await openGatewayWorld();
  sql = running.world.sql;
  ngozi = await running.client.signIn('ngozi@platform.example', running.password);
}, 60_000);
afterAll(() => running?.close());

const begin = (given: Record<string, unknown> = {}) => beginFor(ngozi, { isolation: 'DEDICATED', ...given });
const endOf = (runId: string, states: readonly string[] = ENDS): Promise<Progress[]> =>
  progressUntil(ngozi, { runId, after: 0 }, states, PATIENCE_MS);

/** Lets what rests be due at once until a run has ended. */
const endSoon = async (runId: string): Promise<Progress[]> => {
  const passing = setInterval(() => void letTimePass(sql).catch(() => undefined), 300);
  return endOf(runId).finally(() => clearInterval(passing));
};

/** The databases beside that of the control plane, which are the homes of single tenants. */
const databases = async () =>
  (await sql("select datname from pg_database where starts_with(datname, current_database() || '_') order by 1")).map(
    ({ datname }) => datname,
  );
const nameOf = (home: string) => new URL(homeUrl(running.world.config, home)).pathname.slice(1);
const placeOf = async (tenantId: string) =>
  (await sql('select version, home from kernel.placement where tenant_id = $1', [tenantId]))[0];
const sqlAt = (home: string, text: string, values: unknown[] = []): Promise<Asked[]> =>
  withClient(homeUrl(running.world.config, home), async (at) => (await at.query(text, values)).rows);

/** How many rows a database holds in tables that move with their tenant: of this one, or of all others. */
const rowsAt = async (home: string, tenantId: string, which: '=' | '<>' = '=') => {
  const tables = await sqlAt(home, "select tgrelid::regclass::text as name from pg_trigger where tgname = 'follow'");
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [{ n }] = await sqlAt(home, `select count(*)::int as n from ${name} where tenant_id ${which} $1`, [tenantId]);
    if (n > 0) counts[name] = n;
  }
  return counts;
};
/** Of the domains; the kernel's stand beside, for what its own domains have written. */
const domainRowsAt = async (...asked: Parameters<typeof rowsAt>) =>
  Object.fromEntries(Object.entries(await rowsAt(...asked)).filter(([name]) => !name.startsWith('kernel.')));

/** Nothing that was made for it is there, and it lies where it lay. */
const expectNoTrace = async (tenantId: string, before: string[]) => {
  expect(await databases()).toEqual(before);
  expect(await traceOf(sql, tenantId)).toEqual(NOTHING);
  expect(await placeOf(tenantId)).toEqual({ version: 1, home: CONTROL });
  expect(await sql("select state from kernel.residence where tenant_id = $1 and state <> 'HERE'", [tenantId])).toEqual(
    [],
  );
  const [{ homes, used }] = await sql(
    `select (select count(*)::int from tenancy.data_home where name <> '') as homes,
            (select tenants - (select count(*)::int from tenancy.placement where isolation = 'SHARED') from tenancy.data_home where name = '') as used`,
  );
  expect({ homes, used }).toEqual({ homes: before.length, used: 0 });
};

describe('Ngozi sets up an ISP with a database of its own', () => {
  let made: Awaited<ReturnType<typeof begin>>;
  let home: string;
  let rita: Person;

  test('each step is seen in its order, and the tenant is placed in its database before anything of it is written', async () => {
    const startedAt = performance.now();
    made = await begin();
    const told = await endOf(made.runId);
    console.log(`a tenant with a database of its own took ${Math.round(performance.now() - startedAt)} ms`);
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    expect(told.map(({ seq }) => seq)).toEqual(told.map((_, i) => i + 1));
    expect([...new Set(told.map(({ currentStep }) => currentStep))]).toEqual([...STEPS, null]);
    const migrated = told.find(({ steps }) => steps.find(({ name }) => name === 'migrate')?.state === 'DONE');
    expect(migrated?.percent).toBe(44); // 40 of 90: no instance of its own is made
    expect(told.at(-1)).toMatchObject({ state: 'SUCCEEDED', percent: 100, error: null, tenant: { state: 'ACTIVE' } });
    const skipped = told.at(-1)?.steps.filter(({ state }) => state === 'SKIPPED');
    expect(skipped?.map(({ name }) => name)).toEqual(['deploy']);
    expect(await traceOf(sql, made.tenantId)).toEqual(WHOLE);
    const { data } = await ngozi.ask<Asked, object>(
      'query($id: ID!) { tenantById(id: $id) { placement { isolation region version } } }',
      { id: made.tenantId },
    );
    expect(data.tenantById.placement).toEqual({ isolation: 'DEDICATED', region: 'eu', version: 1 });
    ({ home } = await placeOf(made.tenantId));
    expect(await databases()).toEqual([nameOf(home)]);
  }, 90_000);

  test('its administrator signs in and works, under its own licence; the rows lie in its database alone', async () => {
    const others = await rowsAt(CONTROL, made.tenantId, '<>');
    rita = await firstSignIn(running, made.asked);
    const { data, errors } = await rita.ask<Asked, object>(CUSTOMER, {
      input: { name: 'Anna Reef', kind: 'PERSON', email: 'anna@reef.example' },
    });
    expect(errors ?? data.createCustomer.userErrors).toEqual([]);
    const read = await rita.ask<Asked, object>(
      '{ tenant { slug license { state } } customers(first: 10) { nodes { id } } }',
    );
    expect(read.data).toEqual({
      tenant: { slug: made.asked.slug, license: { state: 'ACTIVE' } },
      customers: { nodes: [{ id: data.createCustomer.customer.id }] },
    });
    expect(await domainRowsAt(home, made.tenantId)).toMatchObject({ 'billing.customer': 1 });
    expect(await rowsAt(home, made.tenantId, '<>')).toEqual({});
    expect(await domainRowsAt(CONTROL, made.tenantId)).toEqual({});
    expect(
      await sql("select 1 from kernel.event where tenant_id = $1 and name like 'billing.%'", [made.tenantId]),
    ).toEqual([]);
    const after = await rowsAt(CONTROL, made.tenantId, '<>');
    for (const kernels of ['kernel.idempotency_key', 'kernel.reaction_receipt', 'kernel.quota_receipt']) {
      delete others[kernels];
      delete after[kernels];
    }
    expect(after).toEqual(others);
  }, 30_000);

  test('it exports its data from there', async () => {
    const asked = await rita.ask<Asked, object>(
      'mutation { requestDataExport(input: {}) { dataExport { id } userErrors { code } } }',
    );
    const { id } = asked.data.requestDataExport.dataExport;
    const read = async () =>
      (
        await rita.ask<Asked, object>(
          'query($id: ID!) { dataExport(id: $id) { state manifest { domain noun rows } } }',
          { id },
        )
      ).data?.dataExport;
    for (let i = 0; i < 200 && (await read())?.state !== 'READY'; i++) await new Promise((r) => setTimeout(r, 50));
    const { state, manifest } = await read();
    expect(state).toBe('READY');
    expect(manifest).toContainEqual({ domain: 'billing', noun: 'customer', rows: 1 });
    expect(manifest).toContainEqual({ domain: 'tenancy', noun: 'tenant', rows: 1 });
  }, 30_000);

  test('what it sets is known there, and a new version reaches its database too', async () => {
    const { data, errors } = await rita.ask<Asked, object>(
      'mutation($input: UpdateSettingsInput!) { updateSettings(input: $input) { userErrors { code message } } }',
      { input: { section: 'sla', expectedVersion: 1, changes: [{ key: 'escalate_percent', value: '75' }] } },
    );
    expect(errors ?? data.updateSettings.userErrors).toEqual([]);
    const held = async () => (await sqlAt(home, 'select settings from kernel.tenant_profile'))[0].settings;
    await soon('the settings', async () => (await held()).sla?.escalate_percent === '75', 20_000);

    const reactions = () => sqlAt(home, "select 1 from kernel.reaction where task = 'crm.answerPurge'");
    await sqlAt(home, "delete from kernel.reaction where task = 'crm.answerPurge'");
    await migrateAll(running.world.config);
    expect(await reactions()).toHaveLength(1);
  }, 60_000);

  test('nobody else can enter there, and the platform’s people work in no tenant’s place', async () => {
    const wren = await running.client.signIn('wren@kestrel.example', running.password);
    const { data } = await wren.ask<Asked, object>('{ customers(first: 100) { nodes { id } } }');
    const [mine] = await sqlAt(home, 'select id from billing.customer');
    expect(data.customers.nodes.map(({ id }: { id: string }) => id)).not.toContain(mine.id);
    await expect(
      withClient(homeUrl(running.world.config, home), async (client) => {
        await client.query('set role svc_billing');
        await client.query('select kernel.enter($1)', [
          JSON.stringify({ 'app.tenant_id': '01990000-0000-7000-8000-000000000a01' }),
        ]);
      }),
    ).rejects.toMatchObject({ code: 'TN002' });
  });
});

describe('who cannot have one', () => {
  test('is whoever signs up: that is for a shared database', async () => {
    const { errors } = await running.client.post(
      'mutation($input: SignUpInput!) { signUp(input: $input) { userErrors { code } } }',
      { input: { isolation: 'DEDICATED' } },
    );
    expect(JSON.stringify(errors)).toMatch(/isolation/);
  });

  test('is everybody where the platform may make no databases', async () => {
    const { machinery, envelope } = await running.world.system('platform', 'tenancy');
    await sql("create role makes_nothing login password 'nothing'");
    try {
      const url = new URL(running.world.databaseUrl);
      url.username = 'makes_nothing';
      url.password = 'nothing';
      const config = { ...machinery.config, DATABASE_URL: url.href };
      const ctx = new Context(envelope, { ...machinery, config });
      const { idempotencyKey, ...asked } = aRequest({ isolation: 'DEDICATED' });
      await expect(requestAt(ctx, asked as never, idempotencyKey)).rejects.toMatchObject({
        ...{ code: 'INVALID', field: 'isolation', message: 'No tenant can be given a database of its own here.' },
      });
      await ctx.end();
    } finally {
      await sql('drop role makes_nothing');
    }
  });
});

describe('a run for a tenant with a database of its own', () => {
  test('that is cancelled leaves no trace of it', async () => {
    const before = await databases();
    const { runId, tenantId } = await begin({ plan: 'silver' });
    await endOf(runId, ['WAITING']);
    expect(await databases()).toHaveLength(before.length + 1);
    expect((await cancel(ngozi, runId)).userErrors).toEqual([]);
    expect((await endOf(runId)).at(-1)).toMatchObject({ state: 'FAILED', error: 'Cancelled.' });
    await expectNoTrace(tenantId, before);
  }, 90_000);

  test('that fails is undone to the last of it, and succeeds in another once what stopped it is away', async () => {
    const before = await databases();
    const slug = `refuse-own-${process.pid}`;
    const { asked, runId, tenantId } = await begin({ slug });
    await endOf(runId, ['WAITING']);
    // This process and another, which nobody tells, work in the tenant meanwhile, and remember where it lived.
    const here = running.world.subgraph('billing').machinery;
    const pools = new HomePools(here.config, here.log);
    const { entities } = billing;
    const away = { ...here, homes: new Homes(here.db, pools, 'svc_billing', entities, true) };
    const databaseOf = async (machinery: Machinery) => {
      const ctx = await systemContext(machinery, tenantId);
      try {
        return (await (await ctx.em()).execute('select current_database() as name'))[0]?.name;
      } finally {
        await ctx.end();
      }
    };
    const first = (await placeOf(tenantId)).home;
    for (const process of [here, away]) expect(await databaseOf(process)).toBe(nameOf(first));
    const told = await endSoon(runId);
    expect(told.at(-1)).toMatchObject({ state: 'FAILED', error: 'The name server refuses this host.', percent: 0 });
    const undone = told.map(({ steps }) => steps.filter(({ state }) => state === 'UNDONE').map(({ name }) => name));
    const order = undone.flatMap((now, i) => now.filter((name) => !undone[i - 1]?.includes(name)));
    expect(order).toEqual(['admin', 'account', 'license', 'seed', 'migrate', 'database', 'place', 'reserve']);
    await expectNoTrace(tenantId, before);

    letHostPass(`${slug}.isp.example`);
    const again = await retry(ngozi, runId);
    expect(again.userErrors).toEqual([]);
    expect((await endOf(again.run?.runId as string)).at(-1)).toMatchObject({ state: 'SUCCEEDED' });
    const second = (await placeOf(tenantId)).home;
    expect(second).not.toBe(first);
    for (const process of [here, away]) expect(await databaseOf(process)).toBe(nameOf(second));
    await pools.close();
    expect(await databases()).toHaveLength(before.length + 1);
    const rita = await firstSignIn(running, asked);
    const { data, errors } = await rita.ask<Asked, object>(CUSTOMER, { input: { name: 'Bo Reef', kind: 'PERSON' } });
    expect(errors ?? data.createCustomer.userErrors).toEqual([]);
    expect(await domainRowsAt(second, tenantId)).toMatchObject({ 'billing.customer': 1 });
    expect(await domainRowsAt(CONTROL, tenantId)).toEqual({});
  }, 120_000);

  test('runs beside others: three at once have a database each', async () => {
    const before = await databases();
    const runs = await Promise.all([begin(), begin(), begin()]);
    const ended = await Promise.all(runs.map(({ runId }) => endOf(runId)));
    expect(ended.map((told) => told.at(-1)?.state)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    expect(await databases()).toHaveLength(before.length + 3);
  }, 120_000);
});
