import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { localSubgraph } from '../../gateway/data-sources.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { GatewayClient, openGatewayWorld, type Person } from '../setup/gateway.ts';
import { envelopeOf, GATEWAY } from './trial.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
const more: Gateway[] = [];
let clients: GatewayClient[];
let ingrid: Person;

beforeAll(async () => {
  running = await openGatewayWorld();
  const { world } = running;
  const sources = new Map(world.serving.subgraphs.map((one) => [one.name, localSubgraph(one)]));
  for (let i = 0; i < 2; i++)
    more.push(await startGateway(world.config, sources, world.serving.fanOut, createLog(world.config, 'gateway')));
  clients = [running.client, ...more.map(({ port }) => new GatewayClient(port))];
  ingrid = await running.client.signIn('ingrid@northwind.example', running.password);
}, 120_000);
afterAll(async () => {
  for (const gateway of more) await gateway.stop();
  await running?.close();
});

const at = (i: number) => clients[i % clients.length] as GatewayClient;
const [membershipId, ALLOWED, DENIED] = [
  String(envelopeOf('Mira Petrov').membershipId),
  ['billing_manager'],
  ['sales'],
];
const LOOK = '{ invoice(id: "01990000-0000-7000-8000-000000000000") { id } }';
const ME = '{ me { user { id } } }';

/** Runs a mutation at one of the gateways; how long it took, milliseconds. */
async function change(i: number, token: string, door: string, type: string, input?: object): Promise<number> {
  const began = performance.now();
  const { data, errors } = await at(i).post<Record<string, { userErrors: object[] }>, object>(
    input
      ? `mutation($input: ${type}!) { ${door}(input: $input) { userErrors { code message } } }`
      : `mutation { ${door} { userErrors { code message } } }`,
    input ? { input } : {},
    token,
  );
  expect([errors, data?.[door]?.userErrors]).toEqual([undefined, []]);
  return performance.now() - began;
}

async function setRoles(i: number, roles: string[]): Promise<number> {
  const { data } = await ingrid.ask<{ member: { version: number } }, object>(
    'query($id: ID!) { member(id: $id) { version } }',
    { id: membershipId },
  );
  return change(i, ingrid.token, 'setMemberRoles', 'MemberRolesInput', {
    ...{ membershipId, expectedVersion: data?.member.version, roles },
  });
}

/** Whether each of the gateways serves a request that begins now. */
const servedBy = (query: string, token: string) =>
  Promise.all(clients.map(async (client) => !(await client.post(query, {}, token)).errors));

const [EVERYWHERE, NOWHERE] = [
  [true, true, true],
  [false, false, false],
];

describe('At three gateways, no request that begins after the answer is served with the rights of before', () => {
  test('when somebody who never stops asking loses a role, again and again', async () => {
    const { token } = await at(0).signIn('mira@northwind.example', running.password);
    const asked: { begunAt: number; isServed: boolean }[] = [];
    let isOver = false;
    const asking = Promise.all(
      clients.map(async (client) => {
        while (!isOver) {
          const begunAt = performance.now();
          asked.push({ begunAt, isServed: !(await client.post(LOOK, {}, token)).errors });
        }
      }),
    );
    for (let round = 0; round < 12; round++) {
      await setRoles(round, ALLOWED);
      expect(await servedBy(LOOK, token)).toEqual(EVERYWHERE);
      await setRoles(round, DENIED);
      const answeredAt = performance.now();
      expect(await servedBy(LOOK, token)).toEqual(NOWHERE);
      const after = asked.filter(({ begunAt }) => begunAt >= answeredAt);
      expect(after.filter(({ isServed }) => isServed)).toEqual([]);
    }
    isOver = true;
    await asking;
    expect(asked.length).toBeGreaterThan(36);
    await setRoles(0, ALLOWED);
  }, 60_000);

  test('when a member is suspended, or a session is ended or signed out', async () => {
    const email = 'nils@northwind.example';
    const nils = await at(0).signIn(email, running.password);
    const input = { membershipId: envelopeOf('Nils Aumann').membershipId, expectedVersion: 1 };
    expect(await servedBy(ME, nils.token)).toEqual(EVERYWHERE);
    await change(1, ingrid.token, 'suspendMember', 'MemberInput', input);
    expect(await servedBy(ME, nils.token)).toEqual(NOWHERE);
    const [one, other] = [await signInAsJonas(), await signInAsJonas()];
    expect(await servedBy(ME, other.token)).toEqual(EVERYWHERE);
    await change(2, one.token, 'endSession', 'IdInput', { id: sessionOf(other) });
    expect(await servedBy(ME, other.token)).toEqual(NOWHERE);
    expect(await servedBy(ME, one.token)).toEqual(EVERYWHERE);
    await change(1, one.token, 'signOut', '');
    expect(await servedBy(ME, one.token)).toEqual(NOWHERE);
  });

  test('when an own role is cut back, a grant is taken back or a key is revoked', async () => {
    const { token } = await signInAsJonas();
    const made = await ask<{ role: { id: string } }>('createRole', 'RoleInput', 'role { id }', {
      ...{ key: 'invoice_reader', name: 'Invoice reader', adds: ['billing.invoice.read'] },
    });
    const jonas = { membershipId: envelopeOf('Jonas Brandt').membershipId };
    await change(0, ingrid.token, 'setMemberRoles', 'MemberRolesInput', {
      ...{ ...jonas, expectedVersion: 1, roles: ['network_engineer', 'invoice_reader'] },
    });
    expect(await servedBy(LOOK, token)).toEqual(EVERYWHERE);
    await change(1, ingrid.token, 'updateRole', 'UpdateRoleInput', {
      roleId: made.role.id,
      expectedVersion: 1,
      adds: [],
    });
    expect(await servedBy(LOOK, token)).toEqual(NOWHERE);
    const until = new Date(Date.now() + 86_400_000).toISOString();
    const { membership } = await ask<{ membership: { grants: { id: string }[] } }>(
      'grantPermission',
      'GrantInput',
      'membership { grants { id } }',
      { ...jonas, expectedVersion: 2, permission: 'billing.invoice.read', reason: 'For the audit.', until },
    );
    expect(await servedBy(LOOK, token)).toEqual(EVERYWHERE);
    await change(2, ingrid.token, 'revokePermission', 'IdInput', { id: membership.grants[0]?.id });
    expect(await servedBy(LOOK, token)).toEqual(NOWHERE);
    const { apiKey, key } = await ask<{ apiKey: { id: string }; key: string }>(
      'createApiKey',
      'CreateApiKeyInput',
      'apiKey { id } key',
      { idempotencyKey: 'revocation-1', name: 'Export', scopes: ['billing.invoice.read'] },
    );
    expect(await servedBy(LOOK, key)).toEqual(EVERYWHERE);
    await change(1, ingrid.token, 'revokeApiKey', 'RevokeApiKeyInput', { id: apiKey.id });
    expect(await servedBy(LOOK, key)).toEqual(NOWHERE);
  });
});

describe('A gateway that hears nothing', () => {
  const confirm = async (seq: number) => {
    const { execute } = running.world.subgraph('identity');
    const query = 'mutation($seq: Int!) { confirmGrants(nodeId: "deaf", seq: $seq) }';
    await execute(...running.world.signed(GATEWAY, 'identity', query, { seq }));
  };

  test('is waited for three quarters of a second, and not at all when it has been gone for three', async () => {
    await confirm(0);
    expect(await setRoles(0, DENIED)).toBeGreaterThanOrEqual(750);
    await running.world.sql(
      "update kernel.gateway_node set confirmed_at = now() - interval '4 seconds' where node_id = 'deaf'",
    );
    expect(await setRoles(0, ALLOWED)).toBeLessThan(750);
  });

  test('is known to identity by gateways alone', async () => {
    const { errors } = await ingrid.ask('mutation { confirmGrants(nodeId: "me", seq: 9) }');
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});

const signInAsJonas = () => at(0).signIn('jonas@northwind.example', running.password);
const sessionOf = ({ token }: Person): string =>
  JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString()).sid;

async function ask<T>(door: string, type: string, answer: string, input: object): Promise<T> {
  const { data, errors } = await ingrid.ask<Record<string, T & { userErrors: object[] }>, object>(
    `mutation($input: ${type}!) { ${door}(input: $input) { ${answer} userErrors { code message } } }`,
    { input },
  );
  expect([errors, data?.[door]?.userErrors]).toEqual([undefined, []]);
  return data?.[door] as T;
}
