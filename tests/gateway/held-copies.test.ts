import { SEED_TENANTS, seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { openGatewayWorld } from '../setup/gateway.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
beforeAll(async () => {
  running = await openGatewayWorld();
}, 60_000);
afterAll(() => running?.close());

const SWITCH =
  'mutation($input: SwitchTenantInput!) { switchTenant(input: $input) { session { accessToken tenant { slug } } } }';
const CHANGES = 10;
/** Nothing new is said again after this, milliseconds, so that whoever waits knows that the gateway lives. */
const AGAIN_MS = 500;

interface Switched {
  switchTenant: { session: { accessToken: string; tenant: { slug: string } } | null };
}

test('A change that is heard, and told of by its own mutation, is held at once and confirmed once', async () => {
  const { client, world, password } = running;
  let { token } = await client.signIn('edda@northwind.example', password);
  const began = performance.now();
  const statements = await world.statementsOf('identity', async () => {
    for (let i = 0; i < CHANGES; i++) {
      const slug = i % 2 ? 'northwind' : 'harbour';
      const input = { tenantId: seedId(SEED_TENANTS[slug]) };
      const { data } = await client.post<Switched, object>(SWITCH, { input }, token);
      expect(data?.switchTenant.session?.tenant.slug).toBe(slug);
      const former = token;
      token = String(data?.switchTenant.session?.accessToken);
      expect((await client.post('{ me { user { id } } }', {}, token)).errors).toBeUndefined();
      expect((await client.post('{ me { user { id } } }', {}, former)).errors).toBeDefined();
    }
  });
  const confirmed = statements.filter((query) => query.includes('kernel.confirm_feed')).length;
  expect(confirmed).toBeGreaterThan(0);
  expect(confirmed).toBeLessThanOrEqual(CHANGES + (performance.now() - began) / AGAIN_MS);
}, 30_000);
