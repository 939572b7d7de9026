import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../kernel/by-hand.ts';
import type { Following, Person } from '../../setup/gateway.ts';
import { type Asked, type MoveWorld, openMoveWorld, tenantId } from './move-world.ts';

const CONTACT = `mutation($input: CreateContactInput!) { createContact(input: $input) { contact { id } userErrors { code } } }`;
const FOLLOW = `subscription($after: String) { contactsChanged(after: $after) { cursor kind contact { displayName } } }`;
const NORTHWIND = tenantId('northwind');

interface Told {
  contactsChanged: { cursor: string | null; kind: string; contact: { displayName: string } | null };
}

describe('A tenant moves to a home of its own and back', () => {
  let world: MoveWorld;
  let ingrid: Person;
  let stream: Following<Told>;
  const told: Told['contactsChanged'][] = [];
  let isListening = true;

  beforeAll(async () => {
    world = await openMoveWorld();
    ingrid = await world.client.signIn('ingrid@northwind.example', world.password);
    stream = ingrid.follow<Told, object>(FOLLOW, {});
    void (async () => {
      while (isListening)
        await stream.next().then(
          ({ data }) => data && told.push(data.contactsChanged),
          () => undefined,
        );
    })();
    await until('the stream', () => told.length > 0);
  }, 60_000);
  afterAll(async () => {
    isListening = false;
    await stream?.stop();
    await world?.close();
  });

  /** Creates a contact, again until the tenant may be written. */
  const create = async (displayName: string) => {
    for (;;) {
      const { data, errors } = await ingrid.ask<Asked, object>(CONTACT, { input: { displayName, points: [] } });
      if (data?.createContact?.contact) return data.createContact.contact.id as string;
      if (!['FORBIDDEN', 'OVERLOADED'].includes(String(errors?.[0]?.extensions.code)))
        throw new Error(JSON.stringify(errors ?? data));
      await sleep(20);
    }
  };
  /** Creates contacts without a pause while something runs. */
  const createDuring = async (name: string, run: () => Promise<unknown>) => {
    let isOver = false;
    const names: string[] = [];
    const writing = (async () => {
      for (let i = 0; !isOver; i += 1) {
        await create(`${name} ${i}`);
        names.push(`${name} ${i}`);
      }
    })();
    await run();
    isOver = true;
    await writing;
    return names;
  };
  const heardOf = (name: string) =>
    told.flatMap(({ contact }) => (contact?.displayName.startsWith(name) ? [contact.displayName] : []));

  test('who follows it is told of each change once and in order while it goes', async () => {
    const names = await createDuring('Going', async () => {
      expect(await world.move('northwind', 'DEDICATED')).toMatchObject({ state: 'DONE', error: null });
      await sleep(300);
    });
    expect(names.length).toBeGreaterThan(5);
    await until('the last change', () => heardOf('Going').length >= names.length);
    await sleep(200);
    expect(heardOf('Going')).toEqual(names);
  }, 90_000);

  test('whoever left before the move and comes back after it with a cursor misses nothing', async () => {
    const { cursor } = told.findLast((one) => one.cursor) as { cursor: string };
    await create('While away');
    const again = ingrid.follow<Told, object>(FOLLOW, { after: cursor });
    expect((await again.next()).data?.contactsChanged.contact?.displayName).toBe('While away');
    await again.stop();
  });

  test('it comes back with everything; its log goes on, its audit chain is whole, and it can go again', async () => {
    const first = await world.homeOf('northwind');
    const cursor = told.findLast((one) => one.cursor)?.cursor as string;
    const names = await createDuring('Coming', async () => {
      expect(await world.move('northwind', 'SHARED')).toMatchObject({
        state: 'DONE',
        error: null,
        isolation: 'SHARED',
      });
      await sleep(300);
    });
    const rows = await world.sqlAt(
      '',
      "select display_name from crm.contact where tenant_id = $1 and display_name ~ '^(Going|Coming|While)'",
      [NORTHWIND],
    );
    const known = [...heardOf('Going'), ...names, 'While away'];
    expect(rows.map((row) => row.display_name).sort()).toEqual(known.sort());

    const events = async (home: string) =>
      world.sqlAt(home, 'select id, seq::int as seq from kernel.event where tenant_id = $1 order by seq', [NORTHWIND]);
    const [here, there] = [await events(''), await events(first)];
    expect(here.map(({ seq }) => seq)).toEqual(here.map((_, i) => i + 1));
    const ids = here.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(there.filter(({ id }) => !ids.includes(id))).toEqual([]);
    const inOrder = there.map(({ id }) => ids.indexOf(id));
    expect([...inOrder].sort((a, b) => a - b)).toEqual(inOrder);

    const [{ broken }] = await world.sqlAt(
      '',
      `select kernel.audit_break() as broken from set_config('app.tenant_id', $1, false)`,
      [NORTHWIND],
    );
    expect(broken).toBeNull();
    const missing = await world.sqlAt(first, 'select id from kernel.audit_entry where tenant_id = $1', [NORTHWIND]);
    const chained = await world.sqlAt('', 'select entry_id from kernel.audit_link where tenant_id = $1', [NORTHWIND]);
    const links = new Set(chained.map((row) => row.entry_id));
    expect(missing.filter(({ id }) => !links.has(id))).toEqual([]);

    // A stream begins anew where the places of the log are others, and goes on from there.
    const before = told.length;
    await create('Home again');
    await until('the stream at home', () => heardOf('Home again').length > 0);
    expect(told.slice(before).filter(({ contact }) => contact?.displayName === 'Home again')).toHaveLength(1);
    const late = ingrid.follow<Told, object>(FOLLOW, { after: cursor });
    expect((await late.next()).data?.contactsChanged.kind).toBe('SNAPSHOT');
    await late.stop();

    expect(await world.move('northwind', 'DEDICATED', 'eu')).toMatchObject({ state: 'DONE', error: null });
    const second = await world.homeOf('northwind');
    expect(second).not.toBe(first);
    await create('Away again');
    expect(
      await world.sqlAt(second, "select display_name from crm.contact where display_name = 'Away again'"),
    ).toHaveLength(1);
  }, 120_000);

  test('what former homes keep is deleted after seven days, and not before', async () => {
    const { clearFormerHomes } = await import('../../../subgraphs/tenancy/placement/former-home.service.ts');
    const clear = async () => clearFormerHomes(await world.world.system('platform', 'tenancy'));
    const left = async () =>
      Number((await world.sqlAt('', 'select count(*) as n from crm.contact where tenant_id = $1', [NORTHWIND]))[0].n);
    const homes = () =>
      world.world.sql(`select name from tenancy.data_home where name <> '' order by name`).then((rows) => rows.length);
    await clear();
    expect(await left()).toBeGreaterThan(0);
    expect(await homes()).toBe(2);
    await world.world.sql(
      `begin; select set_config('app.tenant_id', '${NORTHWIND}', true);
       update tenancy.move_run set fenced_until = now() where fenced_until is not null; commit`,
    );
    await clear();
    expect(await left()).toBe(0);
    expect(await homes()).toBe(1);
    await create('Still here');
  });
});
