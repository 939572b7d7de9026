import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { endWhatIsDue } from '../../../subgraphs/identity/accounts/sweeps.ts';
import { withClient } from '../../setup/database.ts';
import { type GatewayClient, openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { tokenIn } from '../../setup/mails.ts';
import { envelopeOf, tenantId } from '../trial.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
let samira: Person;
let ingrid: Person;
let lena: Person;

const customerOf = (name: string) => String(envelopeOf(name).customerId);
const [NEW, PASSWORD] = ['greta@example.net', 'a garden of seven lamps'];
const greta = { customerId: customerOf('Lena Spaet'), email: NEW, displayName: 'Greta Spaet' };

beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
  await running.world.untilNoJobs();
  samira = await client.signIn('samira@northwind.example', running.password);
  ingrid = await client.signIn('ingrid@northwind.example', running.password);
  lena = await client.signIn('lena@northwind.example', running.password, { realm: 'northwind' });
}, 120_000);
afterAll(() => running?.close());

interface Membership {
  id: string;
  state: string;
  version: number;
  kind: string;
  customer: { id: string } | null;
}
interface Payload {
  membership: Membership | null;
  userErrors: { code: string; field: string | null }[];
}

async function run(who: Person, door: 'givePortalAccess' | 'endPortalAccess', type: string, input: object) {
  const { data, errors } = await who.ask<Record<string, Payload>, object>(
    `mutation($input: ${type}!) { ${door}(input: $input) {
      membership { id state version kind customer { id } } userErrors { code field } } }`,
    { input },
  );
  return { ...(data?.[door] ?? { membership: null, userErrors: [] }), error: errors?.[0]?.extensions };
}
const give = (who: Person, input: object = {}) =>
  run(who, 'givePortalAccess', 'PortalAccessInput', { ...greta, ...input });
const end = (who: Person, { id, version }: Membership) =>
  run(who, 'endPortalAccess', 'MemberInput', { membershipId: id, expectedVersion: version });

const accountsOf = async (who: Person, customerId: string) => {
  const { data } = await who.ask<{ customer: { portalAccounts: { state: string; user: object }[] } | null }, object>(
    'query($id: ID!) { customer(id: $id) { portalAccounts { state user { displayName } } } }',
    { id: customerId },
  );
  return data?.customer?.portalAccounts;
};
const eventsOf = (name: string, membershipId: string) =>
  running.world.sql("select payload from kernel.event where name = $1 and payload ->> 'membershipId' = $2", [
    ...[name, membershipId],
  ]);

describe('A portal account', () => {
  let given: Membership;

  test('is given for a customer of this ISP alone, by who may give one', async () => {
    expect(await give(samira, { customerId: customerOf('Marcus Tran') })).toMatchObject({
      userErrors: [{ code: 'NOT_FOUND', field: 'customerId' }],
    });
    expect(await give(samira, { customerId: '01990000-0000-7000-8000-00000000dead' })).toMatchObject({
      userErrors: [{ code: 'NOT_FOUND', field: 'customerId' }],
    });
    expect(await give(samira, { email: 'nobody' })).toMatchObject({
      userErrors: [{ code: 'INVALID', field: 'email' }],
    });
    expect(await give(lena)).toMatchObject({ error: { code: 'FORBIDDEN' } });
    const ngozi = await client.signIn('ngozi@platform.example', running.password);
    expect(await give(ngozi)).toMatchObject({ userErrors: [{ code: 'INVALID_STATE' }] });
  });

  test('waits for the person, who sets a password by mail and then sees their one customer', async () => {
    const { membership } = await give(samira);
    expect(membership).toMatchObject({ state: 'INVITED', kind: 'PORTAL', customer: { id: greta.customerId } });
    given = membership as Membership;
    expect(await eventsOf('identity.portal_access.given', given.id)).toEqual([
      { payload: { customerId: greta.customerId, membershipId: given.id } },
    ]);
    expect((await give(samira)).membership?.id).toBe(given.id); // sent again
    const mails = await running.world.mails(NEW);
    expect(mails).toHaveLength(2);
    const { errors, data } = await client.post<{ activateAccount: { session: { accessToken: string } } }, object>(
      'mutation($input: ActivateInput!) { activateAccount(input: $input) { session { accessToken } userErrors { message } } }',
      { input: { token: tokenIn(mails.at(-1)), password: PASSWORD, transport: 'BODY' } },
    );
    expect(errors).toBeUndefined();
    const me = await client
      .as(String(data?.activateAccount.session.accessToken))
      .ask('{ me { user { displayName } permissions memberships { customer { id } } } }');
    expect(me.data).toEqual({
      me: {
        user: { displayName: 'Greta Spaet' },
        permissions: [],
        memberships: [{ customer: { id: greta.customerId } }],
      },
    });
    expect(await give(samira)).toMatchObject({ userErrors: [{ code: 'CONFLICT', field: 'email' }] });
  });

  test('is listed with its customer, for staff and for the customer, and hidden from every other', async () => {
    const both = [
      { state: 'ACTIVE', user: { displayName: 'Lena Spaet' } },
      { state: 'ACTIVE', user: { displayName: 'Greta Spaet' } },
    ];
    expect(await accountsOf(samira, greta.customerId)).toEqual(both);
    expect(await accountsOf(lena, greta.customerId)).toEqual(both);
    const mara = await client.signIn('mara@northwind.example', running.password, { realm: 'northwind' });
    expect((await accountsOf(mara, greta.customerId)) ?? []).toEqual([]);
  });

  test('lets nobody see another customer; the same mail at another ISP is another account', async () => {
    const mara = await client.signIn('mara@northwind.example', running.password, { realm: 'northwind' });
    const own = customerOf('Lena Spaet');
    const { data } = await mara.ask<{ customer: object | null }, object>(
      'query($id: ID!) { customer(id: $id) { id name } }',
      {
        id: own,
      },
    );
    expect(data?.customer ?? null).toBeNull();
    const atlas = await client.signIn('mara@northwind.example', running.password, { realm: 'atlas' });
    const idOf = async (who: Person) =>
      (await who.ask<{ me: { user: { id: string } } }, object>('{ me { user { id } } }')).data?.me;
    expect(await idOf(atlas)).not.toEqual(await idOf(mara));
  });

  test('ended is over at once: its sessions end, and the event says for whom', async () => {
    const own = await client.signIn(NEW, PASSWORD, { realm: 'northwind' });
    const [row] = await running.world.sql('select version from identity.membership where id = $1', [given.id]);
    expect(await end(samira, given)).toMatchObject({ userErrors: [{ code: 'CONFLICT' }] });
    expect(await end(samira, { ...given, version: row.version })).toMatchObject({ membership: { state: 'ENDED' } });
    expect((await own.ask('{ me { user { id } } }')).errors?.[0]?.extensions).toMatchObject({
      code: 'UNAUTHENTICATED',
    });
    expect(await eventsOf('identity.portal_access.ended', given.id)).toHaveLength(1);
    const staff = { ...given, id: String(envelopeOf('Nils Aumann').membershipId) };
    expect(await end(samira, staff)).toMatchObject({ userErrors: [{ code: 'NOT_FOUND' }] });
    expect((await accountsOf(samira, greta.customerId))?.length).toBe(1);
  });

  test('nobody came to in a week is over, reason EXPIRED', async () => {
    const { membership } = await give(samira, { email: 'late@example.net', displayName: 'Late Spaet' });
    await withClient(running.world.databaseUrl, async (db) => {
      await db.query("select set_config('app.tenant_id', $1, false)", [tenantId('northwind')]);
      await db.query(
        "update identity.membership set created_at = created_at - interval '7 days 1 minute' where id = $1",
        [membership?.id],
      );
    });
    await endWhatIsDue(await running.world.system('platform', 'identity'));
    const [row] = await running.world.sql(
      "select m.state, e.payload ->> 'reason' as reason from identity.membership m join kernel.event e on e.payload ->> 'membershipId' = m.id::text where m.id = $1 and e.name = 'identity.membership.ended'",
      [membership?.id],
    );
    expect(row).toEqual({ state: 'ENDED', reason: 'EXPIRED' });
  });
});

describe("An ISP's portal account in the platform", () => {
  const held = async (name: string) => {
    await running.world.untilNoJobs();
    const rows = await running.world.sql(
      "select state from identity.membership where tenant_id = $1 and user_id = $2 and kind = 'PORTAL' order by id",
      [tenantId('platform'), envelopeOf(name, 'northwind').caller?.id],
    );
    return rows.map(({ state }) => state);
  };
  const setRoles = async (name: string, roles: string[]) => {
    const membershipId = envelopeOf(name, 'northwind').membershipId;
    const { data } = await ingrid.ask<{ member: { version: number } }, object>(
      'query($id: ID!) { member(id: $id) { version } }',
      { id: membershipId },
    );
    await ingrid.ask<object, object>(
      'mutation($input: MemberRolesInput!) { setMemberRoles(input: $input) { userErrors { message } } }',
      { input: { membershipId, expectedVersion: data?.member.version, roles } },
    );
  };

  test('comes and goes with the role that speaks for the account', async () => {
    expect(await held('Ingrid Solberg')).toEqual(['ACTIVE']);
    expect(await held('Mira Petrov')).toEqual(['ACTIVE']);
    expect(await held('Nils Aumann')).toEqual([]);
    await setRoles('Mira Petrov', ['sales']);
    expect(await held('Mira Petrov')).toEqual(['ENDED']);
    await setRoles('Nils Aumann', ['billing_manager', 'sales']);
    expect(await held('Nils Aumann')).toEqual(['ACTIVE']);
    await setRoles('Mira Petrov', ['billing_manager']);
    expect(await held('Mira Petrov')).toEqual(['ENDED', 'ACTIVE']);
  });

  test('is taken when it is asked for, and never in place of the work', async () => {
    const { data } = await ingrid.ask('{ me { tenant { slug } } }');
    expect(data).toEqual({ me: { tenant: { slug: 'northwind' } } });
    const portal = await client.signIn('ingrid@northwind.example', running.password, { tenant: 'platform' });
    expect((await portal.ask('{ me { permissions tenant { slug } } }')).data).toEqual({
      me: { permissions: [], tenant: { slug: 'platform' } },
    });
  });
});
