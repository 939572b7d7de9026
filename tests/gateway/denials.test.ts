import { randomUUID } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { type GraphError, openGatewayWorld, type Person } from '../setup/gateway.ts';
import { DOORS, followOver } from '../setup/streams.ts';

interface Told {
  id: string;
  feature: string;
  coordinate: string;
  reason: string;
  plan: string;
  actor: string;
  wasObserved: boolean;
  clickedAt: string | null;
  boughtAt: string | null;
  tenant: { name: string };
}

interface Page {
  nodes: Told[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

const KESTREL = seedId('0a01');
const DENIALS = `query($filter: DenialFilter, $first: Int! = 100, $after: String) { denials(filter: $filter, first: $first, after: $after) {
  nodes { id feature coordinate reason plan actor at wasObserved clickedAt boughtAt tenant { name } } pageInfo { hasNextPage endCursor } } }`;
const CLICK = `mutation($id: ID!) { recordUpgradeClick(input: { denialId: $id }) {
  denial { id feature clickedAt boughtAt } userErrors { code message field } } }`;

describe('What a licence denies is told, recorded and followed up', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let wren: Person;
  let ada: Person;
  let ingrid: Person;
  let ngozi: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    const signIn = (email: string) => running.client.signIn(email, running.password);
    wren = await signIn('wren@kestrel.example');
    ada = await signIn('ada@kestrel.example');
    ingrid = await signIn('ingrid@northwind.example');
    ngozi = await signIn('ngozi@platform.example');
  }, 60_000);
  afterAll(() => running?.close());

  const flush = () => running.gateway.graph.parts.denials?.flush();
  const deniedIn = ({ errors = [] }: { errors?: readonly GraphError[] }) =>
    errors.filter(({ extensions }) => extensions.code === 'FEATURE_NOT_LICENSED').map(({ extensions }) => extensions);
  const pageOf = async (variables: object): Promise<Page> => {
    const { data, errors } = await ngozi.ask<{ denials: Page }, object>(DENIALS, variables);
    if (!data) throw new Error(JSON.stringify(errors));
    return data.denials;
  };
  const listed = async (filter: object = {}) => {
    await flush();
    return (await pageOf({ filter })).nodes;
  };
  const byId = async (id: unknown) => (await listed()).find((denial) => denial.id === id);
  const click = async (who: Person, id: unknown) => {
    const { data } = await who.ask<{ recordUpgradeClick: { denial: Told | null; userErrors: object[] } }, object>(
      CLICK,
      { id },
    );
    return data?.recordUpgradeClick;
  };

  test('nothing but contacts is 402 with the way out; beside a licence it is 200, and the rest is there', async () => {
    const alone = await wren.ask('{ contacts(first: 5) { nodes { displayName } } }');
    expect(alone.status).toBe(402);
    expect(alone.data).toEqual({ contacts: null });
    expect(alone.errors).toEqual([
      {
        message: 'Your plan does not include CRM.',
        path: ['contacts'],
        extensions: {
          code: 'FEATURE_NOT_LICENSED',
          feature: 'crm',
          reason: 'NOT_IN_PLAN',
          licenseVersion: expect.any(Number),
          requiredPlan: 'professional',
          addOns: [],
          upgradeUrl: '/billing/upgrade?feature=crm',
          denialId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
        },
      },
    ]);
    const beside = await wren.ask<{ license: { version: number } }, object>(
      '{ license { version } contacts(first: 5) { nodes { displayName } } }',
    );
    expect(beside.status).toBe(200);
    expect(beside.data).toEqual({ license: { version: alone.errors?.[0]?.extensions.licenseVersion }, contacts: null });
    expect(deniedIn(beside)).toHaveLength(1);
  });

  test('a denial is one per feature and answer, however many fields went without, and says who asked what', async () => {
    const answer = await wren.ask(
      '{ a: contacts { nodes { id } } b: contacts { nodes { id } } leads { nodes { id } } }',
    );
    const ids = new Set(deniedIn(answer).map(({ denialId }) => denialId));
    expect(deniedIn(answer)).toHaveLength(3);
    expect(ids.size).toBe(1);
    const [id] = ids;
    expect(await byId(id)).toEqual({
      ...{ id, feature: 'crm', coordinate: 'Query.contacts', reason: 'NOT_IN_PLAN', plan: 'starter' },
      ...{ actor: seedId('6011'), at: expect.any(String), wasObserved: false, clickedAt: null, boughtAt: null },
      tenant: { name: 'Kestrel Wireless' },
    });
    const again = await wren.ask('{ contacts { nodes { id } } }');
    expect(deniedIn(again)[0]?.denialId).not.toBe(id);
  });

  test('a field another domain adds is told by its own name, and a mutation by its', async () => {
    const nested = await wren.ask('{ customers(first: 2) { nodes { name contacts { displayName } } } }');
    const [field] = deniedIn(nested);
    expect(await byId(field?.denialId)).toMatchObject({ coordinate: 'Customer.contacts' });
    const [mutation] = deniedIn(
      await wren.ask('mutation { createContact(input: { displayName: "Bo" }) { userErrors { code } } }'),
    );
    expect(await byId(mutation?.denialId)).toMatchObject({ coordinate: 'Mutation.createContact' });
  });

  test.each(DOORS)('a stream refused for the licence is a denial too, over %s', async (door) => {
    const stream = await followOver(door, {
      ...{ url: running.client.url, token: wren.token },
      query: 'subscription { contactsChanged { kind } }',
    });
    const { errors } = await stream.next();
    const [denied] = deniedIn({ errors });
    expect(denied).toMatchObject({ feature: 'crm', requiredPlan: 'professional', denialId: expect.any(String) });
    expect(denied).not.toHaveProperty('coordinate');
    expect(await byId(denied?.denialId)).toMatchObject({
      coordinate: 'Subscription.contactsChanged',
      reason: 'NOT_IN_PLAN',
    });
    stream.stop();
  });

  test('a stream that ends because the feature does is a denial with the reason', async () => {
    const stream = ingrid.follow('subscription { contactsChanged { kind } }');
    await stream.next();
    const northwind = seedId('0a02');
    const set = (isEnabled: boolean) =>
      ngozi.ask('mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { code } } }', {
        input: { tenantId: northwind, key: 'crm', isEnabled, reason: 'Under review.' },
      });
    await set(false);
    let [denied] = deniedIn(await stream.next());
    while (!denied) [denied] = deniedIn(await stream.next());
    expect(denied).toMatchObject({ reason: 'OVERRIDE_OFF' });
    expect(await byId(denied.denialId)).toMatchObject({
      ...{
        coordinate: 'Subscription.contactsChanged',
        reason: 'OVERRIDE_OFF',
        plan: 'professional',
        tenant: { name: 'Northwind Fibre' },
      },
    });
    await set(true);
  });

  test('what a lapsed licence leaves shut of the core is no denial: nothing on a shelf would open it', async () => {
    await ngozi.ask(
      'mutation($input: PlaceLicenseHoldInput!) { placeLicenseHold(input: $input) { userErrors { code } } }',
      {
        input: { tenantId: seedId('0a03'), kind: 'OPERATOR', level: 'RESTRICTED', reason: 'Looking into it.' },
      },
    );
    const chidi = await running.client.signIn('chidi@harbour.example', running.password);
    const before = (await listed()).length;
    const refused = await chidi.ask(
      'mutation { createCustomer(input: { name: "New Bakery", kind: BUSINESS }) { userErrors { code } } }',
    );
    expect(deniedIn(refused)).toEqual([expect.objectContaining({ feature: 'core', upgradeUrl: '/billing' })]);
    expect(deniedIn(refused)[0]).not.toHaveProperty('denialId');
    expect(await listed()).toHaveLength(before);
  });

  test('a click is noted once, at once, and by people of the tenant alone: a foreign id is as good as none', async () => {
    const [denied] = deniedIn(await wren.ask('{ leads { nodes { id } } }'));
    const id = denied?.denialId;
    const clicked = await click(ada, id); // long before the gateway's second is over
    expect(clicked).toMatchObject({
      denial: { id, feature: 'crm', clickedAt: expect.any(String), boughtAt: null },
      userErrors: [],
    });
    expect((await click(wren, id))?.denial?.clickedAt).toBe(clicked?.denial?.clickedAt);
    const refusal = {
      denial: null,
      userErrors: [{ code: 'NOT_FOUND', message: 'There is no such denial.', field: 'denialId' }],
    };
    for (const strange of [seedId('2d00'), id, randomUUID(), uuidv7(), 'x', ''])
      expect(await click(ingrid, strange)).toEqual(refusal);
    expect((await running.client.post(CLICK, { id })).errors?.[0]).toMatchObject({
      ...{ message: 'Please sign in.', extensions: { code: 'UNAUTHENTICATED' } },
    });
  }, 30_000);

  test('a foreign id takes as long to refuse as one that nothing has', async () => {
    const foreign: number[] = [];
    const random: number[] = [];
    const timed = async (into: number[], id: string) => {
      const startedAt = performance.now();
      await click(ingrid, id);
      into.push(performance.now() - startedAt);
    };
    for (let i = 0; i < 40; i++) {
      await timed(foreign, seedId((0x2d00 + i).toString(16)));
      await timed(random, randomUUID());
    }
    const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] as number;
    expect(median(foreign) / median(random)).toBeLessThan(3);
    expect(median(random) / median(foreign)).toBeLessThan(3);
  }, 30_000);

  test('the platform reads all denials page by page and by what it looks for; an administrator of an ISP none', async () => {
    const whole = await listed({ tenantId: KESTREL, feature: 'crm', wasObserved: false });
    expect(whole.length).toBeGreaterThan(40);
    const paged: Told[] = [];
    for (let after: string | null = null, isMore = true; isMore; ) {
      const page: Page = await pageOf({ filter: { tenantId: KESTREL }, first: 7, after });
      paged.push(...page.nodes);
      after = page.pageInfo.endCursor;
      isMore = page.pageInfo.hasNextPage;
    }
    expect(paged).toEqual(whole);
    expect(await listed({ reason: 'EXPIRED' })).toEqual([]);
    expect(await listed({ tenantId: 'nobody' })).toEqual([]);
    expect((await listed({ isClicked: true })).every(({ clickedAt }) => clickedAt !== null)).toBe(true);
    const refused = async (query: string, variables?: object) =>
      (await ingrid.ask(query, variables)).errors?.[0]?.extensions.code;
    expect(await refused(DENIALS, {})).toBe('FORBIDDEN');
    expect(await refused('{ upgradeConversion { denials } }')).toBe('FORBIDDEN');
    expect(await refused('{ licensePropagation { changes } }')).toBe('FORBIDDEN');
    expect((await ngozi.ask(DENIALS, { filter: { feature: 'crn' } })).errors?.[0]).toMatchObject({
      ...{ message: expect.stringContaining('Unknown feature: crn.'), extensions: { code: 'BAD_USER_INPUT' } },
    });
    expect((await ngozi.ask(DENIALS, { first: 101 })).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect((await ngozi.ask(DENIALS, { after: 'eA' })).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    for (const days of [0, 91])
      expect(
        (await ngozi.ask('query($days: Int!) { upgradeConversion(days: $days) { denials } }', { days })).errors?.[0]
          ?.extensions.code,
      ).toBe('BAD_USER_INPUT');
  });

  test('it is known how fast changes reached the gateways', async () => {
    const { data } = await ngozi.ask<{ licensePropagation: Record<string, number> }, object>(
      '{ licensePropagation { changes complete medianMs p95Ms worstMs } }',
    );
    const { changes = 0, complete, medianMs = -1, p95Ms = -1, worstMs = -1 } = data?.licensePropagation ?? {};
    expect(changes).toBeGreaterThanOrEqual(3);
    expect(complete).toBe(changes);
    expect(medianMs).toBeGreaterThanOrEqual(0);
    expect(medianMs).toBeLessThanOrEqual(p95Ms);
    expect(p95Ms).toBeLessThanOrEqual(worstMs);
    expect((await ngozi.ask('{ licensePropagation(minutes: 0) { changes } }')).errors?.[0]?.extensions.code).toBe(
      'BAD_USER_INPUT',
    );
  });

  test('a purchase after a click is counted as its consequence', async () => {
    const asked = '{ upgradeConversion(days: 7) { denials clicked conversion bought purchase } }';
    const before = (await ngozi.ask<{ upgradeConversion: Record<string, number> }, object>(asked)).data
      ?.upgradeConversion;
    expect(before).toMatchObject({ bought: 0, purchase: 0 });
    expect(before?.conversion).toBeCloseTo(Number(before?.clicked) / Number(before?.denials));
    const bought = await wren.ask(
      'mutation($input: UpgradeLicenseInput!) { upgradeLicense(input: $input) { userErrors { code } } }',
      {
        input: { newPlan: 'professional', interval: 'MONTH', idempotencyKey: randomUUID() },
      },
    );
    expect(bought.data).toEqual({ upgradeLicense: { userErrors: [] } });
    await running.world.untilNoJobs();
    const clicked = await listed({ tenantId: KESTREL, isClicked: true });
    expect(clicked.length).toBe(before?.clicked);
    for (const { boughtAt } of clicked) expect(boughtAt).not.toBeNull();
    const after = (await ngozi.ask<{ upgradeConversion: Record<string, number> }, object>(asked)).data
      ?.upgradeConversion;
    expect(after).toMatchObject({ bought: clicked.length, purchase: 1 });
  });
});
