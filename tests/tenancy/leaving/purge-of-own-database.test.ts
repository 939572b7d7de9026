import { systemContext } from '../../../subgraphs/_kernel/context.ts';
import { PLATFORM_TENANT } from '../../../subgraphs/_kernel/db.ts';
import { dropHome } from '../../../subgraphs/_kernel/home-databases.ts';
import { CONTROL } from '../../../subgraphs/_kernel/homes.ts';
import { remindPurges } from '../../../subgraphs/tenancy/leaving/purge.service.ts';
import { until } from '../../kernel/by-hand.ts';
import type { Person } from '../../setup/gateway.ts';
import { type Asked, type MoveWorld, openMoveWorld, tenantId } from '../placement/move-world.ts';
import { aRequest, firstSignIn, follow, requestTenant, until as untilTold } from '../provisioning/trial.ts';

const CLOSE = `mutation($input: CloseTenantInput!) { closeTenant(input: $input) { tenant { state } userErrors { code message } } }`;
const APPROVE = `mutation($input: TenantInput!) { approvePurge(input: $input) { purge { begunAt } userErrors { code message } } }`;
const CUSTOMER = `mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code } } }`;
const VERDICT = `query($document: String!) { verifyDeletionCertificate(document: $document) {
  isValid databaseDroppedAt zeroAt deleted { table rows } } }`;

describe('When a tenant is deleted that has a database of its own', () => {
  let world: MoveWorld;
  let tomas: Person;
  beforeAll(async () => {
    world = await openMoveWorld();
    tomas = await world.client.signIn('tomas@platform.example', world.password);
  }, 60_000);
  afterAll(() => world?.close());

  const sql: MoveWorld['world']['sql'] = (text, values) => world.world.sql(text, values);
  const databases = async () =>
    (await sql("select datname from pg_database where starts_with(datname, current_database() || '_')")).map(
      ({ datname }) => datname,
    );
  const homesKnown = async () =>
    (await sql("select name from tenancy.data_home where name <> '' order by 1")).map(({ name }) => name);
  const nameOf = (home: string) => `${new URL(world.world.databaseUrl).pathname.slice(1)}_${home}`;
  const isBuried = async (id: string) =>
    (await sql('select 1 from tenancy.tombstone where id = $1', [id])).length === 1;

  /** Closed by the platform, and its day has come. */
  const close = async (id: string, slug: string) => {
    const input = { tenantId: id, confirmSlug: slug, days: 7, waivesExport: true };
    const { data, errors } = await world.ngozi.ask<Asked, object>(CLOSE, { input });
    expect(errors ?? data.closeTenant.userErrors).toEqual([]);
    await sql(
      `select set_config('app.tenant_id', '${id}', false);
       update tenancy.tenant set closes_at = now() - interval '1 second' where id = '${id}'`,
    );
  };
  const approve = async (id: string, who: Person) => {
    const { data, errors } = await who.ask<Asked, object>(APPROVE, { input: { tenantId: id } });
    expect(errors ?? data.approvePurge.userErrors).toEqual([]);
  };
  const certificateOf = async (id: string) => {
    const { data } = await world.ngozi.ask<Asked, object>(
      'query($id: ID!) { deletionCertificate(tenantId: $id) { document } }',
      { id },
    );
    const { document } = data.deletionCertificate;
    return (await world.ngozi.ask<Asked, object>(VERDICT, { document })).data.verifyDeletionCertificate;
  };
  /** Rows of a tenant in every table that has its tenants' rows, at the control plane's database. */
  const rowsOf = async (id: string) => {
    const tables = await sql("select table_name from kernel.tables_of_tenant() where rows_of_tenant like 'tenant_id%'");
    const counts: Record<string, number> = {};
    for (const { table_name } of tables) {
      const [{ n }] = await sql(`select count(*)::int as n from ${table_name} where tenant_id = $1`, [id]);
      // Who hears the end of it is noted behind it.
      if (n > 0 && table_name !== 'kernel.reaction_receipt') counts[table_name] = n;
    }
    return counts;
  };
  const openPools = () => {
    const { homes } = world.world.subgraph('billing').machinery;
    // biome-ignore lint/suspicious/noExplicitAny: nobody else is to see the pools
    return [...(homes as any).pools.open.keys()] as string[];
  };

  test('its rows and the database go, and the certificate tells of both', async () => {
    const asked = aRequest({ isolation: 'DEDICATED' });
    const { run } = await requestTenant(world.ngozi, asked);
    const id = run?.tenant?.id as string;
    const stream = follow(world.ngozi, { runId: run?.runId as string });
    expect((await untilTold(stream, undefined, 60_000)).at(-1)?.state).toBe('SUCCEEDED');
    await stream.stop();
    const rita = await firstSignIn(world, asked);
    for (const name of ['Anna Reef', 'Bo Reef']) {
      const made = await rita.ask<Asked, object>(CUSTOMER, { input: { name, kind: 'PERSON' } });
      expect(made.errors ?? made.data.createCustomer.userErrors).toEqual([]);
    }
    const [{ home }] = await sql('select home from kernel.placement where tenant_id = $1', [id]);
    expect(openPools().some((key) => key.startsWith(`${home}/`))).toBe(true);
    const { events } = (await world.sqlAt(home, 'select count(*)::int as events from kernel.event'))[0];
    expect(events).toBeGreaterThan(0);
    await close(id, asked.slug);
    await approve(id, world.ngozi);
    expect(await databases()).toEqual([nameOf(home)]);
    await approve(id, tomas);
    await until('it is gone', () => isBuried(id), 30_000);

    expect(await databases()).toEqual([]);
    expect(await homesKnown()).toEqual([]);
    await world.world.untilNoJobs();
    expect(await rowsOf(id)).toEqual({});
    const verdict = await certificateOf(id);
    expect(verdict.isValid).toBe(true);
    expect(Date.parse(verdict.databaseDroppedAt)).toBeLessThanOrEqual(Date.parse(verdict.zeroAt));
    expect(Date.parse(verdict.databaseDroppedAt)).toBeGreaterThan(Date.now() - 60_000);
    expect(verdict.deleted).toContainEqual({ table: 'billing.customer', rows: 2 });
    expect(verdict.deleted).toContainEqual({ table: 'tenancy.tenant', rows: 1 });
    const told = verdict.deleted.find(({ table }: { table: string }) => table === 'kernel.event').rows;
    expect(told).toBeGreaterThan(events); // those of the control plane's log as well
    await until('its pools are closed', () => !openPools().some((key) => key.startsWith(`${home}/`)), 15_000);
    const [shared] = await sql(
      `select tenants, (select count(*)::int from tenancy.placement where isolation = 'SHARED') as living from tenancy.data_home where name = ''`,
    );
    expect(shared.tenants).toBe(shared.living);
  }, 120_000);

  test('what its former homes still keep goes with it', async () => {
    expect(await world.move('atlas', 'DEDICATED', 'us')).toMatchObject({ state: 'DONE', error: null });
    expect(await world.move('atlas', 'DEDICATED', 'apac')).toMatchObject({ state: 'DONE', error: null });
    const id = tenantId('atlas');
    expect(await databases()).toHaveLength(2);
    expect(await rowsOf(id)).toHaveProperty(['billing.customer']); // fenced, for seven days
    await close(id, 'atlas');
    await approve(id, world.ngozi);
    await approve(id, tomas);
    await until('it is gone', () => isBuried(id), 30_000);
    await world.world.untilNoJobs();
    expect(await databases()).toEqual([]);
    expect(await homesKnown()).toEqual([]);
    expect(await rowsOf(id)).toEqual({});
  }, 120_000);

  test('a row that is left in its database keeps it; one whose worker died after the drop is ended by the next', async () => {
    expect(await world.move('harbour', 'DEDICATED')).toMatchObject({ state: 'DONE', error: null });
    const id = tenantId('harbour');
    const home = await world.homeOf('harbour');
    // Somebody answers for crm although crm has deleted nothing, as a fault might.
    await world.sqlAt(home, "update kernel.reaction set task = 'crm.nobody' where task = 'crm.answerPurge'");
    await sql("delete from kernel.reaction where task = 'crm.answerPurge'");
    await close(id, 'harbour');
    await approve(id, world.ngozi);
    await approve(id, tomas);
    const purge = async () => (await sql('select * from tenancy.purge where tenant_id = $1', [id]))[0];
    await until('crm alone is waited for', async () => (await purge()).waiting_for.join() === 'crm', 20_000);
    await sql(
      `select set_config('app.tenant_id', '${id}', false); update tenancy.purge set waiting_for = '{}', asked_at = now() - interval '61 minutes'`,
    );
    const remind = async () => {
      const platform = await systemContext(world.world.subgraph('tenancy').machinery, PLATFORM_TENANT);
      await remindPurges(platform).finally(() => platform.end());
    };
    await remind();
    await until('its rows are seen', async () => (await purge()).waiting_for.join() === 'crm', 20_000);
    expect((await purge()).rows_left['crm.contact']).toBeGreaterThan(0);
    expect(await databases()).toEqual([nameOf(home)]);

    // The database goes, and nothing is written down of it any more.
    await dropHome(world.world.config, home);
    await sql(
      `select set_config('app.tenant_id', '${id}', false); update tenancy.purge set waiting_for = '{}', asked_at = now() - interval '61 minutes'`,
    );
    await remind();
    await until('it is gone', () => isBuried(id), 20_000);
    expect(await homesKnown()).toEqual([]);
    expect((await certificateOf(id)).isValid).toBe(true);
    expect(await sql('select home from kernel.placement where home <> $1', [CONTROL])).toEqual([]);
  }, 120_000);
});
