import { type GatewayClient, openGatewayWorld, type Person } from '../setup/gateway.ts';
import { envelopeOf } from './trial.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
let client: GatewayClient;
let ingrid: Person;
beforeAll(async () => {
  running = await openGatewayWorld();
  client = running.client;
  ingrid = await client.signIn('ingrid@northwind.example', running.password);
}, 60_000);
afterAll(() => running?.close());

const STREAM =
  'subscription($after: String) { memberUpdated(after: $after) { cursor member { id version roles { key } user { displayName } } } }';
interface Update {
  memberUpdated: { cursor: string; member: { id: string; version: number; roles: { key: string }[]; user: object } };
}
const setRoles = (name: string, expectedVersion: number, roles: string[]) =>
  ingrid.ask('mutation($input: MemberRolesInput!) { setMemberRoles(input: $input) { userErrors { message } } }', {
    input: { membershipId: envelopeOf(name).membershipId, expectedVersion, roles },
  } as object);

test('who may read members is told of each change of one, and after an interruption of what was missed', async () => {
  const stream = ingrid.follow<Update, object>(STREAM);
  await new Promise((resolve) => setTimeout(resolve, 500)); // until it is open
  await setRoles('Nils Aumann', 1, ['sales', 'auditor']);
  const { data } = await stream.next();
  expect(data?.memberUpdated.member).toEqual({
    id: envelopeOf('Nils Aumann').membershipId,
    version: 2,
    roles: [{ key: 'sales' }, { key: 'auditor' }],
    user: { displayName: 'Nils Aumann' },
  });
  await stream.stop();
  await setRoles('Nils Aumann', 2, ['sales']);
  await setRoles('Piet Claasen', 1, ['dispatcher']);
  const again = ingrid.follow<Update, object>(STREAM, { after: data?.memberUpdated.cursor });
  const missed = [await again.next(), await again.next()].map((result) => result.data?.memberUpdated.member);
  expect(missed.map((member) => member?.roles)).toEqual([[{ key: 'sales' }], [{ key: 'dispatcher' }]]);
});

test('who may not read members is not let in, and another tenant’s people see nothing of it', async () => {
  const lena = await client.signIn('lena@northwind.example', running.password, { realm: 'northwind' });
  const { errors } = await lena.follow(STREAM).next();
  expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  const wren = await client.signIn('wren@kestrel.example', running.password);
  const stream = wren.follow<Update, object>(STREAM);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await setRoles('Lotte Kern', 1, ['dispatcher']);
  await expect(
    Promise.race([stream.next(), new Promise((resolve) => setTimeout(() => resolve('silence'), 800))]),
  ).resolves.toBe('silence');
});
