import type { Person } from '../../setup/gateway.ts';
import { type Asked, type MoveWorld, openMoveWorld, tenantId } from './move-world.ts';

const CUSTOMER = `mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code } } }`;
const ATLAS = tenantId('atlas');

describe('A tenant moves from one home of its own to another', () => {
  let world: MoveWorld;
  let bruno: Person;
  beforeAll(async () => {
    world = await openMoveWorld();
    bruno = await world.client.signIn('bruno@atlas.example', world.password);
  }, 60_000);
  afterAll(() => world?.close());

  const enroll = async (name: string) => {
    const { data, errors } = await bruno.ask<Asked, object>(CUSTOMER, { input: { name, kind: 'PERSON' } });
    expect(errors ?? data.createCustomer.userErrors).toEqual([]);
  };
  const names = async () =>
    (await bruno.ask<Asked, object>('{ customers(first: 100) { nodes { name } } }')).data.customers.nodes.map(
      ({ name }: { name: string }) => name,
    );
  const entriesAt = async (home: string) =>
    (await world.sqlAt(home, 'select id from kernel.audit_entry where tenant_id = $1', [ATLAS])).map(({ id }) => id);

  test('it has there what it had, goes on to work, and keeps what was noted of its changes', async () => {
    expect(await world.move('atlas', 'DEDICATED', 'us')).toMatchObject({ state: 'DONE', error: null });
    const first = await world.homeOf('atlas');
    await enroll('At the first');
    const before = await names();
    expect(await world.move('atlas', 'DEDICATED', 'apac')).toMatchObject({ state: 'DONE', error: null });
    const second = await world.homeOf('atlas');
    expect(second).not.toBe(first);
    expect((await names()).sort()).toEqual([...before].sort());
    await enroll('At the second');
    expect((await names()).sort()).toEqual([...before, 'At the second'].sort());
    const [{ n }] = await world.sqlAt(
      first,
      "select count(*)::int as n from billing.customer where name = 'At the second'",
    );
    expect(n).toBe(0);

    const [there, here] = [await entriesAt(first), await entriesAt(second)];
    expect(there.length).toBeGreaterThan(0);
    expect(here).toEqual(expect.arrayContaining(there));
    const [chain] = await world.sqlAt(
      second,
      "select kernel.audit_break() as broken from set_config('app.tenant_id', $1, false)",
      [ATLAS],
    );
    expect(chain.broken).toBeNull();
  }, 120_000);
});
