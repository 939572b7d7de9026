import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { roleUrl } from '../../../subgraphs/_kernel/db.ts';
import { configAt } from '../../../subgraphs/_kernel/homes.ts';
import { enterTenant, until } from '../../kernel/by-hand.ts';
import type { Person } from '../../setup/gateway.ts';
import { INGRID } from '../../setup/world.ts';
import { type Asked, type MoveWorld, openMoveWorld, tenantId } from './move-world.ts';

const OPEN = `mutation($input: OpenTicketInput!) { openTicket(input: $input) { ticket { id number } userErrors { code } } }`;
const CUSTOMER = `mutation($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code } } }`;
const NORTHWIND = tenantId('northwind');

/** A connection as a service has it, past everything our code does. */
async function asService<T>(world: MoveWorld, home: string, role: string, run: (client: pg.Client) => Promise<T>) {
  const client = new pg.Client({ connectionString: roleUrl(configAt(world.world.config, home), role) });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
const codeOf = (refused: Promise<unknown>) =>
  refused.then(
    () => 'none',
    ({ code }: { code?: string }) => code,
  );

describe('A tenant with a database of its own', () => {
  let world: MoveWorld;
  let ingrid: Person;
  let home: string;
  let keyBefore: ReturnType<typeof randomUUID>;
  let ticketBefore: { id: string; number: string };
  const open = async (subject: string, idempotencyKey = randomUUID()) => {
    const input = { subject, bodyText: 'Slow.', requester: { name: 'Lena' }, idempotencyKey };
    const { data, errors } = await ingrid.ask<Asked, object>(OPEN, { input });
    if (!data?.openTicket?.ticket) throw new Error(JSON.stringify(errors ?? data));
    return data.openTicket.ticket as { id: string; number: string };
  };

  beforeAll(async () => {
    world = await openMoveWorld();
    ingrid = await world.client.signIn('ingrid@northwind.example', world.password);
    keyBefore = randomUUID();
    ticketBefore = await open('Before', keyBefore);
    expect(await world.move('northwind', 'DEDICATED')).toMatchObject({ state: 'DONE', error: null });
    home = await world.homeOf('northwind');
  }, 120_000);
  afterAll(() => world?.close());

  test('a key that was used before the move stands for the same thing after it, and numbers go on', async () => {
    expect(await open('Before', keyBefore)).toEqual(ticketBefore);
    const next = await open('After');
    expect(Number(next.number.slice(2))).toBe(Number(ticketBefore.number.slice(2)) + 1);
  });

  test('its former home refuses to be entered, and a write that does not enter, too', async () => {
    await asService(world, '', 'svc_tickets', async (client) => {
      const late = async (statements: () => Promise<unknown>) => {
        await client.query('begin');
        const code = await codeOf(statements());
        await client.query('rollback');
        return code;
      };
      expect(await late(() => enterTenant(client, NORTHWIND))).toBe('TN002');
      const write = async () => {
        await client.query("select set_config('app.tenant_id', $1, true)", [NORTHWIND]);
        await client.query('update tickets.ticket set subject = subject where id = $1', [ticketBefore.id]);
      };
      expect(await late(write)).toBe('TN002');
      expect(await late(() => enterTenant(client, tenantId('kestrel')))).toBe('none');
    });
    const [row] = await world.sqlAt('', 'select state from kernel.residence where tenant_id = $1', [NORTHWIND]);
    expect(row.state).toBe('MOVED');
  });

  test('a tenant that does not live there is refused at the dedicated home: a wrong route writes nothing', async () => {
    await asService(world, home, 'svc_tickets', async (client) => {
      await client.query('begin');
      expect(await codeOf(enterTenant(client, tenantId('kestrel')))).toBe('TN002');
      await client.query('rollback');
      await client.query('begin');
      expect((await enterTenant(client, NORTHWIND)).rowCount).toBe(1);
      await client.query('rollback');
    });
  });

  test('a subgraph that still knows the former place is refused there and goes on at the new one, once', async () => {
    const machinery = world.world.subgraph('tickets').machinery;
    for (const write of [false, true]) {
      // biome-ignore lint/suspicious/noExplicitAny: sets what a process would have held since before the move
      (machinery.homes as any).places.set(NORTHWIND, { home: '', version: 1 });
      const ctx = await world.world.context(INGRID, 'tickets');
      const count = 'select count(*)::int as n, current_database() as db from tickets.ticket';
      const [row] = write ? await ctx.tx((em) => em.execute(count)) : await (await ctx.em()).execute(count);
      expect(row?.db).toBe(new URL(configAt(world.world.config, home).DATABASE_URL as string).pathname.slice(1));
      await ctx.end();
    }
  });

  test('what a domain hears of another happens there, once per event, and nothing of it at the former home', async () => {
    const contacts = (at: string) =>
      world.sqlAt(at, `select 1 from crm.contact_link where tenant_id = $1`, [NORTHWIND]).then(({ length }) => length);
    const [here, there] = [await contacts(''), await contacts(home)];
    const { data } = await ingrid.ask<Asked, object>(CUSTOMER, {
      input: { name: 'Anna Home', kind: 'PERSON', email: 'anna@home.example' },
    });
    const { id } = data.createCustomer.customer;
    await until('the contact of the new customer', async () => (await contacts(home)) === there + 1);
    const links = await world.sqlAt(home, 'select role from crm.contact_link where customer_id = $1', [id]);
    expect(links).toEqual([{ role: 'PRIMARY' }]);
    expect(await contacts('')).toBe(here);
  });

  test('what the control plane tells is heard there: a closed day has its devices counted', async () => {
    const tenancy = await world.world.system('northwind', 'licensing');
    const { emit } = await import('../../../subgraphs/_kernel/events.ts');
    const event = await tenancy.tx(async (em) => emit(em, 'licensing.usage.day_closed', { date: '2027-03-16' }));
    const receipts = (at: string) =>
      world.sqlAt(at, "select 1 from kernel.reaction_receipt where task = 'network.recountDevices' and event_id = $1", [
        event,
      ]);
    await until('the recount', async () => (await receipts(home)).length === 1);
    expect(await receipts('')).toEqual([]);
  });

  test('what it uses is counted there and known at the control plane', async () => {
    const used = async (at: string) =>
      Number(
        (
          await world.sqlAt(at, "select used from kernel.quota where tenant_id = $1 and key = 'tickets'", [NORTHWIND])
        )[0].used,
      );
    const before = await used(home);
    await open('Counted');
    expect(await used(home)).toBe(before + 1);
    await until('the use at the control plane', async () => (await used('')) === before + 1);
    const { data } = await ingrid.ask<Asked, object>('{ quotaUsage(keys: ["tickets"]) { used } }');
    expect(data.quotaUsage[0].used).toBe(String(before + 1));
  });

  test('a licence that changes is known there in time: limits that are on their way are waited for', async () => {
    const override = `mutation($input: SetOverrideInput!) { setOverride(input: $input) { license { version } userErrors { code } } }`;
    const set = async (limit: string) => {
      const input = { tenantId: NORTHWIND, key: 'tickets', limit, reason: 'Trial.' };
      const { data, errors } = await world.ngozi.ask<Asked, object>(override, { input });
      expect(errors ?? data.setOverride.userErrors).toEqual([]);
    };
    for (const limit of ['5000', '6000', '7000']) {
      // What is used up to the former limit leaves nothing until the new one has come.
      await world.sqlAt(home, `update kernel.quota set used = "limit", plain_until = 0 where key = 'tickets'`, []);
      await set(limit);
      await open(`Under ${limit}`);
    }
  });

  test('limits that do not come within half a second are OVERLOADED, and nothing is written', async () => {
    const ctx = await world.world.context(INGRID, 'tickets');
    const { consume } = await import('../../../subgraphs/_kernel/quota.ts');
    const { Context } = await import('../../../subgraphs/_kernel/context.ts');
    const ahead = new Context({ ...ctx.envelope, licenseVersion: ctx.envelope.licenseVersion + 1 }, ctx.machinery);
    const startedAt = performance.now();
    await expect(ahead.tx((em) => consume(ahead, em, 'tickets', 1n, randomUUID()))).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
    expect(performance.now() - startedAt).toBeGreaterThan(450);
    await ahead.end();
  });

  test('a suspension holds there too: the copy of its state has come', async () => {
    const state = async () =>
      (await world.sqlAt(home, 'select state from kernel.tenant_profile where tenant_id = $1', [NORTHWIND]))[0].state;
    const door = (name: string, more = '') =>
      world.ngozi.ask(`mutation { ${name}(input: { tenantId: "${NORTHWIND}"${more} }) { userErrors { code } } }`);
    await door('suspendTenant', ', reason: ABUSE');
    await until('the suspension', async () => (await state()) === 'SUSPENDED');
    await door('reactivateTenant');
    await until('the reactivation', async () => (await state()) === 'ACTIVE');
    // Licensing lifts its hold when it has heard of it.
    await until('tickets are opened again', () =>
      open('Again').then(
        () => true,
        () => false,
      ),
    );
  });

  test('every audit chain is whole, at the former home and at the new one', async () => {
    for (const at of ['', home])
      await asService(world, at, 'svc_tenancy', async (client) => {
        await client.query('begin');
        await client.query("select set_config('app.tenant_id', $1, true)", [NORTHWIND]);
        const { rows } = await client.query(
          'select kernel.audit_break() as broken, count(*)::int as n from kernel.audit_link',
        );
        expect({ at: at === '', ...rows[0], n: rows[0].n > 0 }).toEqual({ at: at === '', broken: null, n: true });
        await client.query('rollback');
      });
  });
});
