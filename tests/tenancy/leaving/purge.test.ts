import pg from 'pg';
import { systemContext } from '../../../subgraphs/_kernel/context.ts';
import { PLATFORM_TENANT, roleUrl } from '../../../subgraphs/_kernel/db.ts';
import { emit } from '../../../subgraphs/_kernel/events.ts';
import { putFile } from '../../../subgraphs/_kernel/files.ts';
import { seal } from '../../../subgraphs/_kernel/secrets.ts';
import { SEED_TENANTS, type SeedTenant, seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { approvePurge, remindPurges } from '../../../subgraphs/tenancy/leaving/purge.service.ts';
import { NGOZI, openWorld, type World } from '../../setup/world.ts';

describe('When a tenant is deleted', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world?.close());

  const idOf = (slug: SeedTenant) => seedId(SEED_TENANTS[slug]);
  const inTenant = (slug: SeedTenant, statement: string) =>
    world.sql(`select set_config('app.tenant_id', '${idOf(slug)}', false); ${statement}`);
  /** Closed so long ago that it may be deleted, without an export. */
  const closeLongAgo = (slug: SeedTenant) =>
    inTenant(
      slug,
      `update tenancy.tenant set state = 'CLOSING', closes_at = now() - interval '1 day', closed_at = now() - interval '8 days',
         waives_export = true where id = '${idOf(slug)}';
       update kernel.tenant_profile set state = 'CLOSING' where tenant_id = '${idOf(slug)}'`,
    );
  const approve = async (slug: SeedTenant, user: string) =>
    approvePurge(await world.context({ ...NGOZI, user }, 'tenancy'), idOf(slug));
  const isBuried = async (slug: SeedTenant) =>
    (await world.sql('select 1 from tenancy.tombstone where id = $1', [idOf(slug)])).length === 1;
  const asService = async (role: string, slug: SeedTenant, statement: string) => {
    const client = new pg.Client({ connectionString: roleUrl(world.config, role) });
    await client.connect();
    try {
      await client.query('begin');
      await client.query("select set_config('app.tenant_id', $1, true)", [idOf(slug)]);
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  };

  test.each([
    'harbour',
    'sable',
    'atlas',
    'oldtown',
    'fable',
  ] as const)('%s can be: whatever a tenant of the example world has goes with it', async (slug) => {
    const own = await world.system(slug, 'tenancy');
    await putFile(own, 'logos/light.png', 'a picture');
    await own.tx((em) => seal(own, em, 'a secret', 'hunter2'));
    await closeLongAgo(slug);
    await approve(slug, '6001');
    expect(await isBuried(slug)).toBe(false);
    await approve(slug, '6002');
    await world.untilNoJobs();
    expect(await isBuried(slug)).toBe(true);
    expect(await world.sql('select 1 from kernel.data_key where tenant_id = $1', [idOf(slug)])).toEqual([]);
    expect(await world.sql('select 1 from licensing.license where tenant_id = $1', [idOf(slug)])).toEqual([]);
    expect(await world.sql('select 1 from kernel.event where tenant_id = $1', [idOf(slug)])).toEqual([]);
  }, 30_000);

  test('its domains delete only what is the tenant’s, theirs, and only while it is being deleted', async () => {
    await expect(asService('svc_billing', 'kestrel', "select kernel.purge('billing')")).rejects.toMatchObject({
      code: '55000',
    });
    await expect(asService('svc_billing', 'kestrel', "select kernel.purge('crm')")).rejects.toMatchObject({
      code: '42501',
    });
    await expect(asService('svc_billing', 'kestrel', "select kernel.purge('kernel')")).rejects.toMatchObject({
      code: '42501',
    });
    await expect(asService('svc_billing', 'kestrel', 'select kernel.rows_left()')).rejects.toMatchObject({
      code: '42501',
    });
    await expect(asService('svc_billing', 'kestrel', 'delete from kernel.event')).rejects.toMatchObject({
      code: '42501',
    });
  });

  test('a row that is left stops it; when its domain has deleted that too, it ends', async () => {
    await world.sql(
      `insert into identity.second_factor (user_id, state, sealed, made_at)
       select id, 'ACTIVE', 'sealed', now() from identity.user where realm = $1`,
      [idOf('kestrel')],
    );
    await closeLongAgo('kestrel');
    await approve('kestrel', '6001');
    // Somebody answers for billing before billing does, as a fault might.
    await inTenant('kestrel', "delete from kernel.reaction where task = 'billing.answerPurge'");
    const { id: purgeId } = await approve('kestrel', '6002');
    const billing = await systemContext(world.subgraph('billing').machinery, idOf('kestrel'));
    await billing.tx(async (em) => void emit(em, 'billing.purge.completed', { purgeId, counts: {} }));
    await billing.end();
    await world.untilNoJobs();
    const [stopped] = await world.sql('select waiting_for, rows_left from tenancy.purge where tenant_id = $1', [
      idOf('kestrel'),
    ]);
    expect(stopped.waiting_for).toEqual(['billing']);
    expect(Object.keys(stopped.rows_left).every((table) => table.startsWith('billing.'))).toBe(true);
    expect(stopped.rows_left['billing.customer']).toBeGreaterThan(0);
    expect(await isBuried('kestrel')).toBe(false);

    await world.sql("insert into kernel.reaction values ('tenancy.purge.requested', 'billing.answerPurge')");
    const platform = await systemContext(world.subgraph('tenancy').machinery, PLATFORM_TENANT);
    await remindPurges(platform); // asked a moment ago: not yet again
    await world.untilNoJobs();
    expect(await isBuried('kestrel')).toBe(false);
    await inTenant('kestrel', "update tenancy.purge set asked_at = now() - interval '61 minutes'");
    await remindPurges(platform);
    await platform.end();
    await world.untilNoJobs();
    expect(await isBuried('kestrel')).toBe(true);
  }, 30_000);

  test('the platform keeps its own books of it', async () => {
    const [kept] = await world.sql(
      'select count(*)::int as n from billing.customer where tenant_id = $1 and licensed_tenant_id = $2',
      [PLATFORM_TENANT, idOf('kestrel')],
    );
    expect(kept.n).toBe(1);
    const told = await world.sql("select tenant_id from kernel.event where name = 'tenancy.tenant.purged'");
    expect(told).toHaveLength(6);
    expect(told.every(({ tenant_id }) => tenant_id === PLATFORM_TENANT)).toBe(true);
  });
});
