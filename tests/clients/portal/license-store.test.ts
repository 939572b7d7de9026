import { askGated } from '../../../clients/portal/denial.ts';
import type { Answer, GraphClient } from '../../../clients/portal/graph-client.ts';
import type { LicenseNews } from '../../../clients/portal/license-news.ts';
import { readUpgradeOptions, upgrade } from '../../../clients/portal/upgrade.ts';
import { until } from '../../kernel/by-hand.ts';
import { KESTREL, openPortalWorld, type PortalWorld } from './portal-world.ts';

const OLDTOWN = '01990000-0000-7000-8000-000000000a06';

/** A graph whose events go through `change` on their way: what it answers null for is lost. */
const altering = (graph: GraphClient, change: (news: LicenseNews) => LicenseNews | null): GraphClient => ({
  ask: graph.ask,
  async *follow(document, variables, signal) {
    for await (const answer of graph.follow(document, variables, signal)) {
      const licenseUpdated = change((answer.data as { licenseUpdated: LicenseNews }).licenseUpdated);
      if (licenseUpdated) yield { data: { licenseUpdated } } as Answer<object> as Answer<never>;
    }
  },
});

describe('A portal that follows its licence', () => {
  let world: PortalWorld;
  beforeAll(async () => {
    world = await openPortalWorld();
  }, 60_000);
  afterEach(() => world.closePortals());
  afterAll(() => world?.close());

  const ofWren = () => world.graphOf(world.wren);

  test('holds what one query says, and then each change in order, as it happens', async () => {
    const portal = world.open(ofWren());
    await portal.touches('LIVE');
    const first = await world.presentLicense();
    expect(portal.store.getHeld()).toEqual({ license: first, version: first.version, touch: 'LIVE' });
    await world.changeTimes(4);
    await portal.hears(first.version + 4);
    expect(portal.versions()).toEqual([0, 1, 2, 3, 4].map((n) => first.version + n));
    expect(portal.store.getHeld().license).toEqual(await world.presentLicense());
    expect(portal.asked).toBe(1);
  });

  test('a feature that ends is shut at once, with its reason', async () => {
    await world.setCrm(true);
    const portal = world.open(ofWren());
    await portal.touches('LIVE');
    expect(portal.store.accessTo('crm')).toBe('FULL');
    await world.setCrm(false);
    await until('crm is shut', () => portal.store.accessTo('crm') === 'NONE', 1_000);
    const entry = portal.store.getHeld().license?.features.find(({ feature }) => feature === 'crm');
    expect(entry).toMatchObject({ access: 'NONE', source: 'OVERRIDE', reason: 'OVERRIDE_OFF' });
  });

  test('a change lost on the way is noticed at the next one, and the licence is asked for anew', async () => {
    const { version } = await world.presentLicense();
    const portal = world.open(altering(ofWren(), (news) => (news.version === version + 2 ? null : news)));
    await portal.touches('LIVE');
    await world.changeTimes(3);
    await portal.hears(version + 3);
    expect(portal.versions()).toEqual([version, version + 1, version + 3]);
    expect(portal.asked).toBe(2);
    await world.changeTimes(1);
    await portal.hears(version + 4);
    expect(portal.store.getHeld().license).toEqual(await world.presentLicense());
    expect(portal.asked).toBe(2);
  });

  test('a portal that believes in a version that never was is put right by a snapshot', async () => {
    const graph = ofWren();
    const { version } = await world.presentLicense();
    const portal = world.open({
      follow: graph.follow,
      ask: async (document, variables, signal) => {
        const answer = await graph.ask(document, variables, signal);
        Object.assign((answer as Answer<{ license: object }>).data?.license ?? {}, { version: version + 5 });
        return answer;
      },
    });
    await portal.touches('LIVE');
    expect(portal.versions()).toEqual([version + 5, version]);
    expect(portal.store.getHeld().license).toEqual(await world.presentLicense());
  });

  test('a licence that is taken away shuts everything', async () => {
    const { version } = await world.presentLicense();
    const portal = world.open(
      altering(ofWren(), (news) => (news.kind === 'DELTA' ? { ...news, license: null } : news)),
    );
    await portal.touches('LIVE');
    expect(portal.store.accessTo('tickets')).toBe('FULL');
    await world.changeTimes(1);
    await portal.hears(version + 1);
    expect(portal.store.getHeld().license).toBeNull();
    expect(portal.store.accessTo('tickets')).toBe('NONE');
  });

  test('who may not read the licence follows its features all the same', async () => {
    const portal = world.open(world.graphOf(await world.signIn('ada@kestrel.example')));
    await portal.touches('LIVE');
    expect(portal.store.getHeld().license).toMatchObject({ state: 'ACTIVE', planVersion: null, limits: null });
    expect(portal.store.accessTo('tickets')).toBe('FULL');
  });

  test('a tenant without a licence hears of its first one', async () => {
    const portal = world.open(world.graphOf(await world.signIn('ewa@oldtown.example')));
    await portal.touches('LIVE');
    expect(portal.store.getHeld()).toMatchObject({ license: null, version: 0 });
    expect(portal.store.accessTo('tickets')).toBe('NONE');
    await world.ngozi.ask(
      'mutation($input: IssueLicenseInput!) { issueLicense(input: $input) { userErrors { message } } }',
      { input: { tenantId: OLDTOWN, plan: 'starter', interval: 'MONTH', isTrial: true, idempotencyKey: 'first' } },
    );
    await portal.hears(1);
    expect(portal.store.accessTo('tickets')).toBe('FULL');
  });

  test('a denial from before the news is asked again, one from after it stands', async () => {
    await world.setCrm(false);
    const { version } = await world.presentLicense();
    const contacts = '{ contacts(first: 1) { nodes { id } } }';
    const standing = await askGated(ofWren(), contacts, {}, () => version);
    expect(standing.denial).toMatchObject({ feature: 'crm', requiredPlan: 'professional', licenseVersion: version });
    const asking = askGated(ofWren(), contacts, {}, () => version + 1);
    await world.setCrm(true);
    expect(await asking).toMatchObject({ data: { contacts: { nodes: expect.any(Array) } }, denial: undefined });
  });

  test('an upgrade is held as soon as it answers, and is not heard twice', async () => {
    await world.ngozi.ask(
      'mutation($input: RemoveOverrideInput!) { removeOverride(input: $input) { license { id } } }',
      { input: { tenantId: KESTREL, key: 'crm', reason: 'No longer.' } },
    );
    const graph = ofWren();
    const portal = world.open(graph);
    await portal.touches('LIVE');
    const { version } = await world.presentLicense();
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
    await world.changeTimes(1);
    await portal.hears(version + 2);
    expect(portal.versions()).toEqual([version, version + 1, version + 2]);
    expect(await readUpgradeOptions(graph, 'tickets')).toEqual([]);
  });
});
