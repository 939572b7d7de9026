import { prepareOperation } from '../../gateway/execution/operation.ts';
import { FullDoors, SHUT_MS } from '../../gateway/full-doors.ts';
import { shed } from '../../gateway/metrics.ts';
import type { ClientError } from '../../schema/errors.ts';
import { until } from '../kernel/by-hand.ts';
import { openGatewayWorld } from '../setup/gateway.ts';

const asking = (...queuedFields: string[]) => ({ kind: 'mutation', queuedFields }) as const;

test('a door that said it is full is shut for a moment, and no other', () => {
  let now = 0;
  const doors = new FullDoors(() => now);
  doors.refuseIfShut(asking('signIn'));
  doors.shut(asking('signIn'));
  now = SHUT_MS - 1;
  expect(() => doors.refuseIfShut(asking('signIn'))).toThrow('Too much is going on at once.');
  expect(() => doors.refuseIfShut(asking('stepUp', 'signIn'))).toThrow();
  doors.refuseIfShut(asking('stepUp'));
  doors.refuseIfShut({ kind: 'query', queuedFields: ['signIn'] });
  now = SHUT_MS;
  doors.refuseIfShut(asking('signIn'));
});

test('who is turned away hears when to come back', () => {
  const doors = new FullDoors();
  doors.shut(asking('signIn'));
  const refusal = (() => {
    try {
      doors.refuseIfShut(asking('signIn'));
    } catch (error) {
      return error as ClientError;
    }
  })();
  expect(refusal?.code).toBe('OVERLOADED');
  expect(refusal?.extensions.retryAfterMs).toBeGreaterThanOrEqual(1_000);
  expect(refusal?.extensions.retryAfterMs).toBeLessThanOrEqual(2_000);
});

describe('A crowd that signs in', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  beforeAll(async () => {
    running = await openGatewayWorld({ TRUST_PROXY: 'true' });
  });
  afterAll(() => running.close());

  const SIGN_IN =
    'mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken } userErrors { code } } }';
  const guess = (n: number) =>
    running.client.post<{ signIn: { userErrors: { code: string }[] } }, object>(
      SIGN_IN,
      { input: { email: `nobody-${n}@nowhere.example`, password: 'not the right one', transport: 'BODY' } },
      undefined,
      { 'x-forwarded-for': `10.9.${n}.1` },
    );
  const turnedAway = async () =>
    (await shed.get()).values.find(({ labels }) => labels.reason === 'door_full')?.value ?? 0;

  test('waits in its own queue and holds up nobody; those for whom there is no place hear it at once', async () => {
    const { client, gateway, password } = running;
    const ingrid = await client.signIn('ingrid@northwind.example', password);
    const { shedding } = gateway.graph.parts;
    const before = await turnedAway();
    const crowd = Array.from({ length: 150 }, (_, n) => guess(n));
    const settled = Promise.all(crowd);
    // They hash for seconds, and none of them holds a place meanwhile.
    await until('somebody is turned away', async () => (await turnedAway()) > before);
    await until('nobody holds a place', () => shedding?.state.running === 0);
    const { data } = await ingrid.ask<{ tenant: { slug: string } }, object>('{ tenant { slug } }');
    expect(data?.tenant.slug).toBe('northwind');

    const codes = (await settled).map(({ data: said, errors }) => [
      said?.signIn?.userErrors[0]?.code ?? errors?.[0]?.extensions.code,
      errors?.[0]?.extensions.retryAfterMs === undefined,
    ]);
    const count = (code: string) => codes.filter(([one]) => one === code).length;
    expect(count('INVALID') + count('OVERLOADED')).toBe(150);
    expect(count('INVALID')).toBeGreaterThan(5);
    expect(count('OVERLOADED')).toBeGreaterThan(20);
    // Whoever is turned away, here or there, hears when to come back.
    expect(codes.filter(([code, isSilent]) => code === 'OVERLOADED' && isSilent)).toEqual([]);

    const { data: again } = await guess(151);
    expect(again?.signIn.userErrors[0]?.code).toBe('INVALID');
  });

  test('is told apart in the supergraph: doors that hash passwords queue, alone or together, and no others', () => {
    const { supergraph } = running.gateway.graph;
    const asked = (text: string) => {
      const { queuedFields, isQueued } = prepareOperation(supergraph, text, undefined);
      return [queuedFields, isQueued];
    };
    const HASHING = ['signIn', 'stepUp', 'changePassword', 'registerUser', 'activateAccount', 'resetPassword'];
    expect(supergraph.queuedFields('mutation', [...HASHING, 'refreshSession', 'signOut', '__typename'])).toEqual(
      HASHING,
    );
    expect(supergraph.queuedFields('query', HASHING)).toEqual([]);
    const signIn = 'signIn(input: { email: "a@b.example", password: "p", transport: BODY }) { userErrors { code } }';
    const signOut = 'signOut { userErrors { code } }';
    expect(asked(`mutation { ${signIn} }`)).toEqual([['signIn'], true]);
    expect(asked(`mutation { __typename ${signIn} }`)).toEqual([['signIn'], true]);
    expect(asked(`mutation { ${signIn} ${signOut} }`)).toEqual([['signIn'], false]);
    expect(asked(`mutation { ${signOut} }`)).toEqual([[], false]);
    expect(asked('{ __typename }')).toEqual([[], false]);
  });
});
