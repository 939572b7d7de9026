import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Context } from '../../subgraphs/_kernel/context.ts';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { updateTenantProfile } from '../../subgraphs/tenancy/tenant.service.ts';
import { openWorld, type World, WREN } from '../setup/world.ts';
import { asRole, asSuperuser, codeOf, enterTenant, inNewTenant, migrateByHand, withClient } from './by-hand.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await migrateByHand(
    world,
    `create table tenancy.account (tenant_id uuid not null, id uuid not null, name text, secret text, pin text, primary key (tenant_id, id));
     call kernel.make_tenanted('tenancy.account', true, '{secret,pin}');
     create table tenancy.setting (tenant_id uuid not null, key text not null, value text, primary key (tenant_id, key));
     call kernel.make_tenanted('tenancy.setting')`,
  );
});
afterAll(() => world.close());

const entriesOf = (tenantId: string) =>
  asSuperuser(world, 'select * from kernel.audit_entry where tenant_id = $1 order by at, id', [tenantId]);

/** Where the chain of a tenant breaks. */
const breakOf = (tenantId: string): Promise<number | null> =>
  asSuperuserIn(tenantId, async (client) => (await client.query('select kernel.audit_break()::int as at')).rows[0].at);

/** In a tenant, as one whom no policy binds. */
const asSuperuserIn = <T>(tenantId: string, run: (client: pg.Client) => Promise<T>): Promise<T> =>
  withClient(world.databaseUrl, async (client) => {
    await client.query('begin');
    await enterTenant(client, tenantId);
    const result = await run(client);
    await client.query('commit');
    return result;
  });

/** A tenant with some history: as many entries as asked for. */
async function withHistory(length: number): Promise<string> {
  const ctx = await inNewTenant(world);
  for (let i = 0; i < length; i++) await addAccount(ctx, `Account ${i + 1}`);
  return ctx.tenantId;
}

function addAccount(ctx: Context, name: string, id: string = randomUUID()): Promise<unknown> {
  return ctx.tx((em) =>
    em.execute(`insert into tenancy.account (id, name, secret, pin) values (?, ?, 'hunter2', null)`, [id, name]),
  );
}

describe('every write leaves an entry', () => {
  test('that says who did it, in which request, when, and what was before', async () => {
    const ctx = await world.context(WREN, 'tenancy');
    const before = (await entriesOf(ctx.tenantId)).length;
    await updateTenantProfile(ctx, { name: 'Kestrel', legalName: 'Kestrel Wireless LLC' });
    const [entry, ...more] = (await entriesOf(ctx.tenantId)).slice(before);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      actor: seedId('6011'),
      acting_for: null,
      request_id: ctx.envelope.requestId,
      table_name: 'tenancy.tenant',
      row_id: ctx.tenantId,
      action: 'UPDATE',
      before: { name: 'Kestrel Wireless', version: expect.any(Number), legal_name: null },
      after: { name: 'Kestrel', version: expect.any(Number), legal_name: 'Kestrel Wireless LLC' },
    });
    expect(Math.abs((entry?.at as Date).getTime() - Date.now())).toBeLessThan(5_000);
  });

  test('with both identities when somebody acts for another, and the name of the machinery when nobody does', async () => {
    const ctx = await inNewTenant(world);
    await addAccount(ctx, 'made by the system');
    Object.assign(ctx.envelope, {
      caller: { kind: 'USER', id: seedId('6011') },
      actingFor: { operator: seedId('6001'), impersonation: 'x', mode: 'ACT' },
    });
    await addAccount(ctx, 'made for somebody');
    expect(await entriesOf(ctx.tenantId)).toMatchObject([
      { actor: 'SYSTEM', acting_for: null },
      { actor: seedId('6011'), acting_for: seedId('6001') },
    ]);
  });

  test('of what was added, changed and deleted, in that order, by its id or its key', async () => {
    const ctx = await inNewTenant(world);
    const id = randomUUID();
    await ctx.tx(async (em) => {
      await em.execute(`insert into tenancy.setting (key, value) values ('mtu', '1500')`);
      await em.execute(`insert into tenancy.account (id, name) values (?, 'Ada')`, [id]);
      await em.execute(`update tenancy.account set name = 'Ada L.'`);
      await em.execute('delete from tenancy.account');
    });
    expect(
      (await entriesOf(ctx.tenantId)).map(({ action, row_id, before, after }) => [action, row_id, before, after]),
    ).toEqual([
      ['INSERT', 'mtu', null, { tenant_id: ctx.tenantId, key: 'mtu', value: '1500' }],
      ['INSERT', id, null, { tenant_id: ctx.tenantId, id, name: 'Ada', secret: '***', pin: '***' }],
      ['UPDATE', id, { name: 'Ada' }, { name: 'Ada L.' }],
      ['DELETE', id, { tenant_id: ctx.tenantId, id, name: 'Ada L.', secret: '***', pin: '***' }, null],
    ]);
  });

  test('but not what changed nothing, and not what was rolled back', async () => {
    const ctx = await inNewTenant(world);
    await addAccount(ctx, 'Ada');
    await ctx.tx((em) => em.execute('update tenancy.account set name = name'));
    const failing = ctx.tx(async (em) => {
      await em.execute(`update tenancy.account set name = 'Bob'`);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow();
    expect(await entriesOf(ctx.tenantId)).toHaveLength(1);
  });

  test('by hand as well as by us: whoever has the role of the service', async () => {
    const tenantId = randomUUID();
    await asRole(world, 'svc_tenancy', async (client) => {
      await client.query('begin');
      await enterTenant(client, tenantId, { 'app.actor': 'intruder' });
      await client.query(`insert into tenancy.account (id, name) values ($1, 'x')`, [randomUUID()]);
      await client.query('commit');
    });
    expect(await entriesOf(tenantId)).toMatchObject([{ actor: 'intruder', action: 'INSERT' }]);
  });

  test('in which what is secret does not show, only that it changed', async () => {
    const ctx = await inNewTenant(world);
    await addAccount(ctx, 'Ada');
    await ctx.tx((em) => em.execute(`update tenancy.account set secret = 'hunter3', pin = '1234'`));
    await ctx.tx((em) => em.execute('delete from tenancy.account'));
    const entries = await entriesOf(ctx.tenantId);
    expect(entries.map(({ before, after }) => [before, after])).toMatchObject([
      [null, { secret: '***', pin: '***' }],
      [
        { secret: '***', pin: '***' },
        { secret: '***', pin: '***' },
      ],
      [{ secret: '***', pin: '***' }, null],
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/hunter|1234/);
  });
});

describe('the chain over the entries', () => {
  test('is whole for every tenant of the example world, and for one that has none', async () => {
    const tenants = await asSuperuser(world, 'select distinct tenant_id from kernel.audit_head');
    expect(tenants.length).toBeGreaterThan(5);
    for (const { tenant_id } of tenants)
      expect([tenant_id, await breakOf(String(tenant_id))]).toEqual([tenant_id, null]);
    expect(await breakOf(randomUUID())).toBeNull();
  });

  test('is whole when many write at once, and nobody waits in a circle', async () => {
    const tenantId = await withHistory(2);
    const ids = [randomUUID(), randomUUID()];
    const first = await inNewTenant(world, tenantId);
    for (const id of ids) await addAccount(first, 'shared', id);
    const contexts = await Promise.all(Array.from({ length: 8 }, () => inNewTenant(world, tenantId)));
    await Promise.all(
      contexts.map(async (ctx, writer) => {
        for (let round = 0; round < 5; round++) {
          await addAccount(ctx, `by ${writer}`);
          await ctx.tx(async (em) => {
            await em.execute(`insert into tenancy.setting (key, value) values (?, 'x')`, [`${writer}-${round}`]);
            await em.execute('update tenancy.account set name = ? where id = ?', [
              `${writer}-${round}`,
              ids[writer % 2],
            ]);
            await em.execute(`insert into tenancy.account (id, name) values (?, 'last')`, [randomUUID()]);
          });
        }
      }),
    );
    expect(await breakOf(tenantId)).toBeNull();
    expect(await asSuperuser(world, 'select seq::int from kernel.audit_head where tenant_id = $1', [tenantId])).toEqual(
      [{ seq: 4 + 8 * 5 * 4 }],
    );
  });

  test.each<[string, string, number]>([
    ['an entry that was rewritten', `update kernel.audit_entry set after = '{"name": "Mallory"}' where id = $entry`, 3],
    [
      'an entry that was given to another actor',
      `update kernel.audit_entry set actor = 'mallory' where id = $entry`,
      3,
    ],
    [
      'an entry that was moved in time',
      `update kernel.audit_entry set at = at - interval '1 hour' where id = $entry`,
      3,
    ],
    ['an entry that was deleted', 'delete from kernel.audit_entry where id = $entry', 3],
    [
      'an entry that was deleted with its link',
      'delete from kernel.audit_entry where id = $entry; delete from kernel.audit_link where entry_id = $entry',
      3,
    ],
    ['an entry whose link was cut', 'delete from kernel.audit_link where entry_id = $entry', 3],
    ['a link with another hash', `update kernel.audit_link set hash = sha256('x') where entry_id = $entry`, 3],
    [
      'the last entries cut off',
      'delete from kernel.audit_entry where id = $last; delete from kernel.audit_link where entry_id = $last',
      5,
    ],
    [
      'everything deleted but the head',
      'delete from kernel.audit_entry where tenant_id = kernel.tenant_id(); delete from kernel.audit_link where tenant_id = kernel.tenant_id()',
      1,
    ],
    [
      'an entry that was slipped in',
      `set session_replication_role = replica;
       insert into kernel.audit_entry (tenant_id, table_name, action) values (kernel.tenant_id(), 'tenancy.account', 'INSERT');
       set session_replication_role = origin`,
      6,
    ],
    [
      'two entries that changed places',
      `update kernel.audit_link set seq = -1 where seq = 3 and tenant_id = kernel.tenant_id();
       update kernel.audit_link set seq = 3 where seq = 4 and tenant_id = kernel.tenant_id();
       update kernel.audit_link set seq = 4 where seq = -1 and tenant_id = kernel.tenant_id()`,
      3,
    ],
  ])('shows where it breaks: %s', async (_name, sql, at) => {
    const tenantId = await withHistory(5);
    const links = await asSuperuser(world, 'select entry_id from kernel.audit_link where tenant_id = $1 order by seq', [
      tenantId,
    ]);
    const tampering = sql
      .replaceAll('$entry', `'${links[2]?.entry_id}'`)
      .replaceAll('$last', `'${links[4]?.entry_id}'`);
    expect(await breakOf(tenantId)).toBeNull();
    await asSuperuserIn(tenantId, (client) => client.query(tampering));
    expect(await breakOf(tenantId)).toBe(at);
  });

  test('is whole in the eyes of a use case that has just written and not yet committed', async () => {
    const ctx = await inNewTenant(world);
    await addAccount(ctx, 'Ada');
    const rows = await ctx.tx(async (em) => {
      await em.execute(`update tenancy.account set name = 'Bob'`);
      return em.execute('select kernel.audit_break() as at');
    });
    expect(rows).toEqual([{ at: null }]);
  });
});

describe('nobody writes the audit by hand', () => {
  const TRIES = [
    `update kernel.audit_entry set actor = 'nobody'`,
    'delete from kernel.audit_entry',
    'truncate kernel.audit_entry',
    `insert into kernel.audit_entry (table_name, action) values ('tenancy.account', 'INSERT')`,
    'update kernel.audit_link set seq = seq + 1',
    'delete from kernel.audit_link',
    `update kernel.audit_head set seq = 0`,
    'alter table kernel.audit_entry disable trigger link_audit',
    'alter table tenancy.account disable trigger audit',
    'set session_replication_role = replica',
    `select kernel.audit_row()`,
    'drop trigger audit on tenancy.account',
    'create or replace function kernel.audit_row() returns trigger language plpgsql as $$ begin return null; end $$',
  ];

  test.each(['svc_tenancy', 'dotmac_platform', 'dotmac_fan_out', 'dotmac_jobs'])('%s is refused', async (role) => {
    for (const sql of TRIES) {
      const code = await asRole(world, role, (client: pg.Client) =>
        codeOf(
          client
            .query('begin')
            .then(() => enterTenant(client, seedId('0a01')))
            .then(() => client.query(sql)),
        ),
      );
      expect([sql, code]).toEqual([sql, expect.stringMatching(/^(42501|0A000)$/)]);
    }
  });

  test('a tenant reads its own audit and no other', async () => {
    const [one, other] = [await withHistory(1), await withHistory(2)];
    const ctx = await inNewTenant(world, one);
    const seen = await (await ctx.em()).execute('select tenant_id from kernel.audit_entry where tenant_id in (?, ?)', [
      one,
      other,
    ]);
    expect(seen).toEqual([{ tenant_id: one }]);
    await ctx.end();
  });
});
