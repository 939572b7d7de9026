import { type GatewayClient, openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { envelopeOf } from '../trial.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
let ingrid: Person;
let nils: Person;
beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
  ingrid = await client.signIn('ingrid@northwind.example', running.password);
  nils = await client.signIn('nils@northwind.example', running.password);
}, 60_000);
afterAll(() => running?.close());

const membershipId = String(envelopeOf('Nils Aumann').membershipId);
const change = async (door: string, type: string, input: object, answer: string) => {
  const { data, errors } = await ingrid.ask<Record<string, { userErrors: object[] }>, object>(
    `mutation($input: ${type}!) { ${door}(input: $input) { ${answer} userErrors { code message } } }`,
    { input },
  );
  expect([errors, data?.[door]?.userErrors]).toEqual([undefined, []]);
  return data?.[door] as never;
};
const versionOf = async () => {
  const { data } = await ingrid.ask<{ member: { version: number } }, object>(
    'query($id: ID!) { member(id: $id) { version } }',
    {
      id: membershipId,
    },
  );
  return data?.member.version;
};
const mayReadInvoices = async () => {
  const { errors } = await nils.ask('{ invoice(id: "01990000-0000-7000-8000-000000000000") { id } }');
  return errors ? errors[0]?.extensions.code : 'OK';
};

test('what an own role or a grant gives and takes holds with the next request of who has it', async () => {
  expect(await mayReadInvoices()).toBe('FORBIDDEN');
  const { role } = (await change(
    'createRole',
    'RoleInput',
    { key: 'invoice_reader', name: 'Invoice reader', adds: ['billing.invoice.read'] },
    'role { id }',
  )) as { role: { id: string } };
  const roles = ['sales', 'invoice_reader'];
  await change(
    'setMemberRoles',
    'MemberRolesInput',
    { membershipId, expectedVersion: await versionOf(), roles },
    'membership { id }',
  );
  expect(await mayReadInvoices()).toBe('OK');
  await change('updateRole', 'UpdateRoleInput', { roleId: role.id, expectedVersion: 1, adds: [] }, 'role { id }');
  expect(await mayReadInvoices()).toBe('FORBIDDEN');
  const until = new Date(Date.now() + 86_400_000).toISOString();
  const asked = {
    membershipId,
    expectedVersion: await versionOf(),
    permission: 'billing.invoice.read',
    reason: 'For the audit.',
    until,
  };
  const { membership } = (await change('grantPermission', 'GrantInput', asked, 'membership { grants { id } }')) as {
    membership: { grants: { id: string }[] };
  };
  expect(await mayReadInvoices()).toBe('OK');
  await change('revokePermission', 'IdInput', { id: membership.grants[0]?.id }, 'membership { id }');
  expect(await mayReadInvoices()).toBe('FORBIDDEN');
});
