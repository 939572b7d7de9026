import type { GraphResult } from '../../../subgraphs/_kernel/subgraph.ts';
import { type Caller, openTrial, type Trial } from '../../billing/trial.ts';

let trial: Trial;
beforeAll(async () => {
  trial = await openTrial();
});
afterAll(() => trial.close());

const bruno: Caller = { tenant: 'atlas', roles: ['tenant_admin'] };
const STREAM =
  'subscription($siteId: ID, $after: String) { deviceStatusChanged(siteId: $siteId, after: $after) { device { name lifecycle site { name } } at cursor } }';
interface Change {
  device: { name: string; lifecycle: string; site: { name: string } | null };
  cursor: string;
}

async function open(variables: Record<string, unknown> = {}, who = bruno) {
  const source = (await trial.subscribe('network', who, STREAM, variables)) as AsyncGenerator<GraphResult>;
  return {
    source,
    next: async () => ((await source.next()).value as GraphResult).data?.deviceStatusChanged as Change,
    close: () => source.return(undefined),
  };
}
async function register(name: string, who = bruno, siteId?: string): Promise<string> {
  const input = { name, kind: 'CPE', vendor: 'Cambium', model: 'Force', serial: name, siteId };
  const { data } = await trial.ask(
    'network',
    who,
    'mutation($input: RegisterDeviceInput!) { registerDevice(input: $input) { device { id } } }',
    { input },
  );
  return (data as { registerDevice: { device: { id: string } } }).registerDevice.device.id;
}
const commission = (id: string) =>
  trial.ask('network', bruno, `mutation { commissionDevice(input: { deviceId: "${id}" }) { device { id } } }`);

test('who follows the devices sees them as they are, then each change, and goes on where it stopped', async () => {
  const siteId = '01990000-0000-7000-8000-000000004408';
  const stream = await open({ siteId });
  const seen = [await stream.next(), await stream.next()];
  expect(seen.map(({ device }) => device)).toEqual([
    { name: 'agg-8', lifecycle: 'IN_SERVICE', site: { name: 'Ring 8' } },
    { name: 'olt-8', lifecycle: 'IN_SERVICE', site: { name: 'Ring 8' } },
  ]);
  await register('elsewhere');
  await register('foreign', { tenant: 'kestrel', roles: ['tenant_admin'] });
  const id = await register('cpe-8', bruno, siteId);
  const registered = await stream.next();
  expect(registered.device).toEqual({ name: 'cpe-8', lifecycle: 'PLANNED', site: { name: 'Ring 8' } });
  await stream.close();

  await commission(id);
  const again = await open({ siteId, after: registered.cursor });
  expect((await again.next()).device).toMatchObject({ name: 'cpe-8', lifecycle: 'IN_SERVICE' });
  await again.close();
});

test('a cursor from the future misses nothing that comes', async () => {
  const after = Buffer.from('[999999]').toString('base64url');
  const stream = await open({ after });
  const next = stream.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  await register('later');
  expect((await next).device.name).toBe('later');
  await stream.close();
});

test.each([
  { after: 'nonsense' },
  { after: Buffer.from('["x"]').toString('base64url') },
])('%j is refused', async (variables) => {
  const answer = (await trial.subscribe('network', bruno, STREAM, variables)) as GraphResult;
  expect(answer.errors).toMatchObject([
    { message: 'This cursor is not one of ours.', extensions: { code: 'BAD_USER_INPUT' } },
  ]);
});

test('a customer may not follow devices', async () => {
  const customerId = '01990000-0000-7000-8000-000000007079';
  const answer = (await trial.subscribe(
    'network',
    { tenant: 'atlas', roles: ['customer'], customerId },
    STREAM,
  )) as GraphResult;
  expect(answer.errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
});
