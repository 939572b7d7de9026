import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { homeUrl } from '../../../subgraphs/_kernel/homes.ts';
import type { Person } from '../../setup/gateway.ts';
import { type Asked, type MoveWorld, openMoveWorld, tenantId } from './move-world.ts';

describe('Who may move whom, and where', () => {
  let world: MoveWorld;
  let ingrid: Person;
  beforeAll(async () => {
    world = await openMoveWorld();
    ingrid = await world.client.signIn('ingrid@northwind.example', world.password);
  }, 60_000);
  afterAll(() => world?.close());

  const wanted = (over: object) => ({
    ...{ tenantId: tenantId('northwind'), isolation: 'DEDICATED' as const, idempotencyKey: randomUUID() },
    ...over,
  });
  const refusalOf = async (over: object) => (await world.asked(wanted(over))).data?.moveTenant.userErrors[0];

  test('an administrator of an ISP is refused, and finds no move by its id', async () => {
    expect((await world.asked(wanted({}), ingrid)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const look = await ingrid.ask('query { tenantMove(id: "01990000-0000-7000-8000-000000000001") { state } }');
    expect(look.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  test.each([
    ['an id that is none', { tenantId: 'x' }, 'NOT_FOUND', 'tenantId'],
    ['a tenant that is not there', { tenantId: randomUUID() }, 'NOT_FOUND', undefined],
    ['the platform', { tenantId: tenantId('platform') }, 'INVALID_STATE', 'tenantId'],
    ['a region that is none', { region: 'moon' }, 'INVALID', 'region'],
    ['a region its data may not go to', { region: 'us' }, 'INVALID', 'region'],
    ['where it is already', { isolation: 'SHARED' }, 'INVALID_STATE', 'isolation'],
    ['no key', { idempotencyKey: '' }, 'INVALID', 'idempotencyKey'],
  ])('%s is refused', async (_, over, code, field) => {
    const refusal = await refusalOf(over);
    expect(refusal).toMatchObject({ code, ...(field ? { field } : {}) });
  });

  test('the region an organisation has bound its data to, which is where they lie', async () => {
    const wren = await world.client.signIn('wren@kestrel.example', world.password);
    const bind = async (value: string) =>
      (
        await wren.ask<{ updateSettings: { userErrors: { code: string; field: string }[] } }, object>(
          'mutation($input: UpdateSettingsInput!) { updateSettings(input: $input) { userErrors { code field } } }',
          { input: { section: 'compliance', expectedVersion: 1, changes: [{ key: 'data_region', value }] } },
        )
      ).data?.updateSettings.userErrors;
    expect(await bind('eu')).toEqual([{ code: 'INVALID', field: 'data_region' }]);
    expect(await bind('us')).toEqual([]);
    const refusal = await refusalOf({ tenantId: tenantId('kestrel'), region: 'eu' });
    expect(refusal).toMatchObject({ code: 'INVALID', field: 'region' });
  });

  test('one move at a time; the same key again is the same move, with another wish it is refused', async () => {
    const first = wanted({});
    const { id } = (await world.asked(first)).data.moveTenant.move;
    expect((await world.asked(first)).data.moveTenant.move.id).toBe(id);
    expect((await world.asked({ ...first, region: 'eu' })).data.moveTenant.userErrors[0].code).toBe(
      'IDEMPOTENCY_MISMATCH',
    );
    expect((await refusalOf({}))?.code).toBe('CONFLICT');
    expect(await world.done(id)).toMatchObject({ state: 'DONE', error: null });
    expect((await refusalOf({}))?.code).toBe('INVALID_STATE');
  }, 90_000);

  test('what an organisation sets is known at its own home within seconds', async () => {
    const { data } = await ingrid.ask<{ settings: { version: number }[] }, object>(
      '{ settings(sections: ["billing"]) { version } }',
    );
    await ingrid.ask(
      'mutation($input: UpdateSettingsInput!) { updateSettings(input: $input) { userErrors { code } } }',
      {
        input: {
          ...{ section: 'billing', expectedVersion: data?.settings[0]?.version },
          changes: [{ key: 'terms_days', value: '21' }],
        },
      },
    );
    const held = async () => {
      const [row] = await world.sqlAt(
        'h000000000a02_2',
        `select settings -> 'billing' ->> 'terms_days' as days, name, region from kernel.tenant_profile`,
      );
      return row;
    };
    for (let tries = 0; tries < 60 && (await held()).days !== '21'; tries++) await sleep(250);
    expect(await held()).toEqual({ days: '21', name: 'Northwind Fibre', region: 'eu' });
  }, 30_000);

  test('a move that cannot be made is undone and says why; the tenant is written as before, and may try again', async () => {
    const home = 'h000000000a01_2';
    const name = new URL(homeUrl(world.world.config, home)).pathname.slice(1);
    await world.world.sql(`create database ${name}`);
    await world.sqlAt(home, 'create schema kernel; create table kernel.migration (something_else int)');
    const undone = await world.move('kestrel', 'DEDICATED');
    expect(undone).toMatchObject({ state: 'UNDONE', error: expect.stringMatching(/./) });
    const wren = await world.client.signIn('wren@kestrel.example', world.password);
    const write = () =>
      wren.ask<Asked, object>(
        'mutation { createCustomer(input: { name: "Still here", kind: PERSON }) { customer { id } userErrors { code } } }',
      );
    expect((await write()).data.createCustomer.userErrors).toEqual([]);
    const place = '{ tenant { accessMode placement { version isolation } } }';
    expect((await wren.ask<Asked, object>(place)).data.tenant).toEqual({
      accessMode: 'NORMAL',
      placement: { version: 1, isolation: 'SHARED' },
    });
    expect(await world.world.sql("select name from tenancy.data_home where name = 'h000000000a01_2'")).toEqual([]);
    expect(await world.move('kestrel', 'DEDICATED')).toMatchObject({ state: 'DONE', error: null });
    expect((await write()).data.createCustomer.userErrors).toEqual([]);
  }, 90_000);

  test('the connection of a home is in nobody’s graph', () => {
    const names = Object.keys(world.gateway.graph.supergraph.schema.getTypeMap());
    expect(names).toContain('Placement');
    expect(names.filter((name) => /home/i.test(name))).toEqual([]);
  });
});
