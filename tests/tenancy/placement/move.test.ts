import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Person } from '../../setup/gateway.ts';
import { type Asked, type MoveWorld, openMoveWorld, tenantId } from './move-world.ts';

const OPEN = `mutation($input: OpenTicketInput!) { openTicket(input: $input) { ticket { id } userErrors { code } } }`;
const CUSTOMER = `mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code } } }`;
const READ = '{ tickets(first: 5) { nodes { id subject } } customers(first: 5) { nodes { id name } } tenant { slug } }';

/** Writes and reads without a pause until it is stopped, and remembers what was acknowledged. */
function load(person: Person, name: string) {
  let isOver = false;
  const written: string[] = [];
  const customers: string[] = [];
  const refused: string[] = [];
  const badReads: unknown[] = [];
  let reads = 0;
  let longestGapMs = 0;
  let lastAt = performance.now();
  const acknowledge = (list: string[], id: string) => {
    longestGapMs = Math.max(longestGapMs, performance.now() - lastAt);
    lastAt = performance.now();
    list.push(id);
  };
  const write = async (by: number) => {
    for (let i = 0; !isOver; i += 1) {
      const input = {
        subject: `${name} ${by} ${i}`,
        bodyText: 'Slow.',
        requester: { name },
        idempotencyKey: randomUUID(),
      };
      const { data, errors } = await person.ask<Asked, object>(OPEN, { input });
      if (data?.openTicket?.ticket) acknowledge(written, input.subject);
      else {
        refused.push(errors?.[0]?.extensions.code ?? JSON.stringify(data));
        await sleep(20);
      }
    }
  };
  const enroll = async () => {
    for (let i = 0; !isOver; i += 1) {
      const input = { name: `${name} customer ${i}`, kind: 'PERSON' };
      const { data, errors } = await person.ask<Asked, object>(CUSTOMER, { input });
      if (data?.createCustomer?.customer) acknowledge(customers, input.name);
      else {
        refused.push(errors?.[0]?.extensions.code ?? JSON.stringify(data));
        await sleep(20);
      }
    }
  };
  const read = async () => {
    for (; !isOver; await sleep(5)) {
      const { data, errors } = await person.ask<Asked, object>(READ);
      reads += 1;
      if (errors || !data?.tickets?.nodes.length) badReads.push(errors ?? data);
    }
  };
  const all = Promise.all([write(1), write(2), enroll(), read(), read()]);
  return {
    stop: async () => {
      isOver = true;
      await all;
      return { written, customers, refused, badReads, reads, longestGapMs };
    },
  };
}

describe('A tenant moves to a database of its own while it is written', () => {
  let world: MoveWorld;
  let ingrid: Person;
  let wren: Person;
  beforeAll(async () => {
    world = await openMoveWorld();
    ingrid = await world.client.signIn('ingrid@northwind.example', world.password);
    wren = await world.client.signIn('wren@kestrel.example', world.password);
  }, 60_000);
  afterAll(() => world?.close());

  const subjects = (home: string) =>
    world
      .sqlAt(home, 'select subject from tickets.ticket where tenant_id = $1', [tenantId('northwind')])
      .then((rows) => rows.map(({ subject }) => subject as string));
  const placeOf = async (who: Person) =>
    (await who.ask<Asked, object>('{ tenant { accessMode placement { version isolation region } } }')).data?.tenant;

  const sums = async (tenant: string) => {
    const tables = await world.world.sql(
      `select t.tgrelid::regclass::text as name from pg_trigger t where t.tgname = 'follow' order by 1`,
    );
    const parts = [];
    for (const { name } of tables)
      parts.push(
        ...(await world.world.sql(
          `select '${name}' as name, count(*)::int as rows, sum(hashtext(t::text)) as sum from ${name} t where tenant_id = $1`,
          [tenant],
        )),
      );
    return parts;
  };

  test('every acknowledged write is there once, reads never fail, and the others stay where they are', async () => {
    expect(await placeOf(ingrid)).toEqual({
      accessMode: 'NORMAL',
      placement: { version: 1, isolation: 'SHARED', region: 'eu' },
    });
    const others = await sums(tenantId('kestrel'));
    const northwind = load(ingrid, 'Moving');
    await sleep(1_000);
    const move = await world.move('northwind', 'DEDICATED');
    expect(move).toMatchObject({ state: 'DONE', error: null, isolation: 'DEDICATED', region: 'eu' });
    expect(move.pausedMs).toBeLessThan(60_000);
    await sleep(1_000);
    const { written, customers, refused, badReads, reads, longestGapMs } = await northwind.stop();
    console.log(
      `moved ${move.rowsCopied} rows; ${written.length + customers.length} writes acknowledged, ${refused.length} refused, paused ${move.pausedMs} ms, longest time between two acknowledged writes ${Math.round(longestGapMs)} ms, ${reads} reads`,
    );
    expect(badReads).toEqual([]);
    expect(reads).toBeGreaterThan(20);
    expect([...new Set(refused)].filter((code) => !['FORBIDDEN', 'OVERLOADED'].includes(code))).toEqual([]);

    const home = await world.homeOf('northwind');
    const there = (await subjects(home)).filter((subject) => subject.startsWith('Moving'));
    expect(there.sort()).toEqual([...written].sort());
    const names = await world.sqlAt(home, "select name from billing.customer where name like 'Moving%'");
    expect(names.map(({ name }) => name).sort()).toEqual([...customers].sort());
    expect((await subjects('')).filter((subject) => subject.startsWith('Moving')).length).toBeLessThan(written.length);

    expect(await placeOf(ingrid)).toEqual({
      accessMode: 'NORMAL',
      placement: { version: 2, isolation: 'DEDICATED', region: 'eu' },
    });
    expect(await placeOf(wren)).toMatchObject({ placement: { version: 1, isolation: 'SHARED', region: 'us' } });
    expect(await sums(tenantId('kestrel'))).toEqual(others);
    expect(await world.sqlAt(home, 'select distinct tenant_id from tickets.ticket')).toEqual([
      { tenant_id: tenantId('northwind') },
    ]);
  }, 120_000);
});
