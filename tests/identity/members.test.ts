import { randomUUID } from 'node:crypto';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { addMember } from '../../subgraphs/identity/membership.service.ts';
import { clientOf, envelopeOf, openTrial, type Trial, tenantId } from './trial.ts';

let trial: Trial;
let client: ReturnType<typeof clientOf>;
beforeAll(async () => {
  trial = await openTrial();
  client = clientOf(trial);
}, 60_000);
afterAll(() => trial?.close());

type Envelope = ReturnType<typeof envelopeOf>;
interface MembershipAnswer {
  membership: { id: string; state: string; version: number; roles: { key: string }[] } | null;
  userErrors: { code: string; message: string; field: string | null }[];
}
const idOf = (digits: string) => seedId(`${digits}0001`);
const change = async (who: Envelope, door: string, input: object) => {
  const type = door === 'setMemberRoles' ? 'MemberRolesInput' : 'MemberInput';
  const query = `mutation($input: ${type}!) { ${door}(input: $input) { membership { id state version roles { key } } userErrors { code message field } } }`;
  const { data, errors } = await trial.ask(who, query, { input });
  return {
    ...((data?.[door] ?? {}) as Partial<MembershipAnswer>),
    errors: errors?.map(({ extensions }) => extensions),
  };
};
const versionOf = async (digits: string): Promise<number> =>
  (await trial.sql('select version from identity.membership where id = $1', [idOf(digits)]))[0]?.version;
const seatsOf = async (slug: 'kestrel' | 'northwind') =>
  Number(
    (await trial.sql("select used from kernel.quota where tenant_id = $1 and key = 'staff_users'", [tenantId(slug)]))[0]
      ?.used,
  );
const ingrid = () => envelopeOf('Ingrid Solberg');

describe('The list of members', () => {
  const LIST =
    'query($first: Int, $after: String, $filter: MemberFilter) { members(first: $first, after: $after, filter: $filter) { nodes { id user { displayName email isFormer } roles { key name } tenant { slug } customer { id } } pageInfo { hasNextPage endCursor } } }';
  type Page = {
    nodes: { id: string; user: { displayName: string; email: string } }[];
    pageInfo: { hasNextPage: boolean; endCursor: string };
  };

  test('shows one’s own tenant’s people, staff and customers, page by page', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { data } = await trial.ask(ingrid(), LIST, { first: 4, after });
      const page = data?.members as Page;
      seen.push(...page.nodes.map(({ user }) => user.displayName));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual([
      'Ingrid Solberg',
      'Jonas Brandt',
      'Mira Petrov',
      'Edda Klein',
      'Nils Aumann',
      'Samira Haddad',
      'Piet Claasen',
      'Lotte Kern',
      'Lena Spaet',
      'Mara Lind',
      'Ole Brink',
    ]);
  });

  test('is narrowed by kind, state and role', async () => {
    const names = async (filter: object) =>
      ((await trial.ask(ingrid(), LIST, { filter })).data?.members as Page).nodes.map(({ user }) => user.displayName);
    expect(await names({ role: 'support_agent' })).toEqual(['Samira Haddad', 'Piet Claasen', 'Lotte Kern']);
    expect(await names({ kind: 'PORTAL', state: 'ACTIVE' })).toEqual(['Lena Spaet', 'Mara Lind', 'Ole Brink']);
    expect(await names({ state: 'ENDED' })).toEqual([]);
  });

  test('is for who may read members; a page of 101 or a foreign cursor is refused', async () => {
    for (const name of ['Milo Hart', 'Marcus Tran'])
      expect((await trial.ask(envelopeOf(name), LIST)).errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
    expect((await trial.ask({}, LIST)).errors?.[0]?.extensions?.code).toBe('UNAUTHENTICATED');
    expect((await trial.ask({ ...ingrid(), tenantId: null }, LIST)).errors?.[0]?.extensions).toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'NO_TENANT',
    });
    expect((await trial.ask(ingrid(), LIST, { first: 101 })).errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
    expect((await trial.ask(ingrid(), LIST, { after: 'x' })).errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
  });

  test('costs the same number of statements for two as for ten', async () => {
    const shown = '{ user { displayName email isFormer } roles { key permissions } lastSignInAt tenant { slug } }';
    const count = async (first: number) => {
      const ask = () => trial.ask(ingrid(), `{ members(first: ${first}) { nodes ${shown} } }`);
      return (await trial.statementsOf(ask)).length + (await trial.statementsOf(ask)).length; // of either replica
    };
    expect(await count(10)).toBe(await count(2));
    expect(await count(10)).toBeLessThanOrEqual(12);
  });

  test('another tenant’s member is as unknown as one that does not exist', async () => {
    const ask = async (id: string) => trial.ask(ingrid(), 'query($id: ID!) { member(id: $id) { id } }', { id });
    const unknown = await ask(randomUUID());
    expect(unknown.data).toEqual({ member: null });
    for (const id of [idOf('6011'), 'junk']) expect(await ask(id)).toEqual(unknown);
    expect((await ask(idOf('6022'))).data).toEqual({ member: { id: idOf('6022') } });
  });

  test('hangs on the tenant of the token, and on no other', async () => {
    const query =
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on Tenant { slug members(first: 2) { nodes { user { displayName } } } } } }';
    const { data } = await trial.ask(ingrid(), query, {
      r: [
        { __typename: 'Tenant', id: tenantId('northwind') },
        { __typename: 'Tenant', id: tenantId('kestrel') },
      ],
    });
    expect(data?._entities).toEqual([
      {
        slug: 'northwind',
        members: { nodes: [{ user: { displayName: 'Ingrid Solberg' } }, { user: { displayName: 'Jonas Brandt' } }] },
      },
      null,
    ]);
  });
});

describe('Roles', () => {
  test('there are the built-in ones, in an ISP without the platform’s', async () => {
    const { data } = await trial.ask(ingrid(), '{ roles { key permissions } }');
    const roles = data?.roles as { key: string; permissions: string[] }[];
    expect(roles.map(({ key }) => key)).not.toContain('platform_admin');
    expect(roles.flatMap(({ permissions }) => permissions)).not.toContain('tenancy.fleet.read');
    const platform = await trial.ask(envelopeOf('Ngozi Adeyemi'), '{ roles { key } }');
    expect((platform.data?.roles as { key: string }[]).map(({ key }) => key)).toContain('platform_admin');
  });

  test('an administrator gives them; the member, the log and the gateways hear of it', async () => {
    const expectedVersion = await versionOf('6025');
    const { membership, userErrors } = await change(ingrid(), 'setMemberRoles', {
      membershipId: idOf('6025'),
      expectedVersion,
      roles: ['sales', 'dispatcher'],
    });
    expect(userErrors).toEqual([]);
    expect(membership).toMatchObject({
      version: expectedVersion + 1,
      roles: [{ key: 'sales' }, { key: 'dispatcher' }],
    });
    const [event] = await trial.sql("select payload from kernel.event where name = 'identity.membership.changed'");
    expect(event?.payload).toEqual({
      membershipId: idOf('6025'),
      userId: seedId('6025'),
      kind: 'STAFF',
      roles: ['sales', 'dispatcher'],
      version: expectedVersion + 1,
    });
    expect(
      await trial.sql("select count(*)::int as n from kernel.feed where name = 'grants' and subject = $1", [
        `membership:${idOf('6025')}`,
      ]),
    ).toEqual([{ n: 1 }]);
    const [audit] = await trial.sql(
      "select actor, before -> 'roles' as before, after -> 'roles' as after from kernel.audit_entry where table_name = 'identity.membership' and action = 'UPDATE' and row_id = $1",
      [idOf('6025')],
    );
    expect(audit).toEqual({ actor: seedId('6021'), before: ['sales'], after: ['sales', 'dispatcher'] });
  });

  test('are refused by who lacks the right, for oneself, unknown ones, and platform ones in an ISP', async () => {
    const roles = async (who: Envelope, digits: string, asked: string[]) =>
      change(who, 'setMemberRoles', {
        membershipId: idOf(digits),
        expectedVersion: await versionOf(digits),
        roles: asked,
      });
    expect((await roles(envelopeOf('Mira Petrov'), '6025', ['auditor'])).errors).toEqual([{ code: 'FORBIDDEN' }]);
    expect((await roles(ingrid(), '6021', ['auditor'])).errors).toEqual([{ code: 'FORBIDDEN' }]);
    for (const asked of [['platform_admin'], ['king'], [], ['customer']])
      expect((await roles(ingrid(), '6025', asked)).userErrors).toMatchObject([{ code: 'INVALID', field: 'roles' }]);
    const halfAnAdmin = { ...envelopeOf('Mira Petrov'), permissions: ingrid().permissions };
    expect((await roles(halfAnAdmin, '6025', ['tenant_admin'])).errors).toEqual([{ code: 'FORBIDDEN' }]);
  });
});

describe('Changing a member', () => {
  test('wants the version it was read at, a member of one’s own tenant and a possible move', async () => {
    const input = { membershipId: idOf('6026'), expectedVersion: 99 };
    expect((await change(ingrid(), 'suspendMember', input)).userErrors).toMatchObject([
      { code: 'CONFLICT', field: 'expectedVersion' },
    ]);
    const unknown = await change(ingrid(), 'suspendMember', { membershipId: randomUUID(), expectedVersion: 1 });
    expect(unknown.userErrors).toEqual([
      { code: 'NOT_FOUND', message: 'There is no such member.', field: 'membershipId' },
    ]);
    for (const membershipId of [idOf('6012'), 'junk'])
      expect(await change(ingrid(), 'suspendMember', { membershipId, expectedVersion: 1 })).toEqual(unknown);
    const notSuspended = await change(ingrid(), 'restoreMember', {
      ...input,
      expectedVersion: await versionOf('6026'),
    });
    expect(notSuspended.userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
  });

  test('wants a proof not older than ten minutes', async () => {
    const old = { ...ingrid(), strongAt: Math.floor(Date.now() / 1_000) - 700 };
    const never = { ...ingrid(), strongAt: undefined };
    for (const who of [old, never]) {
      const { errors } = await change(who, 'endMember', {
        membershipId: idOf('6026'),
        expectedVersion: await versionOf('6026'),
      });
      expect(errors).toEqual([{ code: 'FORBIDDEN', reason: 'STEP_UP', methods: ['PWD'] }]);
    }
  });

  test('suspending ends their sessions here and keeps their seat; restoring lets them sign in again', async () => {
    const seats = await seatsOf('northwind');
    const { tokens } = await client.enter({ email: 'lotte@northwind.example' });
    const suspended = await change(ingrid(), 'suspendMember', {
      membershipId: idOf('6028'),
      expectedVersion: await versionOf('6028'),
      reason: 'On leave.',
    });
    expect(suspended.membership).toMatchObject({ state: 'SUSPENDED' });
    const [session] = await trial.sql('select end_reason from identity.session where id = $1', [tokens.sessionId]);
    expect(session?.end_reason).toBe('MEMBERSHIP_SUSPENDED');
    const subjects = (
      await trial.sql("select subject from kernel.feed where name = 'grants' order by seq desc limit 2")
    ).map(({ subject }) => subject);
    expect(subjects.sort()).toEqual([`membership:${idOf('6028')}`, `session:${tokens.sessionId}`]);
    const out = (await client.signIn({ email: 'lotte@northwind.example' })).answer;
    expect([out.session?.tenant, out.tenants]).toEqual([null, []]);
    expect(await seatsOf('northwind')).toBe(seats);
    await change(ingrid(), 'restoreMember', { membershipId: idOf('6028'), expectedVersion: await versionOf('6028') });
    expect((await client.signIn({ email: 'lotte@northwind.example' })).answer.session?.tenant).toEqual({
      slug: 'northwind',
    });
  });

  test('ending frees the seat, once; the person stays readable as a former member', async () => {
    const seats = await seatsOf('northwind');
    const { tokens } = await client.enter({ email: 'piet@northwind.example' });
    const ended = await change(ingrid(), 'endMember', {
      membershipId: idOf('6027'),
      expectedVersion: await versionOf('6027'),
      reason: 'Left.',
    });
    expect(ended.membership).toMatchObject({ state: 'ENDED' });
    expect(await seatsOf('northwind')).toBe(seats - 1);
    expect((await client.refresh(tokens.refreshToken)).answer.session).toBeNull();
    const again = await change(ingrid(), 'endMember', {
      membershipId: idOf('6027'),
      expectedVersion: await versionOf('6027'),
    });
    expect(again.userErrors).toMatchObject([{ code: 'INVALID_STATE' }]);
    expect(await seatsOf('northwind')).toBe(seats - 1);
    const { data } = await trial.ask(
      ingrid(),
      'query($r: [_Any!]!) { _entities(representations: $r) { ... on User { displayName isFormer } } }',
      { r: [{ __typename: 'User', id: seedId('6027') }] },
    );
    expect(data?._entities).toEqual([{ displayName: 'Piet Claasen', isFormer: true }]);
  });

  test('a tenant keeps an administrator', async () => {
    const wren = envelopeOf('Wren Castillo');
    for (const door of ['suspendMember', 'endMember']) {
      const { userErrors } = await change(wren, door, { membershipId: idOf('6011'), expectedVersion: 1 });
      expect(userErrors).toMatchObject([
        { code: 'INVALID_STATE', message: 'A tenant keeps at least one administrator.' },
      ]);
    }
  });

  test('two administrators who end each other at once leave one', async () => {
    for (let round = 0; round < 5; round += 1) {
      await trial.sqlIn(
        'atlas',
        "update identity.membership set state = 'ACTIVE', ended_at = null, roles = '{tenant_admin}' where id in ($1, $2)",
        [idOf('6071'), idOf('6072')],
      );
      const [bruno, lia] = [
        envelopeOf('Bruno Tavares'),
        { ...envelopeOf('Lia Prado'), permissions: envelopeOf('Bruno Tavares').permissions },
      ];
      const inputs = [
        { membershipId: idOf('6072'), expectedVersion: await versionOf('6072') },
        { membershipId: idOf('6071'), expectedVersion: await versionOf('6071') },
      ];
      const answers = await Promise.all([
        change(bruno, 'endMember', inputs[0] as object),
        change(lia, 'endMember', inputs[1] as object),
      ]);
      expect(answers.map(({ userErrors }) => userErrors?.[0]?.message ?? 'done').sort()).toEqual([
        'A tenant keeps at least one administrator.',
        'done',
      ]);
    }
  });
});

test('A plan’s seats are taken by its people: the fourth at Kestrel finds none', async () => {
  expect(await seatsOf('kestrel')).toBe(3);
  expect(await seatsOf('northwind')).toBeLessThanOrEqual(12);
  const ctx = await trial.system('kestrel');
  const fourth = { id: randomUUID(), userId: seedId('6025'), kind: 'STAFF' as const, roles: ['technician'] };
  await expect(addMember(ctx, fourth)).rejects.toMatchObject({
    extensions: { code: 'QUOTA_EXCEEDED', key: 'staff_users' },
  });
  expect(await trial.sql('select * from identity.membership where id = $1', [fourth.id])).toEqual([]);
});
