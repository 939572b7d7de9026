import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { askGated } from '../../../clients/portal/denial.ts';
import type { Answer, GraphClient } from '../../../clients/portal/graph-client.ts';
import { ReadLicenseDocument } from '../../../clients/portal/graphql/graphql.ts';
import { httpGraph } from '../../../clients/portal/http-graph.ts';
import type { LicenseNews } from '../../../clients/portal/license-news.ts';
import { type Held, LicenseStore, type Touch } from '../../../clients/portal/license-store.ts';
import { readUpgradeOptions, upgrade } from '../../../clients/portal/upgrade.ts';
import { signAccessToken } from '../../../subgraphs/_kernel/access-token.ts';
import { signingKey } from '../../../subgraphs/identity/token-key.service.ts';
import { until } from '../../kernel/by-hand.ts';
import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import { type Line, openLine } from '../../setup/line.ts';

const KESTREL = '01990000-0000-7000-8000-000000000a01';
const OLDTOWN = '01990000-0000-7000-8000-000000000a06';

/** A portal's store, with all it held and all that came over its wire. */
interface Portal {
  store: LicenseStore;
  held: Held[];
  asked: number;
  stop(): void;
}

describe('A portal that follows its licence', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let line: Line;
  let ngozi: Person;
  let wren: Person;
  const portals: Portal[] = [];
  beforeAll(async () => {
    running = await openGatewayWorld();
    line = await openLine(running.gateway.port);
    ngozi = await signIn('ngozi@platform.example');
    wren = await signIn('wren@kestrel.example');
  }, 60_000);
  afterEach(() => {
    for (const portal of portals.splice(0)) portal.stop();
  });
  afterAll(async () => {
    await line?.close();
    await running?.close();
  });

  const signIn = (email: string) => running.client.signIn(email, running.password);
  const graphOf = (who: Person, options: { url?: string; silenceMs?: number } = {}) =>
    httpGraph({ url: running.client.url, token: async () => who.token, ...options });
  const setCrm = async (isEnabled: boolean) => {
    const input = { tenantId: KESTREL, key: 'crm', isEnabled, reason: 'For a while.' };
    const { errors } = await ngozi.ask(
      'mutation($input: SetOverrideInput!) { setOverride(input: $input) { userErrors { message } } }',
      { input },
    );
    expect(errors).toBeUndefined();
  };
  const changeTimes = async (times: number) => {
    const isOpen = (await presentLicense()).features.some((f) => f.feature === 'crm' && f.access === 'FULL');
    for (let i = 0; i < times; i++) await setCrm(i % 2 === 0 ? !isOpen : isOpen);
  };
  const presentLicense = async () => {
    const { data } = await graphOf(wren).ask(ReadLicenseDocument, {});
    if (!data?.license) throw new Error('Kestrel has a licence.');
    return data.license;
  };

  function open(graph: GraphClient): Portal {
    const counted: GraphClient = {
      ask: (document, variables, signal) => {
        portal.asked += 1;
        return graph.ask(document, variables, signal);
      },
      follow: (document, variables, signal) => graph.follow(document, variables, signal),
    };
    const store = new LicenseStore(counted);
    const portal: Portal = { store, held: [], asked: 0, stop: () => undefined };
    store.subscribe(() => portal.held.push(store.getHeld()));
    portal.stop = store.start();
    portals.push(portal);
    return portal;
  }
  const touches = async ({ store }: Portal, touch: Touch, timeoutMs?: number) =>
    until(`it is ${touch}`, () => store.getHeld().touch === touch, timeoutMs);
  const hears = async ({ store }: Portal, version: number) =>
    until(`it hears of version ${version}`, () => store.getHeld().version === version);
  const versionsOf = ({ held }: Portal) => [...new Set(held.map(({ version }) => version))];

  /** A graph whose subscription loses some of its events on the way. */
  const losing = (graph: GraphClient, isLost: (news: LicenseNews) => boolean): GraphClient => ({
    ask: graph.ask,
    async *follow(document, variables, signal) {
      for await (const answer of graph.follow(document, variables, signal)) {
        const { licenseUpdated } = answer.data as { licenseUpdated: LicenseNews };
        if (!isLost(licenseUpdated)) yield answer;
      }
    },
  });

  test('holds what one query says, and then each change in order, as it happens', async () => {
    const portal = open(graphOf(wren));
    await touches(portal, 'LIVE');
    const first = await presentLicense();
    expect(portal.store.getHeld()).toEqual({ license: first, version: first.version, touch: 'LIVE' });
    await changeTimes(4);
    await hears(portal, first.version + 4);
    expect(versionsOf(portal)).toEqual([0, 1, 2, 3, 4].map((n) => first.version + n));
    expect(portal.store.getHeld().license).toEqual(await presentLicense());
    expect(portal.asked).toBe(1);
  });

  test('a feature that ends is shut at once, with its reason', async () => {
    await setCrm(true);
    const portal = open(graphOf(wren));
    await touches(portal, 'LIVE');
    expect(portal.store.accessTo('crm')).toBe('FULL');
    await setCrm(false);
    await until('crm is shut', () => portal.store.accessTo('crm') === 'NONE', 1_000);
    const entry = portal.store.getHeld().license?.features.find(({ feature }) => feature === 'crm');
    expect(entry).toMatchObject({ access: 'NONE', source: 'OVERRIDE', reason: 'OVERRIDE_OFF' });
  });

  test('ten changes missed while the line was cut are told one by one when it is mended, and nothing is asked again', async () => {
    const portal = open(graphOf(wren, { url: line.url }));
    await touches(portal, 'LIVE');
    const { version } = await presentLicense();
    line.cut();
    await touches(portal, 'OUT_OF_TOUCH');
    await changeTimes(10);
    expect(portal.store.getHeld().version).toBe(version);
    line.mend();
    await touches(portal, 'LIVE', 10_000);
    await hears(portal, version + 10);
    expect(versionsOf(portal)).toEqual(Array.from({ length: 11 }, (_, n) => version + n));
    expect(portal.store.getHeld().license).toEqual(await presentLicense());
    expect(portal.asked).toBe(1);
  }, 20_000);

  test('a change lost on the way is noticed at the next one, and the licence is asked for anew', async () => {
    const { version } = await presentLicense();
    const portal = open(losing(graphOf(wren), (news) => news.version === version + 2));
    await touches(portal, 'LIVE');
    await changeTimes(3);
    await hears(portal, version + 3);
    expect(versionsOf(portal)).toEqual([version, version + 1, version + 3]);
    expect(portal.asked).toBe(2);
    await changeTimes(1);
    await hears(portal, version + 4);
    expect(portal.store.getHeld().license).toEqual(await presentLicense());
    expect(portal.asked).toBe(2);
  });

  test('a portal that believes in a version that never was is put right by a snapshot', async () => {
    const graph = graphOf(wren);
    const { version } = await presentLicense();
    const portal = open({
      follow: graph.follow,
      ask: async (document, variables, signal) => {
        const answer = await graph.ask(document, variables, signal);
        Object.assign((answer as Answer<{ license: object }>).data?.license ?? {}, { version: version + 5 });
        return answer;
      },
    });
    await touches(portal, 'LIVE');
    expect(versionsOf(portal)).toEqual([version + 5, version]);
    expect(portal.store.getHeld().license).toEqual(await presentLicense());
  });

  test('a line on which nothing is heard is taken for dead, and the next one goes on', async () => {
    const portal = open(graphOf(wren, { silenceMs: 700 }));
    await touches(portal, 'LIVE');
    await touches(portal, 'OUT_OF_TOUCH');
    await touches(portal, 'LIVE');
    expect(portal.asked).toBe(1);
  });

  test('a stream that ends with its token goes on with the next one, and is never out of touch', async () => {
    const identity = await running.world.system('platform', 'identity');
    const { kid, privateKey } = await signingKey(identity);
    const claims = JSON.parse(Buffer.from(String(wren.token.split('.')[1]), 'base64url').toString());
    const given: number[] = [];
    const token = async () => {
      const exp = Math.floor(Date.now() / 1_000) + 2;
      given.push(exp);
      return signAccessToken({ ...claims, exp }, kid, privateKey);
    };
    const portal = open(httpGraph({ url: running.client.url, token }));
    await touches(portal, 'LIVE');
    await until('its third stream is open', () => given.length >= 4, 8_000); // the first is the query's
    await changeTimes(1);
    await hears(portal, (await presentLicense()).version);
    expect(portal.held.map(({ touch }) => touch)).not.toContain('OUT_OF_TOUCH');
  }, 15_000);

  test('who was signed out elsewhere is told so, and nothing is tried again', async () => {
    const ada = await signIn('ada@kestrel.example');
    const portal = open(graphOf(ada));
    await touches(portal, 'LIVE');
    await ada.ask('mutation { signOut { isDone } }');
    await touches(portal, 'ENDED');
    expect(portal.held.map(({ touch }) => touch)).not.toContain('OUT_OF_TOUCH');
  });

  test('who may not read the licence follows its features all the same', async () => {
    const portal = open(graphOf(await signIn('ada@kestrel.example')));
    await touches(portal, 'LIVE');
    expect(portal.store.getHeld().license).toMatchObject({ state: 'ACTIVE', planVersion: null, limits: null });
    expect(portal.store.accessTo('tickets')).toBe('FULL');
  });

  test('a tenant without a licence hears of its first one', async () => {
    const portal = open(graphOf(await signIn('ewa@oldtown.example')));
    await touches(portal, 'LIVE');
    expect(portal.store.getHeld()).toMatchObject({ license: null, version: 0 });
    expect(portal.store.accessTo('tickets')).toBe('NONE');
    await ngozi.ask('mutation($input: IssueLicenseInput!) { issueLicense(input: $input) { userErrors { message } } }', {
      input: { tenantId: OLDTOWN, plan: 'starter', interval: 'MONTH', isTrial: true, idempotencyKey: 'first' },
    });
    await hears(portal, 1);
    expect(portal.store.accessTo('tickets')).toBe('FULL');
  });

  test('a graphql-ws client does as well as plain HTTP', async () => {
    const socket = createClient({
      url: running.client.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { authorization: `Bearer ${wren.token}` },
    });
    const portal = open({
      ask: graphOf(wren).ask,
      follow(document, variables, signal) {
        const events = socket.iterate({ query: String(document), variables });
        signal.addEventListener('abort', () => void events.return?.());
        return events as AsyncIterable<Answer<never>>;
      },
    });
    await touches(portal, 'LIVE');
    const { version } = await presentLicense();
    await changeTimes(2);
    await hears(portal, version + 2);
    expect(versionsOf(portal)).toEqual([version, version + 1, version + 2]);
    await socket.dispose();
  });

  test('a denial from before the news is asked again, one from after it stands', async () => {
    await setCrm(false);
    const { version } = await presentLicense();
    const graph = graphOf(wren);
    const contacts = '{ contacts(first: 1) { nodes { id } } }';
    const standing = await askGated(graph, contacts, {}, () => version);
    expect(standing.denial).toMatchObject({ feature: 'crm', requiredPlan: 'professional', licenseVersion: version });
    const asking = askGated(graph, contacts, {}, () => version + 1);
    await setCrm(true);
    expect(await asking).toMatchObject({ data: { contacts: { nodes: expect.any(Array) } }, denial: undefined });
  });

  test('an upgrade is held as soon as it answers, costs what was shown, and is not heard twice', async () => {
    await ngozi.ask('mutation($input: RemoveOverrideInput!) { removeOverride(input: $input) { license { id } } }', {
      input: { tenantId: KESTREL, key: 'crm', reason: 'No longer.' },
    });
    const graph = graphOf(wren);
    const portal = open(graph);
    await touches(portal, 'LIVE');
    const { version } = await presentLicense();
    const [cheapest] = await readUpgradeOptions(graph, 'crm');
    expect(cheapest).toMatchObject({
      plan: { code: 'professional' },
      monthlyPrice: { amountMinor: '29900', currency: 'USD' },
      netDueToday: { amountMinor: expect.stringMatching(/^\d+$/) },
    });
    const outcome = await upgrade(graph, 'professional', 'pressed-once');
    if ('refusal' in outcome) throw new Error(outcome.refusal);
    portal.store.take(outcome.license);
    expect(portal.store.accessTo('crm')).toBe('FULL');
    expect(await upgrade(graph, 'professional', 'pressed-once')).toMatchObject({ license: { version: version + 1 } });
    expect(await upgrade(graph, 'professional', 'again')).toEqual({ refusal: 'The licence already has this plan.' });
    await changeTimes(1);
    await hears(portal, version + 2);
    expect(versionsOf(portal)).toEqual([version, version + 1, version + 2]);
    expect(await readUpgradeOptions(graph, 'tickets')).toEqual([]);
  });
});
