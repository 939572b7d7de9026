import pg from 'pg';
import { roleUrl } from '../../subgraphs/_kernel/db.ts';
import { consume } from '../../subgraphs/_kernel/quota.ts';
import { closeUsage } from '../../subgraphs/licensing/usage/usage-close.service.ts';
import { NGOZI } from '../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from './licensing-world.ts';

type Row = Record<string, unknown>;

describe('What reports read', () => {
  let licensing: LicensingWorld;
  let reader: pg.Client;
  beforeAll(async () => {
    licensing = await openLicensingWorld();
    reader = new pg.Client({ connectionString: roleUrl(licensing.world.config, 'dotmac_reports') });
    await reader.connect();
  }, 60_000);
  afterAll(async () => {
    await reader?.end();
    await licensing?.close();
  });

  const as = async (slug: Parameters<typeof tenantId>[0], text: string): Promise<Row[]> => {
    await reader.query("select set_config('app.tenant_id', $1, false)", [tenantId(slug)]);
    return (await reader.query(text)).rows;
  };
  const columnsOf = async (view: string) =>
    (
      await licensing.sql(
        "select column_name, data_type from information_schema.columns where table_schema = 'reports' and table_name = $1 order by ordinal_position",
        [view],
      )
    ).map(({ column_name, data_type }) => `${column_name} ${data_type}`);

  test('the views have the columns they always had', async () => {
    expect(await columnsOf('tenant_licenses')).toEqual([
      ...['tenant_id uuid', 'plan_tier text', 'features jsonb', 'usage_limits jsonb'],
      ...['valid_from timestamp without time zone', 'valid_until timestamp without time zone', 'auto_renew boolean'],
      ...['created_at timestamp without time zone', 'updated_at timestamp without time zone'],
    ]);
    expect(await columnsOf('feature_usage')).toEqual([
      ...['id uuid', 'tenant_id uuid', 'feature_name text', 'usage_count bigint', 'usage_date date'],
      'created_at timestamp without time zone',
    ]);
    expect(await columnsOf('feature_denial_events')).toEqual([
      ...[
        'id uuid',
        'tenant_id uuid',
        'feature text',
        'clicked_upgrade boolean',
        'created_at timestamp without time zone',
      ],
    ]);
  });

  test('ten of Kestrel’s forty denials were clicked: a quarter', async () => {
    const [row] = await as(
      'kestrel',
      'select count(*) filter (where clicked_upgrade)::float / count(*) as conversion, count(*)::int as denials from feature_denial_events',
    );
    expect(row).toEqual({ conversion: 0.25, denials: 40 });
  });

  test('a licence says what it says in the graph, with -1 where nothing limits', async () => {
    for (const slug of ['kestrel', 'northwind', 'harbour', 'sable', 'atlas', 'platform'] as const) {
      const { data } = await licensing.ask(
        NGOZI,
        'query($id: ID!) { tenantLicense(tenantId: $id) { planVersion { plan { code } } enabledFeatures validFrom validUntil autoRenew limits { key limit isUnlimited } features { feature } } }',
        { id: tenantId(slug) },
      );
      const { planVersion, enabledFeatures, validFrom, validUntil, autoRenew, limits } = data.tenantLicense;
      const [row] = await as(
        slug,
        "select *, valid_from at time zone 'UTC' as begins, valid_until at time zone 'UTC' as ends from tenant_licenses",
      );
      expect(row).toMatchObject({ tenant_id: tenantId(slug), plan_tier: planVersion.plan.code, auto_renew: autoRenew });
      const features = row?.features as Record<string, boolean>;
      expect(
        Object.keys(features)
          .filter((key) => features[key])
          .sort(),
      ).toEqual([...enabledFeatures].sort());
      expect(features).toHaveProperty('fieldops');
      expect(row?.usage_limits).toEqual(
        Object.fromEntries(
          limits.map((limit: { key: string; limit: string; isUnlimited: boolean }) => [
            limit.key,
            limit.isUnlimited ? -1 : Number(limit.limit),
          ]),
        ),
      );
      expect((row?.begins as Date).toISOString()).toBe(validFrom);
      expect((row?.ends as Date | null)?.toISOString() ?? null).toBe(validUntil);
      expect(Number(row?.created_at)).toBeLessThanOrEqual(Number(row?.updated_at));
    }
  });

  test('what is in use today is what the quotas say', async () => {
    const { data } = await licensing.ask(NGOZI, '{ quotaUsage { key used } }');
    const rows = await as('platform', 'select feature_name, usage_count, usage_date, id from feature_usage');
    expect(rows.length).toBeGreaterThan(5);
    for (const { key, used } of data.quotaUsage)
      expect(rows.find(({ feature_name }) => feature_name === key)).toMatchObject({ usage_count: used });
    const again = await as('platform', 'select id from feature_usage');
    expect(again.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  });

  test('a day that is closed stays in the report as it ended, under the same id', async () => {
    const days = () =>
      as(
        'fable',
        "select usage_date::text as on_date, id, usage_count, created_at at time zone 'UTC' as began from feature_usage where feature_name = 'tickets' order by 1",
      );
    const goTo = async (day: number) => {
      const seconds = day * 86_400;
      await licensing.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [
        ...[seconds, tenantId('fable')],
      ]);
      await licensing.inTenant('fable', closeUsage);
    };
    await goTo(0);
    const known = await days();
    const [today] = known.slice(-1);
    await licensing.inTenant('fable', (ctx) => ctx.tx((em) => consume(ctx, em, 'tickets', 3n, 'three')));
    await goTo(1);
    await licensing.inTenant('fable', (ctx) => ctx.tx((em) => consume(ctx, em, 'tickets', 1n, 'one')));
    await goTo(2);
    const seen = (await days()).slice(known.length - 1);
    expect(seen).toHaveLength(3);
    expect(seen[0]).toEqual({ ...today, usage_count: String(Number(today?.usage_count) + 3) });
    expect(new Set(seen.map(({ id }) => id)).size).toBe(3);
    const closed = await licensing.sql(
      "select date::text as on_date, closing from kernel.quota_day where tenant_id = $1 and key = 'tickets' order by date desc limit 2",
      [tenantId('fable')],
    );
    expect(seen.slice(0, 2)).toEqual(
      closed.reverse().map(({ on_date, closing }) => expect.objectContaining({ on_date, usage_count: closing })),
    );
    for (const { on_date, began } of seen)
      expect((began as Date).toLocaleDateString('sv', { timeZone: 'Europe/London' })).toBe(on_date);
  });

  test('a reader sees one tenant, none unless it says which, and changes nothing', async () => {
    for (const view of ['tenant_licenses', 'feature_usage', 'feature_denial_events']) {
      const rows = await as('northwind', `select tenant_id from ${view}`);
      expect(rows.every(({ tenant_id }) => tenant_id === tenantId('northwind'))).toBe(true);
      const [own] = await as(
        'kestrel',
        `select count(*)::int as seen from ${view} where tenant_id <> '${tenantId('kestrel')}'`,
      );
      expect(own).toEqual({ seen: 0 });
      await reader.query('reset app.tenant_id');
      await reader.query("select set_config('app.tenant_id', '', false)");
      await expect(reader.query(`select * from ${view}`)).rejects.toMatchObject({ code: 'TN001' });
    }
    await reader.query("select set_config('app.tenant_id', $1, false)", [tenantId('kestrel')]);
    await reader.query('set default_transaction_read_only = off');
    for (const write of [
      "update tenant_licenses set plan_tier = 'enterprise'",
      'delete from feature_denial_events',
      "insert into feature_usage (feature_name) values ('crm')",
      'update licensing.license set auto_renew = false',
      'update kernel.quota set used = 0',
    ])
      await expect(reader.query(write)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|55000)$/) });
    for (const read of ['select * from licensing.hold', 'select * from kernel.event', 'select * from billing.customer'])
      await expect(reader.query(read)).rejects.toMatchObject({ code: '42501' });
  });
});
