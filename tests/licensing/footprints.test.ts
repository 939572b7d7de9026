import { type Asker, INGRID, openWorld, SAMIRA, type World, WREN } from '../setup/world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.close());

const footprintOf = (who: Asker, subgraph = 'crm') =>
  world.ask(
    who,
    subgraph,
    `query($r: [_Any!]!) { _entities(representations: $r) { ... on LicenseChangePreview { hash ${subgraph}Footprint { noun count meaning } } } }`,
    { r: [{ __typename: 'LicenseChangePreview', hash: 'abc' }] },
  );
const counted = async (table: string, slug: string, where = 'true') =>
  (
    await world.sql(
      `select count(*)::int as n from ${table} t join kernel.tenant_profile p using (tenant_id) where p.slug = $1 and ${where}`,
      [slug],
    )
  )[0].n as number;
const CLOSED = 'They are kept as they are, and nobody can open them until CRM is back.';

test('A preview tells Ingrid how many contacts and leads she would lose sight of, with one statement', async () => {
  const [contacts, leads] = [await counted('crm.contact', 'northwind'), await counted('crm.lead', 'northwind')];
  expect(Math.min(contacts, leads)).toBeGreaterThan(0);
  let answer: Awaited<ReturnType<typeof footprintOf>> = {};
  const statements = await world.statementsOf('crm', async () => {
    answer = await footprintOf(INGRID);
  });
  expect(statements.filter((text) => text.includes('crm.'))).toHaveLength(1);
  expect([answer.errors, answer.data]).toEqual([
    undefined,
    {
      _entities: [
        {
          hash: 'abc',
          crmFootprint: [
            { noun: 'contacts', count: contacts, meaning: CLOSED },
            { noun: 'leads', count: leads, meaning: CLOSED },
          ],
        },
      ],
    },
  ]);
});

test('It tells Wren too, whose plan has no CRM, of her own tenant', async () => {
  const [contacts, leads] = [await counted('crm.contact', 'kestrel'), await counted('crm.lead', 'kestrel')];
  const { data, errors } = await footprintOf(WREN);
  expect(errors).toBeUndefined();
  expect(data?._entities).toMatchObject([{ crmFootprint: [{ count: contacts }, { count: leads }] }]);
  expect(contacts).not.toBe(await counted('crm.contact', 'northwind'));
});

test('It tells how many tickets are open', async () => {
  const open = await counted('tickets.ticket', 'kestrel', "status in ('NEW', 'OPEN', 'WAITING')");
  expect(open).toBeGreaterThan(0);
  let answer: Awaited<ReturnType<typeof footprintOf>> = {};
  const statements = await world.statementsOf('tickets', async () => {
    answer = await footprintOf(WREN, 'tickets');
  });
  expect(statements.filter((text) => text.includes('tickets.'))).toHaveLength(1);
  expect(answer.data?._entities).toMatchObject([{ ticketsFootprint: [{ noun: 'open tickets', count: open }] }]);
});

test('It tells nobody who may not change the licence: not support, not a customer, not a stranger', async () => {
  const lena: Asker = {
    tenant: 'northwind',
    user: '6031',
    roles: ['customer'],
    customerId: '01990000-0000-7000-8000-000000007031',
  };
  for (const subgraph of ['crm', 'tickets'])
    for (const who of [SAMIRA, lena]) {
      const { data, errors } = await footprintOf(who, subgraph);
      expect(data?._entities).toEqual([{ hash: 'abc', [`${subgraph}Footprint`]: null }]);
      expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
    }
  const stranger = world.signed(
    {},
    'crm',
    'query($r: [_Any!]!) { _entities(representations: $r) { ... on LicenseChangePreview { crmFootprint { count } } } }',
    { r: [{ __typename: 'LicenseChangePreview', hash: 'abc' }] },
  );
  expect((await world.subgraph('crm').execute(...stranger)).data).toEqual({ _entities: [null] });
});
