import pg from 'pg';
import { advanceLicenses } from '../../subgraphs/licensing/sweeps.ts';
import { openGatewayWorld } from '../setup/gateway.ts';
import { openWorld } from '../setup/world.ts';

const HARBOUR = '01990000-0000-7000-8000-000000000a03';

describe('What time alone changes', () => {
  test('a trial that ran out is written down once by the sweep: version, history and state', async () => {
    const world = await openWorld();
    const admin = new pg.Client({ connectionString: world.databaseUrl });
    await admin.connect();
    try {
      await admin.query("select set_config('app.tenant_id', $1, false)", [HARBOUR]); // even an administrator's write is audited
      const before = await admin.query('select version from licensing.license where tenant_id = $1', [HARBOUR]);
      await admin.query(
        `update licensing.license set trial_ends_at = now() - interval '1 hour', next_transition_at = now() - interval '1 hour', snapshot_at = now() - interval '2 hours' where tenant_id = $1`,
        [HARBOUR],
      );
      const platform = await world.system('platform', 'licensing');
      await advanceLicenses(platform);
      await advanceLicenses(platform);
      const after = await admin.query('select version from licensing.license where tenant_id = $1', [HARBOUR]);
      expect(after.rows[0].version).toBe(before.rows[0].version + 1);
      const chidi = { tenant: 'harbour', user: '6041', roles: ['tenant_admin'] } as const;
      const { data } = await world.ask(
        { ...chidi, roles: [...chidi.roles] },
        'licensing',
        '{ license { state version } licenseHistory(first: 1) { nodes { version } } }',
      );
      expect(data).toMatchObject({ license: { state: 'RESTRICTED', version: before.rows[0].version + 1 } });
    } finally {
      await admin.end();
      await world.close();
    }
  }, 60_000);

  test('FEATURE_OVERRIDE opens a feature for every tenant from the start, and is gone with the next start', async () => {
    const overridden = await openGatewayWorld({ FEATURE_OVERRIDE: 'crm,-tickets' });
    try {
      const wren = await overridden.client.signIn('wren@kestrel.example', overridden.password);
      expect((await wren.ask('{ leads { nodes { number } } }')).status).toBe(200);
      expect((await wren.ask('{ tickets { nodes { number } } }')).status).toBe(402);
      const { data } = await wren.ask('{ license { features(keys: ["crm"]) { access source } } }');
      expect(data).toEqual({ license: { features: [{ access: 'FULL', source: 'TEST_OVERRIDE' }] } });
    } finally {
      await overridden.close();
    }
  }, 60_000);
});
