import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Context } from '../../../subgraphs/_kernel/context.ts';
import { anonymousEnvelope } from '../../../subgraphs/_kernel/signed-context.ts';
import { withClient } from '../../setup/database.ts';
import { type GatewayClient, openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { envelopeOf, tenantId } from '../trial.ts';
import { acting, decide, end, type Impersonated, outcome, REASON, start } from './support.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
let [ngozi, tomas, ingrid, edda, samira]: Person[] = [];
const idOf = (name: string) => String(envelopeOf(name).caller?.id);
const northwind = tenantId('northwind');

beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
  const signIn = (email: string) => client.signIn(email, running.password, { tenant: email.split(/[@.]/)[1] });
  ngozi = await signIn('ngozi@platform.example');
  tomas = await signIn('tomas@platform.example');
  ingrid = await signIn('ingrid@northwind.example');
  edda = await signIn('edda@northwind.example');
  samira = await signIn('samira@northwind.example');
}, 120_000);
afterAll(() => running?.close());

const as = (person: Person | undefined) => person as Person;
const ME = '{ me { user { displayName } memberships { id } actingFor { impersonationId operatorName mode } } }';
const INVITE = `mutation { updateTenantProfile(input: { name: "Northwind" }) { userErrors { code } } }`;
const mira = { userId: idOf('Mira Petrov'), tenantId: northwind };

/** Moves an impersonation in time, in the tenant it happens in. */
const move = (id: string, by: string) =>
  withClient(running.world.databaseUrl, async (db) => {
    await db.query("select set_config('app.tenant_id', $1, false)", [northwind]);
    await db.query(
      `update identity.impersonation set started_at = started_at - $2::interval, ends_at = ends_at - $2::interval
        where id = $1`,
      [id, by],
    );
    await db.query(
      "insert into kernel.feed (name, seq, subject, committed_at) select 'grants', seq + 1, 'session:' || $1, now() from kernel.feed_head where name = 'grants'",
      [id],
    );
    await db.query("update kernel.feed_head set seq = seq + 1 where name = 'grants'");
  });

describe('Support that sees an ISP as one of its people does', () => {
  let live: Impersonated;

  test('needs a reason, a ticket and somebody who is a member there; nobody of the platform can be seen through', async () => {
    const asked = async (input: object) => {
      const { userErrors, error } = await start(as(ngozi), { ...mira, ...input });
      return error ?? userErrors[0];
    };
    expect(await asked({ reason: 'Because' })).toMatchObject({ code: 'INVALID', field: 'reason' });
    expect(await asked({ ticket: ' ' })).toMatchObject({ code: 'INVALID', field: 'ticket' });
    expect(await asked({ userId: idOf('Wren Castillo') })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await asked({ userId: '01990000-0000-7000-8000-00000000dead' })).toMatchObject({ code: 'NOT_FOUND' });
    expect(await asked({ userId: idOf('Tomás Rivera'), tenantId: tenantId('platform') })).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await asked({ userId: idOf('Tomás Rivera'), tenantId: null })).toMatchObject({ code: 'FORBIDDEN' });
    expect((await start(as(ingrid), mira)).userErrors).toMatchObject([{ code: 'NOT_FOUND' }]); // staff of the ISP: no subscriber
    expect((await start(as(edda), mira)).error).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('waits for the ISP where its policy asks, and nobody but the ISP approves', async () => {
    const asked = await start(as(ngozi), mira);
    expect(asked).toMatchObject({ impersonation: { state: 'WAITING' }, accessToken: null, userErrors: [] });
    const id = String(asked.impersonation?.id);
    const other = { userId: idOf('Nils Aumann'), tenantId: northwind };
    expect((await start(as(ngozi), other)).userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
    expect(await decide(as(ngozi), 'approve', id)).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
    expect(await decide(as(samira), 'approve', id)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await decide(as(ingrid), 'approve', id)).toMatchObject({ impersonation: { state: 'LIVE' }, userErrors: [] });
    live = await start(as(ngozi), mira);
    expect(live).toMatchObject({ impersonation: { id, state: 'LIVE' }, accessToken: expect.any(String) });
    expect(new Date(String(live.expiresAt)).getTime() - Date.now()).toBeLessThanOrEqual(30 * 60_000);
  });

  test('sees what the person sees and changes nothing; the portal can say who looks', async () => {
    const looking = acting(client, live);
    const { data } = await looking.ask(ME);
    expect(data).toEqual({
      me: {
        user: { displayName: 'Mira Petrov' },
        memberships: [{ id: envelopeOf('Mira Petrov').membershipId }],
        actingFor: { impersonationId: live.impersonation?.id, operatorName: 'Ngozi Adeyemi', mode: 'READ' },
      },
    });
    expect(await outcome(looking, '{ customers(first: 1) { nodes { id } } }')).toBe('OK');
    expect(await outcome(looking, INVITE)).toBe('FORBIDDEN IMPERSONATION_READ_ONLY');
    expect(await outcome(looking, 'mutation { signOut { isDone } }')).toBe('FORBIDDEN IMPERSONATION_READ_ONLY');
    expect(await outcome(looking, '{ mySessions { id } }')).toBe('FORBIDDEN IMPERSONATION');
    expect((await start(looking, mira)).error).toMatchObject({ code: 'FORBIDDEN' }); // not nested
    expect((await as(ingrid).ask('{ me { actingFor { mode } } }')).data).toEqual({ me: { actingFor: null } });
  });

  test('writes nothing even where a door would let it: its transactions are READ ONLY', async () => {
    const { world } = running;
    const envelope = {
      ...envelopeOf('Mira Petrov'),
      actingFor: {
        operator: idOf('Ngozi Adeyemi'),
        impersonation: String(live.impersonation?.id),
        mode: 'READ' as const,
      },
    };
    const ctx = new Context({ ...anonymousEnvelope(), ...envelope }, world.subgraph('identity').machinery);
    await expect(
      ctx.tx((em) => em.execute("update identity.membership set version = version + 1 where kind = 'STAFF'")),
    ).rejects.toThrow('read-only transaction');
    await ctx.end();
  });

  test('is seen in the list, by both names, and ended by the ISP: the stream closes and the token is refused', async () => {
    const { data } = await as(edda).ask(`{ impersonations(first: 1) { nodes {
      operatorId operatorName user { displayName } approvedBy { displayName } mode reason ticket state } } }`);
    expect(data).toEqual({
      impersonations: {
        nodes: [
          {
            ...{
              operatorId: idOf('Ngozi Adeyemi'),
              operatorName: 'Ngozi Adeyemi',
              user: { displayName: 'Mira Petrov' },
            },
            ...{ approvedBy: { displayName: 'Ingrid Solberg' }, mode: 'READ', state: 'LIVE', ...REASON },
          },
        ],
      },
    });
    const looking = acting(client, live);
    const stream = looking.follow('subscription { licenseUpdated { version } }');
    await stream.next();
    const id = String(live.impersonation?.id);
    expect(await end(as(tomas), id)).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
    const began = Date.now();
    expect(await end(as(ingrid), id)).toMatchObject({ isDone: true });
    expect(await outcome(looking, ME)).toBe('UNAUTHENTICATED REVOKED');
    await stream.done;
    expect(Date.now() - began).toBeLessThan(1_000);
    expect(await end(as(ingrid), id)).toMatchObject({ userErrors: [{ code: 'INVALID_STATE' }] });
    expect((await start(as(ngozi), mira)).impersonation?.state).toBe('WAITING');
  });

  test('may be kept out for one time', async () => {
    const { impersonation } = await start(as(ngozi), mira);
    expect(await decide(as(ingrid), 'refuse', String(impersonation?.id))).toMatchObject({
      impersonation: { state: 'REFUSED' },
    });
    expect(await decide(as(ingrid), 'approve', String(impersonation?.id))).toMatchObject({
      userErrors: [{ code: 'INVALID_STATE' }],
    });
  });

  test('may do what the person may where that was approved, but nothing that is theirs alone; both stand in what it leaves', async () => {
    const asked = await start(as(ngozi), { ...mira, userId: idOf('Ingrid Solberg'), mode: 'ACT' });
    await decide(as(ingrid), 'approve', String(asked.impersonation?.id));
    const doing = acting(client, await start(as(ngozi), { ...mira, userId: idOf('Ingrid Solberg'), mode: 'ACT' }));
    for (const door of [
      'mutation { endOtherSessions { isDone } }',
      `mutation { revokeApiKey(input: { id: "${mira.userId}" }) { userErrors { code } } }`,
      'mutation { removeTotp { isDone } }',
      `mutation { endMember(input: { membershipId: "${mira.userId}", expectedVersion: 1 }) { userErrors { code } } }`,
      'mutation { setAutoRenew(input: { autoRenew: false }) { userErrors { code } } }',
      `mutation { approveImpersonation(input: { id: "${mira.userId}" }) { userErrors { code } } }`,
    ])
      expect([door, await outcome(doing, door)]).toEqual([door, 'FORBIDDEN IMPERSONATION']);
    const { data } = await doing.ask<{ createContact: { contact: { id: string } } }, object>(
      'mutation { createContact(input: { displayName: "Ottilie Brandt" }) { contact { id } userErrors { code message } } }',
    );
    const left = await running.world.sql(
      `select actor, acting_for from kernel.audit_entry where row_id = $1
        union select actor, acting_for from kernel.event where payload ->> 'contactId' = $1`,
      [data?.createContact.contact.id],
    );
    expect(left).toEqual([{ actor: idOf('Ingrid Solberg'), acting_for: idOf('Ngozi Adeyemi') }]);
    expect(await end(as(ngozi), String(asked.impersonation?.id))).toMatchObject({ isDone: true });
  });

  test('is over after half an hour', async () => {
    const asked = await start(as(ngozi), mira);
    await decide(as(ingrid), 'approve', String(asked.impersonation?.id));
    const looking = acting(client, await start(as(ngozi), mira));
    expect(await outcome(looking, ME)).toBe('OK');
    await move(String(asked.impersonation?.id), '31 minutes');
    await running.gateway.graph.parts.auth.refresh();
    expect(await outcome(looking, ME)).toBe('UNAUTHENTICATED REVOKED');
    expect((await start(as(ngozi), mira)).impersonation).toMatchObject({ state: 'WAITING' }); // the one before is settled
  });

  test('lapses when nobody approves it for a day', async () => {
    const { impersonation } = await start(as(ngozi), mira);
    await move(String(impersonation?.id), '24 hours 1 minute');
    expect(await decide(as(ingrid), 'approve', String(impersonation?.id))).toMatchObject({
      userErrors: [{ code: 'INVALID_STATE' }],
    });
    const again = await start(as(ngozi), mira);
    expect(again.impersonation?.id).not.toBe(impersonation?.id);
    const [row] = await running.world.sql('select state, end_reason from identity.impersonation where id = $1', [
      impersonation?.id,
    ]);
    expect(row).toEqual({ state: 'LAPSED', end_reason: 'LAPSED' });
    await end(as(ngozi), String(again.impersonation?.id));
  });

  test('ends with the session of whoever acts', async () => {
    const own = await client.signIn('ngozi@platform.example', running.password);
    const asked = await start(own, mira);
    await decide(as(ingrid), 'approve', String(asked.impersonation?.id));
    const looking = acting(client, await start(own, mira));
    expect(await outcome(looking, ME)).toBe('OK');
    await own.ask('mutation { signOut { isDone } }');
    expect(await outcome(looking, ME)).toBe('UNAUTHENTICATED REVOKED');
    await running.world.untilNoJobs();
    const [row] = await running.world.sql('select state, end_reason from identity.impersonation where id = $1', [
      asked.impersonation?.id,
    ]);
    expect(row).toEqual({ state: 'ENDED', end_reason: 'OPERATOR_GONE' });
  });

  test('begins at once where the ISP says so, to look only; and never where it says that', async () => {
    const say = async (supportAccess: string) => {
      const { data } = await as(ingrid).ask<{ signInPolicy: { version: number } }, object>(
        '{ signInPolicy { version } }',
      );
      const input = { expectedVersion: data?.signInPolicy.version, supportAccess };
      await as(ingrid).ask<object, object>(
        'mutation($input: SignInPolicyInput!) { updateSignInPolicy(input: $input) { userErrors { code } } }',
        { input },
      );
    };
    await say('ALWAYS');
    const read = await start(as(ngozi), mira);
    expect(read).toMatchObject({ impersonation: { state: 'LIVE' }, accessToken: expect.any(String) });
    await end(as(ngozi), String(read.impersonation?.id));
    const act = await start(as(ngozi), { ...mira, mode: 'ACT' });
    expect(act.impersonation?.state).toBe('WAITING');
    await end(as(ngozi), String(act.impersonation?.id));
    await say('NEVER');
    expect((await start(as(ngozi), mira)).error).toMatchObject({ code: 'FORBIDDEN' });
    await say('ASK');
  });
});

describe("An ISP's own support", () => {
  test("sees a subscriber's portal as they see it, to look only, and no colleague", async () => {
    const lena = { userId: idOf('Lena Spaet'), ticket: null };
    expect((await start(as(samira), { ...lena, mode: 'ACT' })).userErrors).toMatchObject([
      { code: 'INVALID', field: 'mode' },
    ]);
    expect((await start(as(samira), { ...lena, userId: idOf('Nils Aumann') })).userErrors).toMatchObject([
      { code: 'NOT_FOUND' },
    ]);
    expect((await start(as(samira), { userId: idOf('Marcus Tran') })).userErrors).toMatchObject([
      { code: 'NOT_FOUND' },
    ]);
    const live = await start(as(samira), lena);
    const looking = acting(client, live);
    const { data } = await looking.ask(
      '{ me { user { displayName } permissions actingFor { operatorName } memberships { customer { id } } } }',
    );
    expect(data).toEqual({
      me: {
        user: { displayName: 'Lena Spaet' },
        permissions: [],
        actingFor: { operatorName: 'Samira Haddad' },
        memberships: [{ customer: { id: envelopeOf('Lena Spaet').customerId } }],
      },
    });
    expect(await outcome(looking, 'mutation { createSocketTicket { ticket } }')).toBe(
      'FORBIDDEN IMPERSONATION_READ_ONLY',
    );
    expect(await outcome(looking, '{ members(first: 1) { nodes { id } } }')).toBe('FORBIDDEN');
    expect(await end(as(samira), String(live.impersonation?.id))).toMatchObject({ isDone: true });
    expect(await outcome(looking, ME)).toBe('UNAUTHENTICATED REVOKED');
  });
});
