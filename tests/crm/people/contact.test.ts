import { randomUUID } from 'node:crypto';
import type { Context } from '../../../subgraphs/_kernel/context.ts';
import { emit } from '../../../subgraphs/_kernel/events.ts';
import { type SeedTenant, seedId } from '../../../subgraphs/_kernel/seed-world.ts';
import { contactChanges } from '../../../subgraphs/crm/people/contact.changes.ts';
import type { Contact } from '../../../subgraphs/crm/people/contact.entity.ts';
import * as people from '../../../subgraphs/crm/people/contact.service.ts';
import { type Asker, BRUNO, EDDA, INGRID, openWorld, type World, WREN } from '../../setup/world.ts';

const [LENA, ADLER, MARCUS, MARA_OF_ATLAS] = ['7031', '7033', '7019', '7079'].map(seedId) as [
  string,
  string,
  string,
  string,
];

describe('contacts', () => {
  let world: World;
  let ingrid: Context;
  beforeAll(async () => {
    world = await openWorld();
    ingrid = await world.context(INGRID, 'crm');
  });
  afterAll(() => world?.close());

  const ask = async (query: string, variables: Record<string, unknown> = {}, who: Asker = INGRID) => {
    const { data, errors } = await world.ask(who, 'crm', query, variables);
    return { data: data as Record<string, unknown>, codes: errors?.map(({ extensions }) => extensions?.code) };
  };
  const create = (displayName = 'Ada Lovelace', more: Partial<people.NewContact> = {}) =>
    people.createContact(ingrid, {
      kind: 'PERSON',
      displayName,
      points: [{ type: 'EMAIL', value: 'ada@example.com' }],
      ...more,
    });
  const link = (contact: Contact, role: people.LinkWanted['role'], customerId = LENA) =>
    people.linkContact(ingrid, { contactId: contact.id, customerId, role });
  const unlink = (contact: Contact, role: people.LinkWanted['role'], customerId = LENA) =>
    people.unlinkContact(ingrid, { contactId: contact.id, customerId, role });
  const rows = async (tenant: SeedTenant, sql: string, values: unknown[] = []) => {
    const ctx = await world.system(tenant, 'crm');
    const found = await (await ctx.em()).execute(sql, values);
    await ctx.end();
    return found;
  };
  const primaries = (tenant: SeedTenant, customerId: string) =>
    rows(
      tenant,
      "select c.display_name, c.kind, l.until is null as is_live from crm.contact_link l join crm.contact c on c.id = l.contact_id where l.customer_id = ? and l.role = 'PRIMARY' order by l.since",
      [customerId],
    );

  const customerCreated = async (
    tenant: SeedTenant,
    customerId: string,
    personal: Record<string, string>,
    kind = 'PERSON',
  ) => {
    const ctx = await world.system(tenant, 'crm');
    await ctx.tx(
      async (em) =>
        void emit(
          em,
          'billing.customer.created',
          { customerId, kind, status: 'ACTIVE', version: 1 },
          { subject: customerId, ...personal },
        ),
    );
    await world.untilNoJobs();
  };

  test('a new customer has a primary contact, also where crm is not licensed', async () => {
    const id = randomUUID();
    await customerCreated('kestrel', id, { name: 'Sue Lake', email: 'sue@lake.example', phone: '(303) 555-0155' });
    expect(await primaries('kestrel', id)).toEqual([{ display_name: 'Sue Lake', kind: 'PERSON', is_live: true }]);
    const points = await rows(
      'kestrel',
      'select p.value from crm.contact_point p join crm.contact_link l on l.contact_id = p.contact_id where l.customer_id = ? order by position',
      [id],
    );
    expect(points).toEqual([{ value: 'sue@lake.example' }, { value: '+13035550155' }]);
    expect(await primaries('kestrel', MARCUS)).toMatchObject([{ display_name: 'Marcus Tran' }]);
    expect((await ask('{ contacts { nodes { id } } }', {}, WREN)).codes).toEqual(['FEATURE_NOT_LICENSED']);
  });

  test('hearing of a customer again makes no second contact', async () => {
    const id = randomUUID();
    for (const name of ['Old Mill', 'Old Mill', 'Old Mill Ltd'])
      await customerCreated('northwind', id, { name }, 'BUSINESS');
    expect(await primaries('northwind', id)).toEqual([
      { display_name: 'Old Mill', kind: 'ORGANISATION', is_live: true },
    ]);
  });

  test('hearing of it five times at once neither', async () => {
    const customerId = randomUUID();
    const systems = await Promise.all(Array.from({ length: 5 }, () => world.system('northwind', 'crm')));
    await Promise.all(
      systems.map((ctx) => people.keepPrimaryContact(ctx, { customerId, kind: 'PERSON', personal: { name: 'Zoe' } })),
    );
    expect(await primaries('northwind', customerId)).toHaveLength(1);
  });

  test('a customer has exactly one live primary contact, whoever becomes it, and however fast', async () => {
    const contacts = await Promise.all(['One', 'Two', 'Three'].map((name) => create(name)));
    const agents = await Promise.all(contacts.map(() => world.context(INGRID, 'crm')));
    await Promise.all(
      contacts.map((contact, i) =>
        people.linkContact(agents[i] as Context, { contactId: contact.id, customerId: ADLER, role: 'PRIMARY' }),
      ),
    );
    const live = (await primaries('northwind', ADLER)).filter(({ is_live }) => is_live);
    expect(live).toHaveLength(1);
    await expect(
      unlink(contacts.find(({ displayName }) => displayName === live[0]?.display_name) as Contact, 'PRIMARY', ADLER),
    ).rejects.toMatchObject({
      code: 'INVALID_STATE',
      message: 'A customer always has a primary contact. Make another one primary instead.',
    });
  });

  test('a link is made once and ends once', async () => {
    const contact = await create();
    await link(contact, 'BILLING');
    await link(contact, 'BILLING');
    expect(
      await rows('northwind', 'select count(*)::int as links from crm.contact_link where contact_id = ?', [contact.id]),
    ).toEqual([{ links: 1 }]);
    await unlink(contact, 'BILLING');
    await expect(unlink(contact, 'BILLING')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'There is no such link.',
    });
  });

  test('twenty changes of one version: one succeeds, nineteen see the newer contact', async () => {
    const contact = await create();
    const input = { contactId: contact.id, expectedVersion: 1, displayName: 'Ada King' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        ask(
          'mutation($input: UpdateContactInput!) { updateContact(input: $input) { contact { version } userErrors { code message } } }',
          { input },
        ),
      ),
    );
    const given = answers.map(({ data }) => data.updateContact as { contact: object; userErrors: object[] });
    expect(given.filter(({ userErrors }) => userErrors.length === 0)).toHaveLength(1);
    expect(given.filter(({ userErrors }) => userErrors.length === 1)).toHaveLength(19);
    for (const { contact: shown, userErrors } of given) {
      expect(shown).toEqual({ version: 2 });
      if (userErrors.length > 0)
        expect(userErrors).toEqual([{ code: 'CONFLICT', message: 'Someone changed this contact meanwhile.' }]);
    }
  });

  test('a point that stays keeps its id, one that goes is gone', async () => {
    const contact = await create('Zoe', {
      points: [
        { type: 'EMAIL', value: 'zoe@example.com' },
        { type: 'PHONE', value: '030 901820' },
      ],
    });
    const query = 'query($id: ID!) { contact(id: $id) { points { id type value label isPrimary } } }';
    type Points = { points: { id: string; value: string }[] };
    const before = (await ask(query, { id: contact.id })).data.contact as Points;
    await people.updateContact(ingrid, {
      contactId: contact.id,
      expectedVersion: 1,
      points: [
        { type: 'EMAIL', value: 'new@example.com' },
        { type: 'EMAIL', value: 'ZOE@example.com', label: 'home' },
      ],
    });
    const after = (await ask(query, { id: contact.id })).data.contact as Points;
    expect(after.points).toEqual([
      { id: expect.any(String), type: 'EMAIL', value: 'new@example.com', label: null, isPrimary: true },
      { id: before.points[0]?.id, type: 'EMAIL', value: 'ZOE@example.com', label: 'home', isPrimary: false },
    ]);
  });

  test('what is wrong is refused with its field, and nothing is written', async () => {
    const count = () => rows('northwind', 'select count(*)::int as n from crm.contact');
    const before = await count();
    await expect(create('x', { points: [{ type: 'PHONE', value: '12345' }] })).rejects.toMatchObject({
      code: 'INVALID',
      field: 'points.0.value',
    });
    await expect(create('a\0b')).rejects.toMatchObject({ code: 'INVALID', field: 'displayName' });
    expect(await count()).toEqual(before);
  });

  test('another tenant’s contact and customer look like ones that never were, by every door', async () => {
    const foreign = await create();
    const doors = [
      ['updateContact', { expectedVersion: 1 }],
      ['linkContact', { customerId: MARA_OF_ATLAS, role: 'BILLING' }],
      ['unlinkContact', { customerId: MARA_OF_ATLAS, role: 'BILLING' }],
    ] as const;
    for (const [door, rest] of doors) {
      const type = `${door[0]?.toUpperCase()}${door.slice(1)}Input`;
      const asked = (contactId: string) =>
        ask(
          `mutation($input: ${type}!) { ${door}(input: $input) { contact { id } userErrors { code message field } } }`,
          { input: { contactId, ...rest } },
          BRUNO,
        );
      expect(await asked(foreign.id)).toEqual(await asked(randomUUID()));
      expect((await asked(foreign.id)).data[door]).toMatchObject({
        contact: null,
        userErrors: [{ code: 'NOT_FOUND' }],
      });
    }
    for (const id of [foreign.id, randomUUID(), 'no id at all'])
      expect((await ask('query($id: ID!) { contact(id: $id) { id } }', { id }, BRUNO)).data).toEqual({ contact: null });
    for (const customerId of [MARA_OF_ATLAS, randomUUID(), 'no id at all'])
      await expect(link(foreign, 'BILLING', customerId)).rejects.toMatchObject({
        code: 'NOT_FOUND',
        message: 'There is no such customer.',
      });
    const entities = await ask(
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Contact { id } } }',
      { r: [{ __typename: 'Contact', id: foreign.id }] },
      BRUNO,
    );
    expect(entities.data).toEqual({ _entities: [null] });
  });

  test('Mara Lind of atlas never shows beside Mara Lind of northwind', async () => {
    const list = '{ contacts(filter: { text: "mara@northwind" }) { nodes { displayName points { label } } } }';
    const [here, there] = [await ask(list), await ask(list, {}, BRUNO)];
    expect(JSON.stringify(here)).toContain('CANARY-NORTHWIND');
    expect(JSON.stringify(here)).not.toContain('CANARY-ATLAS');
    expect(there.data.contacts).toEqual({
      nodes: [{ displayName: 'Mara Lind', points: [{ label: 'CANARY-ATLAS' }, { label: null }] }],
    });
  });

  test('an auditor reads contacts and changes none; a customer does neither', async () => {
    const input = { displayName: 'X' };
    const mutation = 'mutation($input: CreateContactInput!) { createContact(input: $input) { userErrors { code } } }';
    expect((await ask('{ contacts(first: 1) { nodes { id } } }', {}, EDDA)).codes).toBeUndefined();
    expect((await ask(mutation, { input }, EDDA)).codes).toEqual(['FORBIDDEN']);
    const lena: Asker = { tenant: 'northwind', user: '6031', customerId: LENA };
    expect((await ask('{ contacts(first: 1) { nodes { id } } }', {}, lena)).codes).toEqual(['FORBIDDEN']);
  });

  test('paging by name shows every contact once; a made-up cursor or page is refused', async () => {
    await Promise.all(
      Array.from({ length: 9 }, (_, i) =>
        people
          .keepPrimaryContact(ingrid, {
            customerId: randomUUID(),
            kind: 'PERSON',
            personal: { name: i % 2 ? 'Twin' : `Single ${i}` },
          })
          .catch(() => null),
      ),
    );
    type Page = { nodes: { id: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
    const page = async (first: number, after: string | null) =>
      (
        await ask(
          'query($first: Int!, $after: String) { contacts(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
          { first, after },
        )
      ).data.contacts as Page;
    const met: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { nodes, pageInfo } = await page(3, after);
      met.push(...nodes.map(({ id }) => id));
      [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
    }
    expect(met).toEqual((await page(100, null)).nodes.map(({ id }) => id));
    expect(new Set(met).size).toBe(met.length);
    for (const args of ['first: 101', 'after: "WyJ4IiwieSJd"', 'filter: { text: "x" }'])
      expect((await ask(`{ contacts(${args}) { nodes { id } } }`)).codes).toEqual(['BAD_USER_INPUT']);
  });

  test('the contacts of many customers are one statement', async () => {
    const query =
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Customer { contacts { displayName points { value } links { role } } } } }';
    const representations = (n: number) =>
      Array.from({ length: n }, (_, i) => ({ __typename: 'Customer', id: [LENA, ADLER][i] ?? randomUUID() }));
    const few = await world.statementsOf('crm', () => ask(query, { r: representations(1) }));
    const many = await world.statementsOf('crm', () => ask(query, { r: representations(50) }));
    expect(few.length).toBeGreaterThan(0);
    expect(many.length).toBe(few.length);
  });

  test('a stream begins with the customer’s contacts, tells each change, and goes on from a cursor without loss', async () => {
    const customerId = randomUUID();
    await people.keepPrimaryContact(ingrid, { customerId, kind: 'PERSON', personal: { name: 'First' } });
    const second = await create('Second');
    await link(second, 'BILLING', customerId);
    const stream = contactChanges(ingrid, customerId, null);
    const kinds = async (n: number, from = stream) => {
      const changes = [];
      for (let i = 0; i < n; i++) changes.push((await from.next()).value);
      return changes;
    };
    const snapshot = await kinds(2);
    expect(snapshot.map(({ kind }) => kind)).toEqual(['SNAPSHOT', 'SNAPSHOT']);
    await link(second, 'PRIMARY', customerId);
    expect((await kinds(2)).map(({ kind, contactId }) => [kind, contactId === second.id])).toEqual([
      ['UNLINKED', false],
      ['LINKED', true],
    ]);
    await stream.return(undefined);
    await people.updateContact(ingrid, { contactId: second.id, expectedVersion: 1, displayName: 'Third' });
    const again = contactChanges(ingrid, customerId, snapshot[1].cursor);
    expect((await kinds(3, again)).map(({ kind }) => kind)).toEqual(['UNLINKED', 'LINKED', 'CHANGED']);
    await again.return(undefined);
    const lost = contactChanges(ingrid, customerId, snapshot[0].cursor); // the stream broke amid its snapshot
    expect((await kinds(1, lost))[0]).toMatchObject({ kind: 'SNAPSHOT' });
    await lost.return(undefined);
    const all = contactChanges(ingrid, null, null);
    expect((await kinds(1, all))[0]).toMatchObject({ kind: 'SNAPSHOT', contactId: null });
    await all.return(undefined);
  });

  test('what is about a person is in no event but its personal part, and not in the audit log', async () => {
    const { id } = await create('CANARY-PERSON', {
      points: [{ type: 'EMAIL', value: 'canary-person@example.com', label: 'CANARY-PERSON' }],
    });
    const [told] = await rows(
      'northwind',
      "select payload::text, personal from kernel.event where payload ->> 'contactId' = ?",
      [id],
    );
    expect(told).toMatchObject({ personal: { subject: id, emails: ['canary-person@example.com'] } });
    expect(told?.payload.toUpperCase()).not.toContain('CANARY');
    const audited = await rows(
      'northwind',
      "select after::text from kernel.audit_entry where row_id = ? or after ->> 'contact_id' = ?",
      [id, id],
    );
    expect(audited.length).toBe(2);
    expect(JSON.stringify(audited).toUpperCase()).not.toContain('CANARY');
  });
});
