import { setTimeout as sleep } from 'node:timers/promises';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { type GraphError, openGatewayWorld, type Person } from '../setup/gateway.ts';
import { DOORS, followOver } from '../setup/streams.ts';

const KESTREL = seedId('0a01');
const SET = `mutation($input: SetEnforcementInput!) { setEnforcement(input: $input) {
  license { version enforcement } propagation { nodes acknowledged } userErrors { code message } } }`;
const OVERRIDE = 'mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { code } } }';
const REMOVE = 'mutation($input: RemoveOverrideInput!) { removeOverride(input: $input) { userErrors { code } } }';
const CONTACTS = '{ contacts(first: 5) { nodes { id displayName } } }';

describe('Gates that only observe let pass what is not in the plan, and write it down', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let wren: Person;
  let ngozi: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    wren = await running.client.signIn('wren@kestrel.example', running.password);
    ngozi = await running.client.signIn('ngozi@platform.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());

  const observe = async (forMs: number | null) => {
    const observeUntil = forMs === null ? null : new Date(Date.now() + forMs).toISOString();
    const mode = forMs === null ? 'ENFORCE' : 'OBSERVE';
    const { data } = await ngozi.ask<{ setEnforcement: { userErrors: object[] } }, object>(SET, {
      input: { tenantIds: [KESTREL], mode, observeUntil },
    });
    expect(data?.setEnforcement).toMatchObject({
      license: { enforcement: mode },
      propagation: { acknowledged: 1 },
      userErrors: [],
    });
  };
  const observedSince = async (at: Date) => {
    await running.gateway.graph.parts.denials?.flush();
    return running.world.sql(
      'select feature, coordinate, reason, plan, actor from licensing.denial where was_observed and at >= $1 order by at, id',
      [at],
    );
  };
  const codeOf = ({ errors }: { errors?: readonly GraphError[] }) => errors?.[0]?.extensions.code;
  const reasonOf = ({ errors }: { errors?: readonly GraphError[] }) => errors?.[0]?.extensions.reason;

  test('the next request after the order passes, reads and writes alike, and each answer is one denial', async () => {
    expect(codeOf(await wren.ask(CONTACTS))).toBe('FEATURE_NOT_LICENSED');
    await observe(60_000);
    const from = new Date();
    const read = await wren.ask(
      '{ a: contacts { nodes { displayName points { type } } } leads { nodes { number } } customers(first: 1) { nodes { contacts { id } } } }',
    );
    expect(read.errors).toBeUndefined();
    expect(read.status).toBe(200);
    const made = await wren.ask<{ createContact: { contact: { displayName: string } } }, object>(
      'mutation { createContact(input: { displayName: "Marcus Tran" }) { contact { displayName } userErrors { code } } }',
    );
    expect(made.data?.createContact).toEqual({ contact: { displayName: 'Marcus Tran' }, userErrors: [] });
    const what = { feature: 'crm', reason: 'NOT_IN_PLAN', plan: 'starter', actor: seedId('6011') };
    expect(await observedSince(from)).toEqual([
      { ...what, coordinate: expect.stringMatching(/^(Query\.contacts|Query\.leads|Customer\.contacts)$/) },
      { ...what, coordinate: 'Mutation.createContact' },
    ]);
  });

  test('what the licence says stays as it is: the feature is none of the plan’s', async () => {
    const { data } = await wren.ask(
      '{ license { enforcement enabledFeatures features(keys: ["crm"]) { access source reason } } }',
    );
    expect(data).toEqual({
      license: {
        ...{ enforcement: 'OBSERVE', enabledFeatures: ['tickets'] },
        features: [{ access: 'NONE', source: 'DEFAULT', reason: 'NOT_IN_PLAN' }],
      },
    });
  });

  test('answers of what is licensed are written down nowhere', async () => {
    const from = new Date();
    expect(
      (await wren.ask('{ tickets(first: 1) { nodes { number } } customers(first: 1) { nodes { name } } }')).errors,
    ).toBeUndefined();
    expect(await observedSince(from)).toEqual([]);
  });

  test.each(DOORS)('a stream passes over %s, and is one denial however much it tells', async (door) => {
    const from = new Date();
    const stream = await followOver(door, {
      ...{ url: running.client.url, token: wren.token },
      query: 'subscription { contactsChanged { kind contact { displayName } } }',
    });
    await stream.next();
    for (const name of ['One', 'Two'])
      await wren.ask('mutation($input: CreateContactInput!) { createContact(input: $input) { userErrors { code } } }', {
        input: { displayName: `${name} over ${door}` },
      });
    expect((await stream.next<{ contactsChanged: object }>()).data?.contactsChanged).toBeTruthy();
    await stream.next();
    stream.stop();
    const coordinates = (await observedSince(from)).map(({ coordinate }) => coordinate);
    expect(coordinates.filter((coordinate) => coordinate === 'Subscription.contactsChanged')).toHaveLength(1);
    expect(coordinates.filter((coordinate) => coordinate !== 'Subscription.contactsChanged')).toEqual(
      Array(2).fill('Mutation.createContact'),
    );
  });

  test('background work of the module runs as well', async () => {
    await wren.ask(
      'mutation { createCustomer(input: { name: "Observed Bakery", kind: BUSINESS, email: "bakery@example.com" }) { userErrors { message } } }',
    );
    await running.world.untilNoJobs();
    const receipts = await running.world.sql(
      "select count(*)::int as heard from kernel.reaction_receipt where tenant_id = $1 and task = 'crm.keepPrimaryContact'",
      [KESTREL],
    );
    expect(receipts[0].heard).toBeGreaterThan(0);
  });

  test('any other reason refuses as ever', async () => {
    await ngozi.ask(OVERRIDE, { input: { tenantId: KESTREL, key: 'crm', isEnabled: false, reason: 'Under review.' } });
    const refused = await wren.ask(CONTACTS);
    expect(reasonOf(refused)).toBe('OVERRIDE_OFF');
    expect(refused.status).toBe(402);
    await ngozi.ask(REMOVE, { input: { tenantId: KESTREL, key: 'crm', reason: 'Settled now.' } });
    expect((await wren.ask(CONTACTS)).errors).toBeUndefined();
    const { data } = await ngozi.ask<{ placeLicenseHold: { license: { holds: { id: string }[] } } }, object>(
      'mutation($input: PlaceLicenseHoldInput!) { placeLicenseHold(input: $input) { license { holds { id } } } }',
      { input: { tenantId: KESTREL, kind: 'OPERATOR', level: 'SUSPENDED', reason: 'Looking into it.' } },
    );
    expect(codeOf(await wren.ask(CONTACTS))).toBe('FEATURE_NOT_LICENSED');
    await ngozi.ask(
      'mutation($input: LiftLicenseHoldInput!) { liftLicenseHold(input: $input) { userErrors { code } } }',
      {
        input: { id: data?.placeLicenseHold.license.holds[0]?.id, reason: 'Settled now.' },
      },
    );
    expect((await wren.ask(CONTACTS)).errors).toBeUndefined();
  });

  test('it ends by itself at its instant, for requests and for open streams', async () => {
    await observe(2_000);
    const until = Date.now() + 2_000;
    const stream = wren.follow('subscription { contactsChanged { kind } }');
    await stream.next();
    await sleep(Math.max(0, until - Date.now() - 700));
    expect((await wren.ask(CONTACTS)).errors).toBeUndefined();
    let last = await stream.next();
    while (!last.errors) last = await stream.next();
    expect(last.errors[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED', reason: 'NOT_IN_PLAN' });
    expect(Date.now() - until).toBeLessThan(1_000);
    expect(reasonOf(await wren.ask(CONTACTS))).toBe('NOT_IN_PLAN');
  });

  test('an order to refuse again holds from the next request on', async () => {
    await observe(60_000);
    expect((await wren.ask(CONTACTS)).errors).toBeUndefined();
    await observe(null);
    expect(reasonOf(await wren.ask(CONTACTS))).toBe('NOT_IN_PLAN');
  });

  test('an order to the whole fleet reaches every tenant within seconds', async () => {
    const observeUntil = new Date(Date.now() + 60_000).toISOString();
    await ngozi.ask(SET, { input: { all: true, mode: 'OBSERVE', observeUntil } });
    const until = Date.now() + 5_000;
    while ((await wren.ask(CONTACTS)).errors && Date.now() < until) await sleep(50);
    expect((await wren.ask(CONTACTS)).errors).toBeUndefined();
  });
});
