import { randomUUID } from 'node:crypto';
import { isObjectType } from 'graphql';
import type { DoorMarks } from '../../schema/directives.ts';
import { FEATURE_KEYS } from '../../schema/features.ts';
import { PERMISSIONS, PLATFORM_PERMISSIONS } from '../../schema/permissions.ts';
import { marksOf } from '../../subgraphs/_kernel/gate.ts';
import { effectivePermissions } from '../../subgraphs/identity/membership.rules.ts';
import { operationFor } from '../setup/door-operation.ts';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';
import { DOORS } from './door-table.ts';
import { ROLE_TABLE } from './role-table.ts';
import { envelopeOf, tenantId } from './trial.ts';

/** Who of Northwind has each role here. */
const WHO: Record<string, string> = {
  tenant_admin: 'ingrid',
  billing_manager: 'mira',
  support_agent: 'samira',
  network_engineer: 'jonas',
  dispatcher: 'piet',
  technician: 'lotte',
  sales: 'nils',
  auditor: 'edda',
  customer: 'lena',
};
const BECOME: [name: string, role: string][] = [
  ['Piet Claasen', 'dispatcher'],
  ['Lotte Kern', 'technician'],
];

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
const people = new Map<string, Person>();
beforeAll(async () => {
  running = await openGatewayWorld();
  const { client, password } = running;
  const ngozi = await client.signIn('ngozi@platform.example', password);
  for (const key of FEATURE_KEYS)
    await ngozi.ask('mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { message } } }', {
      input: { tenantId: tenantId('northwind'), key, isEnabled: true, reason: 'Every door is tried.' },
    } as object);
  const ingrid = await client.signIn('ingrid@northwind.example', password);
  for (const [name, role] of BECOME) {
    const input = { membershipId: envelopeOf(name).membershipId, expectedVersion: 1, roles: [role] };
    await ingrid.ask(
      'mutation($input: MemberRolesInput!) { setMemberRoles(input: $input) { userErrors { message } } }',
      {
        input,
      } as object,
    );
  }
  for (const [role, name] of Object.entries(WHO)) {
    const options = role === 'customer' ? { realm: 'northwind' } : { tenant: 'northwind' };
    people.set(role, await client.signIn(`${name}@northwind.example`, password, options));
  }
}, 120_000);
afterAll(() => running?.close());

/** The marks of every root field, as the subgraphs declare them, by `Type.field`. */
function declared(): Map<string, DoorMarks> {
  const found = new Map<string, DoorMarks>();
  for (const { subgraph } of running.world.serving.subgraphs)
    for (const type of [subgraph.marked.getQueryType(), subgraph.marked.getMutationType()])
      for (const field of Object.values(type?.getFields() ?? {})) {
        const marks = type && marksOf(type, field as never);
        if (marks && !field.name.startsWith('_')) found.set(`${type.name}.${field.name}`, marks);
      }
  return found;
}

/** Doors whose use case asks for more than the door, by what was asked there. */
const ASKS_MORE: Record<string, string> = { 'Mutation.postMessage': 'tickets.ticket.reply' };

/** What a door says of who may enter, in a word. */
function wordOf({ internal, permission, orOwn, open, signedIn }: DoorMarks): string {
  if (internal) return 'gateway';
  if (permission) return orOwn ? `${permission} or own` : permission;
  return open === undefined ? (signedIn ? 'signed in' : 'nobody') : 'open';
}

test('the roles hold what the documents say, and nothing else', () => {
  for (const [role, held] of ROLE_TABLE)
    expect([role, effectivePermissions([role], false)]).toEqual([role, [...held].sort()]);
  const inAnIsp = PERMISSIONS.filter((permission) => !PLATFORM_PERMISSIONS.includes(permission));
  expect([...(ROLE_TABLE.get('tenant_admin') as Set<string>)].sort()).toEqual([...inAnIsp]);
});

test('no door is missing from the table of doors, and each asks for what stands there', () => {
  const words = Object.fromEntries([...declared()].map(([door, marks]) => [door, wordOf(marks)]).sort());
  expect(words).toEqual(DOORS);
});

test('every door is open to the roles of the table and shut to all others', async () => {
  const { schema } = running.gateway.graph.supergraph;
  let asked = 0;
  const wrong: string[] = [];
  for (const [door, word] of Object.entries(DOORS)) {
    const [type = '', name = ''] = door.split('.');
    const parent = schema.getType(type);
    const field = isObjectType(parent) ? parent.getFields()[name] : undefined;
    if (!field) {
      expect([door, word]).toEqual([door, 'gateway']); // what the gateway alone may ask is no part of the graph
      continue;
    }
    if (word === 'open' || word === 'signed in') continue;
    const permission = ASKS_MORE[door] ?? word.replace(/ or own$/, '');
    for (const [role, held] of ROLE_TABLE) {
      const operation = operationFor(type.toLowerCase(), field, randomUUID(), 1);
      const { errors, data } = await (people.get(role) as Person).ask(operation);
      asked += 1;
      const codes = errors?.map(({ extensions }) => `${extensions.code} ${extensions.reason ?? ''}`.trim()) ?? [];
      const isShut = codes.includes('FORBIDDEN');
      const mayEnter = held.has(permission) || (role === 'customer' && word.endsWith(' or own'));
      if (isShut === mayEnter || codes.includes('UNAUTHENTICATED') || codes.includes('FEATURE_NOT_LICENSED'))
        wrong.push(`${door} (${word}) as ${role}: ${codes} ${JSON.stringify(data)?.slice(0, 80)}`);
    }
  }
  console.log(`every door: ${Object.keys(DOORS).length} doors, ${asked} requests in ${ROLE_TABLE.size} roles`);
  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThan(1_000);
}, 300_000);

test('without a token every door but the open ones is shut', async () => {
  const { schema } = running.gateway.graph.supergraph;
  for (const root of [schema.getQueryType(), schema.getMutationType()])
    for (const field of Object.values(root?.getFields() ?? {})) {
      if (DOORS[`${root?.name}.${field.name}`] === 'open') continue;
      const { errors } = await running.client.post(
        operationFor(String(root?.name).toLowerCase(), field, randomUUID(), 1),
      );
      expect([field.name, errors?.[0]?.extensions.code]).toEqual([field.name, 'UNAUTHENTICATED']);
    }
}, 120_000);
