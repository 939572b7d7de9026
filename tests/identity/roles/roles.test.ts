import { randomUUID } from 'node:crypto';
import { PERMISSIONS, packPermissions } from '../../../schema/permissions.ts';
import type { Envelope } from '../../../subgraphs/_kernel/signed-context.ts';
import { envelopeOf, openTrial, type Trial } from '../trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
}, 60_000);
afterAll(() => trial?.close());

const ingrid = () => envelopeOf('Ingrid Solberg');
const MEMBER = 'membership { id version state roles { key } grants { id permission until } permissions }';
const ROLE = 'role { id key version basedOn adds removes maxMembers isBuiltIn permissions }';
const FIELDS: Record<string, [type: string, answer: string]> = {
  createRole: ['RoleInput', ROLE],
  updateRole: ['UpdateRoleInput', ROLE],
  deleteRole: ['IdInput', 'isDone'],
  grantPermission: ['GrantInput', MEMBER],
  revokePermission: ['IdInput', MEMBER],
  setMemberRoles: ['MemberRolesInput', MEMBER],
};
interface Answer {
  role?: { id: string; version: number; permissions: string[] };
  membership?: {
    id: string;
    version: number;
    roles: { key: string }[];
    grants: { id: string; permission: string }[];
    permissions: string[];
  };
  isDone?: boolean;
  userErrors: { code: string; message: string; field: string | null }[];
}
const ask = async (door: string, input: object, who: Partial<Envelope> = ingrid()) => {
  const [type, answer] = FIELDS[door] as [string, string];
  const query = `mutation($input: ${type}!) { ${door}(input: $input) { ${answer} userErrors { code message field } } }`;
  const { data, errors } = await trial.ask(who, query, { input });
  return { ...(data?.[door] as Answer), errors };
};
const codeOf = ({
  userErrors,
  errors,
}: Partial<Answer> & { errors?: readonly { extensions?: { code?: unknown } }[] | undefined }) =>
  errors?.[0]?.extensions?.code ?? userErrors?.[0]?.code;

/** A member of northwind as they are now. */
async function memberOf(name: string) {
  const [row] = await trial.sql('select m.id, m.version, m.user_id from identity.membership m where m.id = $1', [
    envelopeOf(name, 'northwind').membershipId,
  ]);
  return { membershipId: String(row.id), expectedVersion: Number(row.version), userId: String(row.user_id) };
}
const sendRoles = async (name: string, roles: string[], who = ingrid()) => {
  const { membershipId, expectedVersion } = await memberOf(name);
  return ask('setMemberRoles', { membershipId, expectedVersion, roles }, who);
};
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

describe('Roles of an ISP’s own', () => {
  test('an administrator makes one, gives it, changes it, and takes it out of use', async () => {
    const made = await ask('createRole', {
      ...{ key: 'cashier', name: 'Cashier', basedOn: 'billing_manager', removes: ['billing.charge.manage'] },
    });
    expect(made.userErrors).toEqual([]);
    expect(made.role?.permissions).toContain('billing.payment.record');
    expect(made.role?.permissions).not.toContain('billing.charge.manage');
    const given = await sendRoles('Nils Aumann', ['sales', 'cashier']);
    expect(given.membership?.permissions).toEqual(
      expect.arrayContaining(['crm.lead.manage', 'billing.payment.record']),
    );
    const inUse = await ask('deleteRole', { id: made.role?.id });
    expect(codeOf(inUse)).toBe('INVALID_STATE');
    const changed = await ask('updateRole', {
      ...{ roleId: made.role?.id, expectedVersion: 1, removes: ['billing.charge.manage', 'billing.payment.record'] },
    });
    expect(changed.role).toMatchObject({ version: 2, key: 'cashier', basedOn: 'billing_manager' });
    const seen = await trial.ask(
      ingrid(),
      'query($id: ID!) { member(id: $id) { permissions roles { key isBuiltIn } } }',
      {
        id: given.membership?.id,
      },
    );
    expect((seen.data?.member as { permissions: string[] }).permissions).not.toContain('billing.payment.record');
    await sendRoles('Nils Aumann', ['sales']);
    expect((await ask('deleteRole', { id: made.role?.id })).isDone).toBe(true);
    expect(codeOf(await sendRoles('Nils Aumann', ['cashier']))).toBe('INVALID');
  });

  test('a key is taken once, an old version and an unknown role are told', async () => {
    const asked = { key: 'twice', name: 'Twice', adds: ['crm.contact.read'] };
    const { role } = await ask('createRole', asked);
    expect(codeOf(await ask('createRole', asked))).toBe('CONFLICT');
    expect(codeOf(await ask('updateRole', { roleId: role?.id, expectedVersion: 9, name: 'x' }))).toBe('CONFLICT');
    const kestrels = await ask('createRole', { ...asked, key: 'theirs' }, envelopeOf('Wren Castillo'));
    for (const roleId of [randomUUID(), 'nonsense', kestrels.role?.id]) {
      const answer = await ask('updateRole', { roleId, expectedVersion: 1, name: 'Ours' });
      expect(answer.userErrors).toEqual([{ code: 'NOT_FOUND', message: 'There is no such role.', field: 'roleId' }]);
    }
  });

  test('nobody makes or changes a role beyond what they may, nor one they have', async () => {
    const keeper: Partial<Envelope> = {
      ...envelopeOf('Mira Petrov'),
      permissions: packPermissions(['identity.role.manage', 'identity.role.read', 'crm.contact.read']),
    };
    expect(codeOf(await ask('createRole', { key: 'climber', name: 'Climber', adds: ['billing.*'] }, keeper))).toBe(
      'FORBIDDEN',
    );
    expect(codeOf(await ask('createRole', { key: 'climber', name: 'Climber', basedOn: 'tenant_admin' }, keeper))).toBe(
      'FORBIDDEN',
    );
    const modest = await ask('createRole', { key: 'modest', name: 'Modest', adds: ['crm.contact.read'] }, keeper);
    expect(modest.userErrors).toEqual([]);
    await sendRoles('Mira Petrov', ['billing_manager', 'modest']);
    const own = await ask('updateRole', { roleId: modest.role?.id, expectedVersion: 1, name: 'Mine' }, keeper);
    expect(own.errors?.[0]?.message).toBe('Nobody changes their own roles.');
    const beneath = await ask('createRole', { key: 'beneath', name: 'Beneath', adds: [] }, keeper);
    await ask('updateRole', { roleId: modest.role?.id, expectedVersion: 1, basedOn: 'beneath' });
    const sly = await ask(
      'updateRole',
      { roleId: beneath.role?.id, expectedVersion: 1, adds: ['crm.contact.read'] },
      keeper,
    );
    expect(codeOf(sly)).toBe('FORBIDDEN');
    await sendRoles('Mira Petrov', ['billing_manager']);
  });

  test('a role has room for so many; two who get the last place at once leave one', async () => {
    await ask('createRole', { key: 'only_one', name: 'Only one', adds: ['crm.contact.read'], maxMembers: 1 });
    const both = await Promise.all([sendRoles('Piet Claasen', ['only_one']), sendRoles('Lotte Kern', ['only_one'])]);
    expect(both.map((one) => codeOf(one) ?? 'OK').sort()).toEqual(['LIMIT_REACHED', 'OK']);
    for (const name of ['Piet Claasen', 'Lotte Kern']) await sendRoles(name, ['support_agent']);
  });

  test('there are at most fifty', async () => {
    const wren = envelopeOf('Wren Castillo');
    const [{ count }] = (await trial.sqlIn(
      'kestrel',
      'select count(*)::int from identity.role where tenant_id = kernel.tenant_id()',
    )) as [{ count: number }];
    for (let i = count; i < 50; i += 1)
      expect((await ask('createRole', { key: `role_${i}`, name: `Role ${i}` }, wren)).userErrors).toEqual([]);
    expect(codeOf(await ask('createRole', { key: 'one_more', name: 'One more' }, wren))).toBe('LIMIT_REACHED');
  }, 30_000);

  test('an old proof is asked for again, and another’s name opens nothing', async () => {
    const asked = { key: 'later', name: 'Later' };
    const stale = await ask('createRole', asked, {
      ...ingrid(),
      strongAt: Math.floor(Date.now() / 1_000) - 601,
      proofs: ['PWD'],
    });
    expect(stale.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN', reason: 'STEP_UP', methods: ['PWD'] });
    const acting = {
      ...ingrid(),
      actingFor: { operator: randomUUID(), impersonation: randomUUID(), mode: 'ACT' as const },
    };
    expect((await ask('createRole', asked, acting)).errors?.[0]?.extensions).toMatchObject({ reason: 'IMPERSONATION' });
  });

  test('an ISP is shown every permission there is, but the platform’s', async () => {
    const { data } = await trial.ask(ingrid(), '{ permissions { name domain noun action } }');
    const shown = (data?.permissions as { name: string }[]).map(({ name }) => name);
    expect(shown).toContain('identity.role.manage');
    expect(shown).not.toContain('tenancy.fleet.read');
    const whole = await trial.ask(envelopeOf('Ngozi Adeyemi'), '{ permissions { name } }');
    expect((whole.data?.permissions as object[]).length).toBe(PERMISSIONS.length);
  });
});

describe('A permission for some time', () => {
  const grant = async (name: string, asked: object, who = ingrid()) =>
    ask(
      'grantPermission',
      { ...(await forChange(name)), reason: 'Stands in for Mira.', until: inDays(3), ...asked },
      who,
    );
  const forChange = async (name: string) => {
    const { membershipId, expectedVersion } = await memberOf(name);
    return { membershipId, expectedVersion };
  };

  test('is held beside the roles until it is taken back', async () => {
    const given = await grant('Samira Haddad', { permission: 'billing.payment.record' });
    expect(given.userErrors).toEqual([]);
    expect(given.membership?.permissions).toContain('billing.payment.record');
    expect(codeOf(await grant('Samira Haddad', { permission: 'billing.payment.record' }))).toBe('CONFLICT');
    const id = given.membership?.grants[0]?.id;
    const taken = await ask('revokePermission', { id });
    expect(taken.membership?.permissions).not.toContain('billing.payment.record');
    expect(codeOf(await ask('revokePermission', { id }))).toBe('NOT_FOUND');
  });

  test('ends by itself at its instant, told and gone', async () => {
    const until = new Date(Date.now() + 1_200).toISOString();
    const given = await grant('Samira Haddad', { permission: 'network.plan.manage', until });
    const id = given.membership?.grants[0]?.id;
    const began = Date.now();
    for (;;) {
      const [row] = await trial.sql('select ended_at from identity.permission_grant where id = $1', [id]);
      if (row.ended_at) break;
      if (Date.now() - began > 8_000) throw new Error('It did not end.');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [told] = await trial.sql(
      "select count(*)::int from kernel.event where name = 'identity.permission.lapsed' and payload->>'grantId' = $1",
      [id],
    );
    expect(told.count).toBe(1);
    expect((await memberOf('Samira Haddad')).expectedVersion).toBe((given.membership?.version ?? 0) + 1);
  }, 15_000);

  test.each([
    ['an unknown permission', { permission: 'billing.payment.forge' }, 'permission'],
    ['one of the platform', { permission: 'tenancy.fleet.read' }, 'permission'],
    ['no reason', { reason: 'why' }, 'reason'],
    ['91 days', { until: inDays(91) }, 'until'],
    ['an end that is past', { until: inDays(-1) }, 'until'],
  ])('is refused for %s', async (_, asked, field) => {
    const answer = await grant('Samira Haddad', { permission: 'crm.lead.manage', ...asked });
    expect(answer.userErrors).toMatchObject([{ code: 'INVALID', field }]);
  });

  test('nobody gives what they do not hold, nor anything to themselves', async () => {
    const keeper = { ...envelopeOf('Mira Petrov'), permissions: packPermissions(['identity.role.manage']) };
    expect(codeOf(await grant('Nils Aumann', { permission: 'crm.lead.manage' }, keeper))).toBe('FORBIDDEN');
    expect(codeOf(await grant('Ingrid Solberg', { permission: 'crm.lead.manage' }))).toBe('FORBIDDEN');
  });
});

describe('Why somebody may do something', () => {
  const explain = async (userId: string, permission: string, who = ingrid()) =>
    trial.ask(
      who,
      'query($userId: ID!, $permission: String!) { explainPermission(userId: $userId, permission: $permission) { isAllowed roles { key } grants { permission reason } } }',
      { userId, permission },
    );

  test('names each role and grant it comes from', async () => {
    const { userId, ...change } = await memberOf('Jonas Brandt');
    await ask('grantPermission', {
      ...change,
      permission: 'network.plan.manage',
      reason: 'For the migration.',
      until: inDays(1),
    });
    const { data } = await explain(userId, 'network.plan.read');
    expect(data?.explainPermission).toEqual({
      isAllowed: true,
      roles: [{ key: 'network_engineer' }],
      grants: [{ permission: 'network.plan.manage', reason: 'For the migration.' }],
    });
  });

  test('equals what members hold, for each permission of a role with five patterns', async () => {
    await ask('createRole', {
      key: 'patchwork',
      name: 'Patchwork',
      basedOn: 'dispatcher',
      adds: ['*.*.read', 'crm.contact.*', 'tickets.*'],
      removes: ['billing.*', 'licensing.license.read'],
    });
    const { membership } = await sendRoles('Piet Claasen', ['patchwork']);
    const { userId } = await memberOf('Piet Claasen');
    for (const permission of PERMISSIONS) {
      const { data } = await explain(userId, permission);
      const { isAllowed } = data?.explainPermission as { isAllowed: boolean };
      expect([permission, isAllowed]).toEqual([permission, membership?.permissions.includes(permission)]);
    }
  }, 30_000);

  test('of a stranger says no as of nobody, and an unknown permission is told', async () => {
    const strangers = [randomUUID(), 'nonsense', String(envelopeOf('Wren Castillo').caller?.id)];
    for (const id of strangers)
      expect((await explain(id, 'crm.lead.read')).data?.explainPermission).toEqual({
        isAllowed: false,
        roles: [],
        grants: [],
      });
    expect((await explain(randomUUID(), 'crm.lead.frame')).errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
  });
});

describe('Who work can be given to', () => {
  const ASSIGNEES =
    'query($permission: String!, $text: String, $first: Int, $after: String) { assignees(permission: $permission, text: $text, first: $first, after: $after) { nodes { displayName } pageInfo { hasNextPage endCursor } } }';
  const names = async (variables: object, who: Partial<Envelope> = envelopeOf('Samira Haddad')) => {
    const { data, errors } = await trial.ask(who, ASSIGNEES, { ...variables });
    return (
      errors?.[0]?.extensions?.code ??
      (data?.assignees as { nodes: { displayName: string }[] }).nodes.map(({ displayName }) => displayName)
    );
  };

  test('is active staff who may, by name, page by page, for any staff', async () => {
    expect(await names({ permission: 'network.inventory.manage' })).toEqual(['Ingrid Solberg', 'Jonas Brandt']);
    expect(await names({ permission: 'network.inventory.manage', text: 'jo' })).toEqual(['Jonas Brandt']);
    const { data } = await trial.ask(envelopeOf('Samira Haddad'), ASSIGNEES, {
      permission: 'network.inventory.manage',
      first: 1,
    });
    const { pageInfo } = data?.assignees as { pageInfo: { endCursor: string; hasNextPage: boolean } };
    expect(pageInfo.hasNextPage).toBe(true);
    expect(await names({ permission: 'network.inventory.manage', first: 1, after: pageInfo.endCursor })).toEqual([
      'Jonas Brandt',
    ]);
  });

  test('is not for subscribers, and an unknown permission is told', async () => {
    expect(await names({ permission: 'network.inventory.manage' }, envelopeOf('Mara Lind', 'northwind'))).toBe(
      'FORBIDDEN',
    );
    expect(await names({ permission: 'nonsense' })).toBe('BAD_USER_INPUT');
  });
});
