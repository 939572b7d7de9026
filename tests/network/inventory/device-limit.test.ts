import { NGOZI, openWorld, type World, WREN } from '../../setup/world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.close());

const KESTREL = '01990000-0000-7000-8000-000000000a01';
const TOLD = '{ device { id name lifecycle } userErrors { code field message } }';
let count = 0;

async function tell(door: string, input: object) {
  const type = `${door[0]?.toUpperCase()}${door.slice(1)}Input`;
  const { data, errors } = await world.ask(
    WREN,
    'network',
    `mutation($input: ${type}!) { ${door}(input: $input) ${TOLD} }`,
    { input },
  );
  const answer = data?.[door] as {
    device: { id: string; name: string; lifecycle: string } | null;
    userErrors: object[];
  } | null;
  return { device: answer?.device ?? null, userErrors: answer?.userErrors ?? [], errors };
}
const register = () => {
  count += 1;
  return tell('registerDevice', {
    ...{ name: `late-${count}`, kind: 'ROUTER', vendor: 'MikroTik', model: 'RB5009', serial: `LATE${count}` },
  });
};
/** The platform lowers or raises what kestrel may have; its add-ons and plan stay. */
async function allow(limit: string): Promise<void> {
  const { data, errors } = await world.ask(
    NGOZI,
    'licensing',
    'mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { message } } }',
    { input: { tenantId: KESTREL, key: 'devices', limit, reason: 'Agreed with their sales.' } },
  );
  expect([errors, data?.setOverride]).toEqual([undefined, { userErrors: [] }]);
  await world.untilNoJobs();
}
const rows = async () =>
  (
    await world.sql(
      `select (select used::int from kernel.quota where tenant_id = $1 and key = 'devices') as used,
              (select count(*)::int from network.device where tenant_id = $1) as devices,
              (select string_agg(id::text || lifecycle, ',' order by id) from network.device where tenant_id = $1) as states`,
      [KESTREL],
    )
  )[0];
const routers = async (n: number): Promise<string[]> =>
  (
    await world.sql(
      "select id from network.device where tenant_id = $1 and kind = 'ROUTER' and lifecycle <> 'RETIRED' order by id limit $2",
      [KESTREL, n],
    )
  ).map(({ id }) => id);

test('A limit below what is there takes nothing away: every device works on, none can be added until fewer are there', async () => {
  const plannedId = (await register()).device?.id;
  const before = await rows();
  expect(before.used).toBe(23);
  await allow('20');
  expect(await rows()).toEqual(before);

  const planned = await tell('commissionDevice', { deviceId: plannedId });
  expect(planned).toMatchObject({ errors: undefined, userErrors: [], device: { lifecycle: 'IN_SERVICE' } });
  const listed = await world.ask(WREN, 'network', '{ devices(first: 100) { nodes { id } } }');
  expect(listed.errors).toBeUndefined();

  const over = await register();
  expect(over.errors?.[0]).toMatchObject({
    message: 'The plan allows 20 devices and 23 are in use.',
    extensions: { code: 'QUOTA_EXCEEDED', key: 'devices', limit: '20', used: '23' },
  });
  expect((await rows()).devices).toBe(before.devices);
});

test('Retiring down to the limit is not enough, one below it is; at the limit it is full again', async () => {
  const [last, ...others] = await routers(4);
  const retire = async (deviceId?: string) =>
    expect(await tell('retireDevice', { deviceId })).toMatchObject({ errors: undefined, userErrors: [] });
  for (const id of others) await retire(id);
  expect((await rows()).used).toBe(20);
  expect((await register()).errors?.[0]?.extensions?.code).toBe('QUOTA_EXCEEDED');
  await retire(last);
  expect(await register()).toMatchObject({ errors: undefined, userErrors: [], device: { lifecycle: 'PLANNED' } });
  expect((await rows()).used).toBe(20);
  expect((await register()).errors?.[0]?.extensions?.code).toBe('QUOTA_EXCEEDED');
});

test('A raised limit lets the next one in at once', async () => {
  await allow('21');
  expect((await register()).device).not.toBeNull();
  expect((await register()).errors?.[0]?.extensions).toMatchObject({ code: 'QUOTA_EXCEEDED', limit: '21', used: '21' });
});
