import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { connect, rolePassword } from '../../subgraphs/_kernel/db.ts';
import { type SeedTenant, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { migrate } from '../../subgraphs/migrate.ts';
import { openWorld, type World } from '../setup/world.ts';
import { asRole, asSuperuser, codeOf, enterTenant, migrateByHand, withClient } from './by-hand.ts';

const [A, B] = [seedId('0a01'), seedId('0a02')];
const mine = randomUUID();
const theirs = randomUUID();
const shared = randomUUID();

let world: World;
beforeAll(async () => {
  world = await openWorld({ DATABASE_POOL: '2' });
  await migrate(world.config); // a copy of a database does not inherit what may be done in it
  await migrateByHand(
    world,
    `create table tenancy.site (
       tenant_id uuid not null, id uuid not null, name text not null, parent_id uuid, customer_id uuid, primary key (tenant_id, id),
       unique (tenant_id, name), foreign key (tenant_id, parent_id) references tenancy.site (tenant_id, id));
     create index site_by_parent on tenancy.site (tenant_id, parent_id);
     call kernel.make_tenanted('tenancy.site', false);
     call kernel.make_customer_scoped('tenancy.site', 'customer_id');
     insert into tenancy.site (tenant_id, id, name, customer_id) values
       ('${A}', '${mine}', 'Mast', '${shared}'), ('${A}', '${randomUUID()}', 'Hut', '${randomUUID()}'), ('${B}', '${theirs}', 'Tower', '${shared}')`,
  );
});
afterAll(() => world.close());

/** What the role of the service may do in a tenant; nothing of it is kept. */
const inTenant = <T>(
  tenantId: string,
  run: (client: pg.Client) => Promise<T>,
  more: Record<string, string> = {},
): Promise<T> =>
  asRole(world, 'svc_tenancy', async (client) => {
    await client.query('begin');
    await enterTenant(client, tenantId, more);
    try {
      return await run(client);
    } finally {
      await client.query('rollback');
    }
  });

const counted = async (client: pg.Client, sql: string, values: unknown[] = []) =>
  (await client.query(sql, values)).rowCount;

describe('a service without a tenant', () => {
  test.each([
    ['sees', 'select * from tenancy.site'],
    ['counts', 'select count(*) from tenancy.site'],
    ['changes', `update tenancy.site set name = 'x'`],
    ['deletes', 'delete from tenancy.site'],
    ['adds', `insert into tenancy.site (id, name) values ('${randomUUID()}', 'x')`],
    [
      'adds by naming a tenant',
      `insert into tenancy.site (tenant_id, id, name) values ('${A}', '${randomUUID()}', 'x')`,
    ],
    ['reads the log of', 'select * from kernel.event'],
    ['reads the audit of', 'select * from kernel.audit_entry'],
  ])('%s nothing: the database raises', async (_name, sql) => {
    await asRole(world, 'svc_tenancy', async (client) => {
      await expect(client.query(sql)).rejects.toMatchObject({ code: 'TN001', message: 'tenant context missing' });
      await client.query(`select set_config('app.tenant_id', '', false)`);
      await expect(client.query(sql)).rejects.toMatchObject({ code: 'TN001' });
    });
  });

  test('cannot enter nowhere', async () => {
    await asRole(world, 'svc_tenancy', async (client) => {
      for (const settings of ['{}', '{"app.tenant_id": ""}', '{"app.tenant_id": null}'])
        expect(await codeOf(client.query('select kernel.enter($1)', [settings]))).toBe('TN001');
      expect(await codeOf(client.query('select kernel.enter($1)', ['{"app.tenant_id": "%"}']))).toBe('22P02');
    });
  });
});

describe('a service in a tenant', () => {
  test('sees its rows and no others', () =>
    inTenant(A, async (client) => {
      expect((await client.query('select name from tenancy.site order by name')).rows).toEqual([
        { name: 'Hut' },
        { name: 'Mast' },
      ]);
      expect(await counted(client, 'select 1 from tenancy.site where tenant_id = $1 or id = $2', [B, theirs])).toBe(0);
    }));

  test("changes and deletes nobody else's", () =>
    inTenant(A, async (client) => {
      expect(
        await counted(client, `update tenancy.site set name = 'Mine' where id = $1 or tenant_id = $2`, [theirs, B]),
      ).toBe(0);
      expect(await counted(client, 'delete from tenancy.site where id = $1 or tenant_id = $2', [theirs, B])).toBe(0);
      expect(await counted(client, 'delete from tenancy.site')).toBe(2);
    }));

  test('cannot add a row for another, nor give one away', async () => {
    const add = `insert into tenancy.site (tenant_id, id, name) values ('${B}', '${randomUUID()}', 'x')`;
    expect(await codeOf(inTenant(A, (client) => client.query(add)))).toBe('42501');
    expect(await codeOf(inTenant(A, (client) => client.query(`update tenancy.site set tenant_id = '${B}'`)))).toBe(
      '42501',
    );
    const upsert = `${add} on conflict (tenant_id, id) do update set name = 'x'`;
    expect(await codeOf(inTenant(A, (client) => client.query(upsert)))).toBe('42501');
    const copy = `copy tenancy.site (tenant_id, id, name) from stdin`;
    expect(await codeOf(inTenant(A, (client) => client.query(copy)))).toBe('0A000'); // never past row-level security
  });

  test('fills in its own tenant where none is named', () =>
    inTenant(A, async (client) => {
      const { rows } = await client.query(
        `insert into tenancy.site (id, name) values ($1, 'New') returning tenant_id`,
        [randomUUID()],
      );
      expect(rows).toEqual([{ tenant_id: A }]);
    }));

  test("learns nothing of another's ids by pointing at them: a foreign one is refused like one that never was", async () => {
    const point = (id: string) =>
      inTenant(A, (client) =>
        client.query(`insert into tenancy.site (id, name, parent_id) values ($1, 'x', $2)`, [randomUUID(), id]),
      );
    const refusals = await Promise.all(
      [theirs, randomUUID()].map((id) => point(id).catch(({ code, message, detail }) => ({ code, message, detail }))),
    );
    expect(refusals[0]).toEqual(refusals[1]);
    expect(refusals[0]).toMatchObject({ code: '23503', detail: 'Key is not present in table "site".' });
  });

  test("learns nothing of another's names and ids by taking them: they are free", () =>
    inTenant(A, async (client) => {
      expect(await counted(client, `insert into tenancy.site (id, name) values ($1, 'Tower')`, [theirs])).toBe(1);
    }));

  test("learns nothing by a comparison that fails aloud on a row of another's", async () => {
    const failing = inTenant(A, (client) => client.query(`select 1 from tenancy.site where name::int = 1`));
    await expect(failing).rejects.toMatchObject({ message: expect.not.stringContaining('Tower') });
  });

  test('who is entered does not outlive the transaction: the next one on the connection begins outside', () =>
    asRole(world, 'svc_tenancy', async (client) => {
      for (const end of ['commit', 'rollback']) {
        await client.query('begin');
        await enterTenant(client, A, { 'app.customer_id': shared, 'app.actor': 'wren' });
        expect(await counted(client, 'select 1 from tenancy.site')).toBe(1);
        await client.query(end);
        expect(await codeOf(client.query('select 1 from tenancy.site'))).toBe('TN001');
        const { rows } = await client.query('select kernel.customer_id() as customer, kernel.actor() as actor');
        expect(rows).toEqual([{ customer: null, actor: null }]);
      }
      await client.query('begin');
      await enterTenant(client, B);
      expect((await client.query('select name from tenancy.site')).rows).toEqual([{ name: 'Tower' }]);
    }));

  test('asked by three tenants at once through one pool of two, answers each its own', async () => {
    const askOften = async (tenant: SeedTenant) => {
      for (let i = 0; i < 20; i++) {
        const { data } = await world.ask({ tenant, user: '6011' }, 'tenancy', '{ tenant { slug } }');
        expect(data).toEqual({ tenant: { slug: tenant } });
      }
    };
    await Promise.all([askOften('kestrel'), askOften('northwind'), askOften('atlas')]);
  });
});

describe('a portal customer', () => {
  test("sees their own rows, and no other customer's nor another tenant's that bear the same id", () =>
    inTenant(
      A,
      async (client) => {
        expect((await client.query('select name from tenancy.site')).rows).toEqual([{ name: 'Mast' }]);
        expect(await counted(client, `update tenancy.site set name = name || '!'`)).toBe(1);
      },
      { 'app.customer_id': shared },
    ));

  test('cannot write a row that is not theirs', async () => {
    const add = (client: pg.Client) =>
      client.query(`insert into tenancy.site (id, name, customer_id) values ($1, 'x', $2)`, [
        randomUUID(),
        randomUUID(),
      ]);
    expect(await codeOf(inTenant(A, add, { 'app.customer_id': shared }))).toBe('42501');
  });
});

describe('the roles of the services', () => {
  const services = async () =>
    (await asSuperuser(world, `select rolname from pg_roles where rolname like 'svc\\_%' order by 1`)).map(
      ({ rolname }) => String(rolname),
    );

  test('are no superusers, own nothing, and cannot make roles, databases or temporary tables', async () => {
    const rows = await asSuperuser(
      world,
      `select rolname from pg_roles r where (rolname like 'svc\\_%' or rolname in ('dotmac_platform', 'dotmac_fan_out', 'dotmac_tenant_rw', 'dotmac_kernel'))
        and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
             or pg_has_role(rolname, 'dotmac_owner', 'member') or has_database_privilege(rolname, current_database(), 'temporary')
             or has_database_privilege(rolname, current_database(), 'create') or has_schema_privilege(rolname, 'public', 'create')
             or (rolname <> 'dotmac_kernel' and exists (select from pg_class where relowner = r.oid)))`,
    );
    expect(rows).toEqual([]);
    expect((await services()).length).toBeGreaterThan(0);
  });

  test('cannot become another role', async () => {
    const roles = (
      await asSuperuser(world, `select rolname from pg_roles where rolname ~ '^(dotmac_|svc_|pg_|postgres)'`)
    ).map(({ rolname }) => String(rolname));
    await asRole(world, 'svc_tenancy', async (client) => {
      for (const role of roles.filter((name) => name !== 'svc_tenancy'))
        expect([role, await codeOf(client.query(`set role ${pg.escapeIdentifier(role)}`))]).toEqual([role, '42501']);
      expect(await codeOf(client.query('set session authorization dotmac_owner'))).toBe('42501');
    });
  });

  test('read and write in their own schema only', async () => {
    const rows = await asSuperuser(
      world,
      `select r.rolname, n.nspname from pg_roles r, pg_namespace n
        where r.rolname like 'svc\\_%' and n.nspname !~ '^pg_|^information_schema$|^kernel$|^public$' and n.nspname <> substr(r.rolname, 5)
          and has_schema_privilege(r.oid, n.oid, 'usage')`,
    );
    expect(rows).toEqual([]);
  });

  test('never change or delete what the kernel keeps for ever, and never write it by hand', async () => {
    const rows = await asSuperuser(
      world,
      `select r.rolname, c.relname, p.privilege from pg_roles r, pg_class c join pg_namespace n on n.oid = c.relnamespace,
              (values ('insert'), ('update'), ('delete'), ('truncate'), ('trigger')) p(privilege)
        where r.rolname like 'svc\\_%' and n.nspname = 'kernel' and c.relkind = 'r'
          and c.relname in ('event', 'event_head', 'feed', 'feed_head', 'audit_entry', 'audit_link', 'audit_head', 'reaction', 'migration', 'example_world')
          and has_table_privilege(r.oid, c.oid, p.privilege)`,
    );
    expect(rows).toEqual([]);
  });

  test('open nothing by saying that they migrate', async () => {
    await inTenant(A, async (client) => {
      await client.query(`select set_config('app.migration', 'on', true)`);
      expect(await counted(client, 'select 1 from tenancy.site where tenant_id <> $1', [A])).toBe(0);
    });
    await asRole(world, 'svc_tenancy', async (client) => {
      await client.query(`set app.migration = 'on'`);
      expect(await codeOf(client.query('select 1 from tenancy.site'))).toBe('TN001');
    });
  });

  test('even the owner sees no row outside a migration, and every row in one', () =>
    asRole(world, 'dotmac_migrator', async (client) => {
      expect(await codeOf(client.query('select 1 from tenancy.site'))).toBe('42501'); // not before it becomes the owner
      await client.query('set role dotmac_owner');
      expect(await counted(client, 'select 1 from tenancy.site')).toBe(0);
      await client.query('begin');
      await client.query(`set local app.migration = 'on'`);
      expect(await counted(client, 'select 1 from tenancy.site')).toBe(3);
      await client.query('commit');
      expect(await counted(client, 'select 1 from tenancy.site')).toBe(0);
    }));

  test('a statement of theirs ends after three seconds, a wait for a lock after one, an idle transaction after five', async () => {
    const settings = await asRole(world, 'svc_tenancy', async (client) =>
      client.query(
        `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
                current_setting('idle_in_transaction_session_timeout') as idle`,
      ),
    );
    expect(settings.rows).toEqual([{ statement: '3s', lock: '1s', idle: '5s' }]);
  });

  test('the platform reads across tenants what was opened to it, and writes nothing', () =>
    asRole(world, 'dotmac_platform', async (client) => {
      expect(await counted(client, 'select 1 from tenancy.tenant')).toBeGreaterThan(1);
      expect(await codeOf(client.query('select 1 from tenancy.site'))).toBe('42501');
      expect(await codeOf(client.query(`update tenancy.tenant set name = 'x'`))).toBe('42501');
    }));
});

test('migrating a database that is up to date changes nothing', async () => {
  expect(await migrate(world.config)).toEqual({ applied: [] });
});

describe('a service refuses to run', () => {
  // Roles are the cluster's, so what is done to one here is done in a role of the test's own.
  const strong = `dotmac_test_${randomUUID().slice(0, 8)}`;
  const connectAs = async (setUp: string) => {
    const { config } = world;
    await asSuperuser(world, `create role ${strong} login password '${rolePassword(config, strong)}'; ${setUp}`);
    try {
      const db = await connect(config, strong, [], createLog(config, 'test'));
      await db.close();
      return 'it runs';
    } catch (error) {
      return (error as Error).message;
    } finally {
      await asSuperuser(world, `drop role ${strong}; drop role if exists ${strong}_group`);
    }
  };

  test.each([
    ['a superuser', `alter role ${strong} superuser`],
    ['a role row-level security does not bind', `alter role ${strong} bypassrls`],
    ['a maker of roles', `alter role ${strong} createrole`],
    ['the owner', `grant dotmac_owner to ${strong}`],
    ['one who may become a superuser', `create role ${strong}_group superuser; grant ${strong}_group to ${strong}`],
    [
      'one who may become whom row-level security does not bind',
      `create role ${strong}_group bypassrls; grant ${strong}_group to ${strong} with inherit false`,
    ],
  ])('as %s', async (_name, setUp) => {
    expect(await connectAs(setUp)).toContain('A service never runs so.');
  });

  test('and runs as anybody else', async () => {
    expect(await connectAs('select 1')).toBe('it runs');
  });

  test('with a wrong password', async () => {
    const config = { ...world.config, DATABASE_ROLE_SECRET: Buffer.alloc(32).toString('base64url') };
    await expect(connect(config, 'svc_tenancy', [], createLog(config, 'test'))).rejects.toMatchObject({
      code: '28P01',
    });
    await withClient(world.databaseUrl, (client) => client.query('select 1'));
  });
});
