import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { permissionsOf } from '../schema/permissions.ts';
import { roleUrl } from '../subgraphs/_kernel/db.ts';
import { configAt, homeUrl } from '../subgraphs/_kernel/homes.ts';
import { SEED_TENANTS, seedId } from '../subgraphs/_kernel/seed-world.ts';
import { hasId, operationFor } from './setup/door-operation.ts';
import { openGatewayWorld, type Person } from './setup/gateway.ts';

/** Tables time alone changes, with the columns it leaves as they are. */
const MOVED_BY_TIME: Record<string, string> = { 'tenancy.tenant_domain': 'id, host, kind, method, record_value' };

/** Who tries, and whose things they must never see. */
const TRIALS = [
  { who: 'ingrid@northwind.example', from: 'northwind', victim: 'atlas' },
  { who: 'bruno@atlas.example', from: 'atlas', victim: 'northwind' },
  { who: 'wren@kestrel.example', from: 'kestrel', victim: 'northwind' },
] as const;

/** Doors through which the platform's own people may see across tenants; nobody of an ISP gets past their permission. */
const IDS_PER_DOOR = 6;

describe('A tenant never sees, changes or learns of another', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let admin: pg.Client;
  /** A superuser at the database of atlas, which has one of its own. */
  let adminOfAtlas: pg.Client;
  let atlasHome: string;
  let tables: { schema: string; table: string; has_id: boolean }[];
  beforeAll(async () => {
    running = await openGatewayWorld();
    admin = new pg.Client({ connectionString: running.world.databaseUrl });
    await admin.connect();
    atlasHome = await dedicate(running);
    adminOfAtlas = new pg.Client({ connectionString: homeUrl(running.world.config, atlasHome) });
    await adminOfAtlas.connect();
    ({ rows: tables } = await admin.query(`
      select n.nspname as schema, c.relname as table,
             exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'id' and a.atttypid = 'uuid'::regtype) as has_id
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_wall') order by 1, 2`));
  }, 120_000);
  afterAll(async () => {
    await admin?.end();
    await adminOfAtlas?.end();
    await running?.close();
  });

  const rolesFor = (schema: string) =>
    schema === 'kernel' ? running.world.serving.subgraphs.map(({ name }) => `svc_${name}`) : [`svc_${schema}`];

  test('every tenant table, asked by the role that serves it, shows and changes rows of the set tenant only', async () => {
    let checked = 0;
    let populated = 0;
    // At the database of atlas northwind lives nowhere: whoever is led there by mistake sees nothing either.
    for (const [at, { schema, table }] of [admin, adminOfAtlas].flatMap((one) =>
      tables.map((t) => [one, t] as const),
    )) {
      const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
      const { rows: real } = await at.query(
        `select count(*)::int as all, count(*) filter (where tenant_id = $1)::int as own from ${name}`,
        [seedId(SEED_TENANTS.northwind)],
      );
      if (real[0].all > real[0].own && real[0].own > 0) populated += 1;
      for (const role of rolesFor(schema).slice(0, schema === 'kernel' ? 2 : 1)) {
        const { config } = running.world;
        const home = at === admin ? config : configAt(config, atlasHome);
        const client = new pg.Client({ connectionString: roleUrl(home, role) });
        await client.connect();
        try {
          const attempt = async (sql: string, tenant?: string) => {
            await client.query('begin');
            try {
              if (tenant) await client.query("select set_config('app.tenant_id', $1, true)", [tenant]);
              return await client.query(sql);
            } catch (error) {
              return error as pg.DatabaseError;
            } finally {
              await client.query('rollback');
            }
          };
          const without = await attempt(`select 1 from ${name}`);
          expect({ name, code: (without as pg.DatabaseError).code }).toEqual({ name, code: 'TN001' });
          const seen = await attempt(
            `select count(*)::int as seen, count(*) filter (where tenant_id <> '${seedId(SEED_TENANTS.northwind)}')::int as foreign from ${name}`,
            seedId(SEED_TENANTS.northwind),
          );
          if (!(seen instanceof Error)) {
            expect({ name, ...seen.rows[0] }).toEqual({ name, seen: real[0].own, foreign: 0 });
            checked += 1;
          } else expect(seen.code).toBe('42501'); // not even granted
          for (const write of [
            `update ${name} set tenant_id = '${seedId(SEED_TENANTS.atlas)}'`,
            `delete from ${name} where tenant_id = '${seedId(SEED_TENANTS.atlas)}'`,
          ]) {
            const written = await attempt(write, seedId(SEED_TENANTS.northwind));
            if (written instanceof Error)
              expect(['42501', '23503', '23514', '23505', 'P0001', '55000', '55P03', '57014']).toContain(written.code);
            else expect({ write, rows: written.rowCount }).toEqual({ write, rows: 0 });
          }
        } finally {
          await client.end();
        }
      }
    }
    console.log(
      `isolation: ${tables.length} tenant tables, ${checked} role and table pairs, ${populated} with rows of several tenants`,
    );
    expect(tables.length).toBeGreaterThan(30);
    expect(populated).toBeGreaterThan(15);
  }, 120_000);

  /** Who sees the rows of a tenant in a schema, where they are. */
  const adminAt = (tenant: string, schema: string) =>
    tenant === seedId(SEED_TENANTS.atlas) && ['billing', 'crm', 'network', 'tickets'].includes(schema)
      ? adminOfAtlas
      : admin;

  /** A fingerprint of everything a tenant owns in its domains. */
  const fingerprint = async (tenant: string) => {
    const parts: string[] = [];
    for (const { schema, table } of tables.filter((found) => found.schema !== 'kernel')) {
      const { rows } = await adminAt(tenant, schema).query(
        `select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as hash
           from (select ${MOVED_BY_TIME[`${schema}.${table}`] ?? '*'} from ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)} where tenant_id = $1) t`,
        [tenant],
      );
      parts.push(`${schema}.${table} ${rows[0].hash}`);
    }
    return parts;
  };

  /** Ids that belong to the victim and to nobody else. */
  const idsOf = async (tenant: string) => {
    const ids = new Map<string, string[]>();
    for (const { schema, table, has_id } of tables) {
      if (!has_id || schema === 'kernel') continue;
      const { rows } = await adminAt(tenant, schema).query(
        `select id::text from ${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)} where tenant_id = $1 limit 200`,
        [tenant],
      );
      ids.set(
        `${schema}.${table}`,
        rows.map((row) => row.id),
      );
    }
    return ids;
  };

  test('every door, asked with another tenant’s ids, answers as for ids that never were, and changes nothing', async () => {
    const { schema } = running.gateway.graph.supergraph;
    let doors = 0;
    let requests = 0;
    for (const { who, from, victim } of TRIALS) {
      const person: Person = await running.client.signIn(who, running.password);
      const foreignTenant = seedId(SEED_TENANTS[victim]);
      const ids = await idsOf(foreignTenant);
      const own = new Set([...(await idsOf(seedId(SEED_TENANTS[from]))).values()].flat());
      const secrets = [...ids.values()].flat().filter((id) => !own.has(id));
      expect(secrets.length).toBeGreaterThan(50);
      const canary = `CANARY-${victim.toUpperCase()}`;
      const before = await fingerprint(foreignTenant);
      const sample = [...ids.values()].flatMap((list) => list.slice(0, 1)).filter((id) => !own.has(id));

      for (const root of [schema.getQueryType(), schema.getMutationType()]) {
        for (const field of Object.values(root?.getFields() ?? {})) {
          if (/signOut|refreshSession|endOtherSessions/.test(field.name)) continue; // would end the trial, not test it
          doors += 1;
          const tried = hasId(field.args)
            ? [...sample.slice(0, IDS_PER_DOOR), foreignTenant, ...spread(sample, field.name)]
            : [randomUUID()];
          for (const id of tried) {
            const answer = await person.ask(
              operationFor(root === schema.getMutationType() ? 'mutation' : 'query', field, id),
            );
            requests += 1;
            const text = JSON.stringify({ data: answer.data, errors: answer.errors });
            expect(answer.errors?.map(({ extensions }) => extensions.code) ?? []).not.toContain('INTERNAL');
            if (text.includes(canary)) throw new Error(`${field.name} told ${who} of ${victim}: ${text.slice(0, 500)}`);
            const leaked = secrets.find((secret) => secret !== id && text.includes(secret));
            if (leaked) throw new Error(`${field.name}(${id}) told ${who} the id ${leaked} of ${victim}`);
          }
        }
      }
      expect(await fingerprint(foreignTenant)).toEqual(before);
    }
    console.log(`isolation: ${doors} doors as ${TRIALS.length} administrators, ${requests} requests with foreign ids`);
    expect(doors).toBeGreaterThan(150);
  }, 240_000);

  test('an administrator of an ISP holds no permission of the platform', () => {
    expect(
      permissionsOf(['tenant_admin']).filter((permission) => /fleet|catalog\.manage|tenant\.suspend/.test(permission)),
    ).toEqual([]);
  });
});

/** Moves atlas to a database of its own; the name of that home. */
async function dedicate({ client, password, world }: Awaited<ReturnType<typeof openGatewayWorld>>): Promise<string> {
  const ngozi = await client.signIn('ngozi@platform.example', password);
  const tenantId = seedId(SEED_TENANTS.atlas);
  await ngozi.ask(
    `mutation { moveTenant(input: { tenantId: "${tenantId}", isolation: DEDICATED, idempotencyKey: "isolation" }) { move { id } } }`,
  );
  const homeOf = async () =>
    (await world.sql('select home from kernel.placement where tenant_id = $1', [tenantId]))[0].home;
  for (const until = Date.now() + 60_000; (await homeOf()) === ''; await sleep(100))
    if (Date.now() > until) throw new Error('atlas did not move.');
  await world.untilNoJobs();
  return homeOf();
}

/** Ids of tables whose name the door's name reminds of, so that each door is asked with the right kind of id. */
function spread(ids: readonly string[], name: string): string[] {
  const start = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % Math.max(1, ids.length);
  return ids.slice(start, start + 2);
}
