import { roleUrl } from '../../subgraphs/_kernel/db.ts';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { PEOPLE } from '../../subgraphs/identity/seed.ts';
import { withClient } from '../setup/database.ts';
import { clientOf, envelopeOf, openTrial, type Trial, tenantId } from './trial.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
}, 60_000);
afterAll(() => trial?.close());

const idOf = (digits: string) => seedId(`${digits}0001`);

describe('Who am I', () => {
  test('nobody, without a token', async () => {
    expect(await trial.ask({}, '{ me { user { id } } }')).toMatchObject({ data: { me: null } });
  });

  test('a member: their tenant, roles, permissions and proof', async () => {
    const { envelope } = await client.enter({ email: 'ada@kestrel.example' });
    const { data } = await trial.ask(
      envelope,
      '{ me { user { displayName email isFormer } methods tenant { id slug } roles { key name } permissions memberships { tenant { slug } roles { key } permissions } } }',
    );
    const me = data?.me as { permissions: string[]; memberships: { permissions: string[] }[] };
    expect(me).toMatchObject({
      user: { displayName: 'Ada Quill', email: 'ada@kestrel.example', isFormer: false },
      methods: ['PWD'],
      tenant: { id: tenantId('kestrel'), slug: 'kestrel' },
      roles: [{ key: 'support_agent', name: 'Support agent' }],
      memberships: [{ tenant: { slug: 'kestrel' } }],
    });
    expect(me.permissions).toContain('tickets.ticket.reply');
    expect(me.permissions).not.toContain('identity.member.manage');
    expect(me.memberships[0]?.permissions).toEqual(me.permissions);
  });

  test('somebody who has not chosen a tenant: all they could choose, and no rights', async () => {
    const { envelope } = await client.enter({ email: 'edda@northwind.example' });
    const { data, errors } = await trial.ask(
      envelope,
      '{ me { user { displayName email } tenant { slug } roles { key } permissions memberships { tenant { slug } user { displayName } customer { id } lastSignInAt } } mySessions { id } }',
    );
    expect(errors).toBeUndefined();
    expect(data?.me).toEqual({
      user: { displayName: 'Edda Klein', email: 'edda@northwind.example' },
      tenant: null,
      roles: [],
      permissions: [],
      memberships: ['northwind', 'harbour'].map((slug) => ({
        tenant: { slug },
        user: { displayName: 'Edda Klein' },
        customer: null,
        lastSignInAt: null,
      })),
    });
  });

  test('a customer of an ISP: the one customer they speak for', async () => {
    const { envelope } = await client.enter({ email: 'lena@northwind.example', realm: 'northwind' });
    const { data } = await trial.ask(
      envelope,
      '{ me { user { displayName } roles { key } permissions memberships { kind customer { id } } } }',
    );
    expect(data?.me).toEqual({
      user: { displayName: 'Lena Spaet' },
      roles: [{ key: 'customer' }],
      permissions: [],
      memberships: [{ kind: 'PORTAL', customer: { id: seedId('7031') } }],
    });
  });
});

describe('Whom one sees', () => {
  const see = async (name: string, ...digits: string[]) => {
    const query =
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on User { displayName email } ... on Membership { state } ... on Role { key } } }';
    const { data } = await trial.ask(envelopeOf(name), query, {
      r: digits.map((one) => ({ __typename: 'User', id: seedId(one) })),
    });
    return data?._entities as ({ displayName: string; email: string | null } | null)[];
  };

  test('staff sees the people of its tenant, and of another not even that they exist', async () => {
    expect(await see('Jonas Brandt', '6021', '6031', '6011', '9999')).toEqual([
      { displayName: 'Ingrid Solberg', email: 'ingrid@northwind.example' },
      { displayName: 'Lena Spaet', email: 'lena@northwind.example' },
      null,
      null,
    ]);
  });

  test('who may not read members sees names, and no mail but their own', async () => {
    expect(await see('Milo Hart', '6011', '6013')).toEqual([
      { displayName: 'Wren Castillo', email: null },
      { displayName: 'Milo Hart', email: 'milo@kestrel.example' },
    ]);
  });

  test('a customer sees staff by name, themselves, and no other customer', async () => {
    expect(await see('Lena Spaet', '6026', '6031', '6032')).toEqual([
      { displayName: 'Samira Haddad', email: null },
      { displayName: 'Lena Spaet', email: 'lena@northwind.example' },
      null,
    ]);
  });

  test('a membership is seen by who may read members, and by whose it is', async () => {
    const query =
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Membership { state user { displayName } } ... on Role { key } } }';
    const r = [
      { __typename: 'Membership', id: idOf('6013') },
      { __typename: 'Membership', id: idOf('6012') },
      { __typename: 'Role', id: 'sales' },
      { __typename: 'Role', id: 'platform_admin' },
    ];
    const milos = await trial.ask(envelopeOf('Milo Hart'), query, { r });
    expect(milos.data?._entities).toEqual([
      { state: 'ACTIVE', user: { displayName: 'Milo Hart' } },
      null,
      { key: 'sales' },
      null,
    ]);
  });

  test('a session is seen by whose it is', async () => {
    const { tokens, envelope } = await client.enter({ email: 'ada@kestrel.example' });
    const query = 'query($r: [_Any!]!) { _entities(representations: $r) { ... on Session { id } } }';
    const ask = async (who: object) =>
      (await trial.ask(who, query, { r: [{ __typename: 'Session', id: tokens.sessionId }] })).data?._entities;
    expect(await ask(envelope)).toEqual([{ id: tokens.sessionId }]);
    expect(await ask(envelopeOf('Wren Castillo'))).toEqual([null]);
  });
});

describe('The database', () => {
  const as = (role: string, text: string, tenant = tenantId('kestrel')) =>
    withClient(roleUrl(trial.config, role), async (connection) => {
      await connection.query('begin');
      await connection.query("select set_config('app.tenant_id', $1, true)", [tenant]);
      return (await connection.query(text)).rows;
    });

  test.each([
    'user',
    'credential',
    'session',
    'sign_in_bucket',
    'sign_in_record',
    'token_key',
  ])('shows identity.%s to identity alone', async (table) => {
    for (const role of ['svc_tenancy', 'dotmac_platform', 'dotmac_jobs', 'dotmac_fan_out'])
      await expect(as(role, `select * from identity.${table}`)).rejects.toThrow('permission denied');
    expect(await as('svc_identity', `select 1 as seen from identity.${table} limit 1`)).toBeDefined();
  });

  test('shows memberships in their tenant only, and across tenants to the control plane’s reader only', async () => {
    const [here] = await as('svc_identity', 'select count(*)::int as n from identity.membership');
    expect(here?.n).toBe(4);
    await expect(as('svc_tenancy', 'select * from identity.membership')).rejects.toThrow('permission denied');
    const ids = PEOPLE.map(({ membershipId }) => `'${membershipId}'`).join();
    const [all] = await as(
      'dotmac_platform',
      `select count(*)::int as n from identity.membership where id in (${ids})`,
    );
    expect(all?.n).toBe(PEOPLE.length);
    await expect(as('dotmac_platform', "update identity.membership set state = 'ENDED'")).rejects.toThrow(
      'permission denied',
    );
  });

  test('keeps records of sign-ins as they were written', async () => {
    await client.signIn({ email: 'ada@kestrel.example' });
    for (const text of ["update identity.sign_in_record set outcome = 'OK'", 'delete from identity.sign_in_record'])
      await expect(as('svc_identity', text)).rejects.toThrow('permission denied');
  });
});
