import { once } from 'node:events';
import WebSocket from 'ws';
import type { Context } from '../../../subgraphs/_kernel/context.ts';
import type { EntityManager } from '../../../subgraphs/_kernel/db.ts';
import { emit } from '../../../subgraphs/_kernel/events.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';

const NORTHWIND = '01990000-0000-7000-8000-000000000a02';
const PLATFORM = '01990000-0000-7000-8000-000000000001';
const OLDTOWN = '01990000-0000-7000-8000-000000000a06';
const MIRA_AS_CUSTOMER = '01990000-0000-7000-8000-0000000060f3';
const SUSPENDED = { code: 'FORBIDDEN', reason: 'TENANT_SUSPENDED' };

describe('A suspended tenant', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ngozi: Person;
  /** The administrator, the billing manager and a support agent of Northwind. */
  let ingrid: Person;
  let mira: Person;
  let samira: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    const signIn = (email: string) => running.client.signIn(email, running.password);
    ngozi = await signIn('ngozi@platform.example');
    ingrid = await signIn('ingrid@northwind.example');
    mira = await signIn('mira@northwind.example');
    samira = await signIn('samira@northwind.example');
  }, 60_000);
  afterAll(() => running?.close());

  const suspend = async (input: object = {}) => {
    const { data, errors } = await ngozi.ask<Record<'suspendTenant', Answered>, object>(
      `mutation($input: SuspendTenantInput!) { suspendTenant(input: $input) {
        tenant { state accessMode suspension { reason note since cutService continuityUntil } } userErrors { code message field } } }`,
      { input: { tenantId: NORTHWIND, reason: 'NON_PAYMENT', ...input } },
    );
    if (!data) throw new Error(JSON.stringify(errors));
    return data.suspendTenant;
  };
  const reactivate = async (tenantId = NORTHWIND) => {
    const { data } = await ngozi.ask<Record<'reactivateTenant', Answered>, object>(
      'mutation($id: ID!) { reactivateTenant(input: { tenantId: $id }) { tenant { state suspension { reason } } userErrors { code message field } } }',
      { id: tenantId },
    );
    return data?.reactivateTenant;
  };
  interface Answered {
    tenant: Record<string, unknown> | null;
    userErrors: { code: string; message: string; field: string | null }[];
  }
  afterEach(async () => {
    await reactivate();
    await running.world.untilNoJobs();
  });

  /** A socket of somebody that follows a subscription: how and when it was closed. */
  const openSocket = async (token: string, query: string) => {
    const socket = new WebSocket(running.client.url.replace('http', 'ws'), 'graphql-transport-ws');
    const messages: { type: string; payload?: unknown }[] = [];
    socket.on('message', (data) => messages.push(JSON.parse(String(data))));
    await once(socket, 'open');
    const closed = once(socket, 'close').then(([code]) => ({ code: Number(code), at: Date.now() }));
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    await Promise.race([once(socket, 'message'), closed]);
    if (socket.readyState === socket.OPEN)
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
    return { socket, closed, messages };
  };

  test('is suspended for a reason, on terms that its register shows', async () => {
    const before = Date.now();
    const { tenant, userErrors } = await suspend({ reason: 'SECURITY', note: 'Stolen keys', cutService: true });
    expect(userErrors).toEqual([]);
    expect(tenant).toMatchObject({
      state: 'SUSPENDED',
      accessMode: 'BLOCKED',
      suspension: { reason: 'SECURITY', note: 'Stolen keys', cutService: true, continuityUntil: null },
    });
    const [event] = await running.world.sql(
      "select payload from kernel.event where name = 'tenancy.tenant.suspended' and tenant_id = $1 order by seq desc limit 1",
      [NORTHWIND],
    );
    expect(event.payload).toEqual({ reason: 'SECURITY', cutService: true, continuityUntil: null });
    await reactivate();
    const again = await suspend({ continuityDays: 10 });
    const until = new Date(String((again.tenant?.suspension as Record<string, string>).continuityUntil)).getTime();
    expect(Math.round((until - before) / 86_400_000)).toBe(10);
  });

  test.each([
    ['without a reason', { reason: null }, 'INVALID', 'reason'],
    ['with service cut for money', { cutService: true }, 'INVALID', 'cutService'],
    ['for 91 days of service', { continuityDays: 91 }, 'INVALID', 'continuityDays'],
    ['when it is the platform', { tenantId: PLATFORM }, 'INVALID_STATE', 'tenantId'],
    ['when there is no such tenant', { tenantId: '01990000-0000-7000-8000-00000000dead' }, 'NOT_FOUND', 'tenantId'],
  ])('is not suspended %s', async (_what, input, code, field) => {
    expect((await suspend(input)).userErrors).toEqual([{ code, message: expect.stringMatching(/\.$/), field }]);
  });

  test('is not suspended twice, nor reactivated when it is active', async () => {
    expect((await suspend()).userErrors).toEqual([]);
    expect((await suspend()).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
    expect((await reactivate())?.userErrors).toEqual([]);
    expect((await reactivate())?.userErrors).toMatchObject([
      { code: 'INVALID_STATE', message: 'This tenant is not suspended.' },
    ]);
  });

  test('leaves those who can pay its register, its licence and its export, and nothing else', async () => {
    await suspend();
    const paths = async (person: Person, query: string) => {
      const { data, errors } = await person.ask(query);
      return { data, errors: errors?.map(({ extensions: { code, reason } }) => ({ code, reason })) };
    };
    for (const person of [ingrid, mira]) {
      expect(await paths(person, '{ tenant { slug state suspension { reason } } }')).toEqual({
        data: { tenant: { slug: 'northwind', state: 'SUSPENDED', suspension: { reason: 'NON_PAYMENT' } } },
        errors: undefined,
      });
      const license = await paths(person, '{ license { state planVersion { number } } }');
      expect(license.errors).toBeUndefined();
      expect(license.data).toMatchObject({ license: { state: expect.any(String) } });
      for (const query of [
        '{ customers(first: 1) { nodes { id } } }',
        '{ devices(first: 1) { nodes { id } } }',
        '{ contacts(first: 1) { nodes { id } } }',
        '{ tickets(first: 1) { nodes { id } } }',
        'mutation { updateTenantProfile(input: { name: "Another" }) { tenant { id } } }',
      ])
        expect((await paths(person, query)).errors).toEqual([expect.objectContaining(SUSPENDED)]);
    }
    const asked = await paths(
      ingrid,
      'mutation { requestDataExport(input: {}) { dataExport { state } userErrors { code } } }',
    );
    expect(asked).toEqual({
      data: { requestDataExport: { dataExport: { state: 'REQUESTED' }, userErrors: [] } },
      errors: undefined,
    });
    for (const query of ['{ tenant { id } }', '{ license { state } }', '{ tickets(first: 1) { nodes { id } } }'])
      expect((await paths(samira, query)).errors).toEqual([expect.objectContaining(SUSPENDED)]);
    expect((await paths(samira, '{ me { user { id } } }')).errors).toBeUndefined(); // nobody loses themselves
  });

  test('lets Mira pay: the bill of the platform is read with a token for the platform, which stays open', async () => {
    // She is also a customer's person in the platform, as a provisioned tenant's first administrator is.
    await running.world.sql(`select set_config('app.tenant_id', '${PLATFORM}', false);
      insert into identity.user (id, realm, email, is_email_verified, display_name, locale, state)
        values ('${MIRA_AS_CUSTOMER}', '${PLATFORM}', 'mira@northwind.example', true, 'Mira Petrov', 'de', 'ACTIVE');
      insert into identity.credential (user_id, hash) select '${MIRA_AS_CUSTOMER}', c.hash from identity.credential c
        join identity.user u on u.id = c.user_id where u.realm = 'STAFF' and u.email = 'mira@northwind.example';
      insert into identity.membership (id, user_id, kind, roles, customer_id, state)
        select '${MIRA_AS_CUSTOMER}', '${MIRA_AS_CUSTOMER}', 'PORTAL', '{customer}', id, 'ACTIVE'
          from billing.customer where tenant_id = '${PLATFORM}' and licensed_tenant_id = '${NORTHWIND}'`);
    await suspend();
    const atPlatform = await running.client.signIn('mira@northwind.example', running.password, { realm: 'platform' });
    const { data, errors } = await atPlatform.ask<
      { myAccount: { licensedTenantId: string; balance: object; invoices: { nodes: { id: string }[] } } },
      object
    >('{ myAccount { licensedTenantId balance { amountMinor } invoices(first: 5) { nodes { id } } } }');
    expect(errors).toBeUndefined();
    expect(data?.myAccount.licensedTenantId).toBe(NORTHWIND);
    expect(data?.myAccount.invoices.nodes).not.toEqual([]);
  });

  test('its open sockets are closed with 4403 within a second, and no new one opens but to those who can pay', async () => {
    const sockets = await Promise.all(
      [ingrid, mira, samira, samira, samira].map(({ token }) =>
        openSocket(token, 'subscription { tenantUpdated { state } }'),
      ),
    );
    const other = await openSocket(ngozi.token, 'subscription { tenantUpdated { state } }');
    const at = Date.now();
    await suspend();
    const closed = await Promise.all(sockets.map((one) => one.closed));
    expect(closed.map(({ code }) => code)).toEqual([4403, 4403, 4403, 4403, 4403]);
    const slowest = Math.max(...closed.map((one) => one.at)) - at;
    console.log(`suspension: the last of ${closed.length} sockets closed after ${slowest} ms`);
    expect(slowest).toBeLessThan(1_000);
    expect(other.socket.readyState).toBe(WebSocket.OPEN);
    other.socket.terminate();
    expect((await (await openSocket(samira.token, 'subscription { tenantUpdated { state } }')).closed).code).toBe(4403);
    const again = await openSocket(mira.token, 'subscription { tenantUpdated { state } }');
    for (let i = 0; i < 40 && !again.messages.some(({ type }) => type === 'next'); i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(again.messages.find(({ type }) => type === 'next')?.payload).toEqual({
      data: { tenantUpdated: { state: 'SUSPENDED' } },
    });
    expect(again.socket.readyState).toBe(WebSocket.OPEN);
    again.socket.terminate();
  });

  test('is refused at once, and once it is reactivated the same tokens work', async () => {
    const ask = () => samira.ask('{ tickets(first: 1) { nodes { id } } }');
    expect((await ask()).errors).toBeUndefined();
    await suspend();
    expect((await ask()).errors?.[0]?.extensions).toMatchObject(SUSPENDED);
    await running.world.untilNoJobs();
    expect((await reactivate())?.tenant).toEqual({ state: 'ACTIVE', suspension: null });
    await running.world.untilNoJobs();
    expect((await ask()).errors).toBeUndefined();
  });

  describe('for a lapsed licence', () => {
    let ctx: Context;
    beforeAll(async () => {
      ctx = await running.world.system('oldtown', 'licensing');
    });
    afterAll(() => ctx.end());

    const stateOf = async () =>
      (
        await running.world.sql('select state, suspension_reason as reason from tenancy.tenant where id = $1', [
          OLDTOWN,
        ])
      )[0];
    const LAPSED = { state: 'SUSPENDED', reason: 'LICENSE_LAPSED' };
    const OPEN = { state: 'ACTIVE', reason: null };

    const lapse = (em: EntityManager) => emit(em, 'licensing.license.lapsed', { since: new Date().toISOString() });
    const change = (em: EntityManager, stateWithoutHolds: string) =>
      emit(em, 'licensing.license.changed', {
        ...{
          version: 9,
          previousVersion: 8,
          changedKeys: [],
          endedFeatures: [],
          state: 'SUSPENDED',
          stateWithoutHolds,
        },
        ...{ enabledFeatures: [], limits: {} as never, effectiveAt: new Date().toISOString(), cause: 'TEST' },
      });
    const tell = async (...news: ((em: EntityManager) => void)[]) => {
      await ctx.tx(async (em) => {
        for (const one of news) one(em);
      });
      await running.world.untilNoJobs();
    };

    test('it comes back by itself when the licence is paid again', async () => {
      await tell(lapse);
      expect(await stateOf()).toEqual(LAPSED);
      await tell((em) => change(em, 'EXPIRED'));
      expect(await stateOf()).toEqual(LAPSED);
      await tell((em) => change(em, 'ACTIVE'));
      expect(await stateOf()).toEqual(OPEN);
    });

    test('nobody is suspended who has paid before that was carried out', async () => {
      await tell(lapse, (em) => change(em, 'ACTIVE'));
      expect(await stateOf()).toEqual(OPEN);
      const [{ count }] = await running.world.sql(
        `select count(*)::int from kernel.event where tenant_id = $1 and name = 'tenancy.tenant.suspended'
           and payload ->> 'reason' = 'LICENSE_LAPSED'`,
        [OLDTOWN],
      );
      expect(count).toBe(1); // that of the test before
    });

    test('nor stays so who paid in the moment in which it was', async () => {
      // The suspension is carried out, and not seen yet by who tells of the payment.
      const tenancy = await running.world.system('oldtown', 'tenancy');
      await tenancy.tx((em) =>
        em.execute(
          `update tenancy.tenant set state = 'SUSPENDED', suspension_reason = 'LICENSE_LAPSED', suspended_at = now() where id = ?`,
          [OLDTOWN],
        ),
      );
      await tenancy.end();
      await tell((em) => change(em, 'ACTIVE'));
      expect(await stateOf()).toEqual(LAPSED);
      await tell((em) =>
        emit(em, 'tenancy.tenant.suspended', { reason: 'LICENSE_LAPSED', cutService: false, continuityUntil: null }),
      );
      expect(await stateOf()).toEqual(OPEN);
    });

    test('news of a licence make a job only while it lasts', async () => {
      const task = 'tenancy.liftLapse';
      const waiting = async () => {
        const [{ count }] = await running.world.sql(
          'select count(*)::int from kernel.reaction_receipt where task = $1 and tenant_id = $2',
          [task, OLDTOWN],
        );
        return count as number;
      };
      const before = await waiting();
      await tell((em) => change(em, 'ACTIVE'));
      expect(await waiting()).toBe(before);
      await tell(lapse);
      await tell((em) => change(em, 'EXPIRED'));
      expect(await waiting()).toBeGreaterThan(before);
      await tell((em) => change(em, 'ACTIVE'));
      expect(await stateOf()).toEqual(OPEN);
    });
  });
});
