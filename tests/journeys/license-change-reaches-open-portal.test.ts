import { randomUUID } from 'node:crypto';
import { openGatewayWorld, type Person } from '../setup/gateway.ts';
import { graphql } from '../setup/graphql/gql.ts';

const LEADS = graphql(`
  query Leads { leads(first: 5) { nodes { number name } } }
`);
const LEADS_BESIDE_TENANT = graphql(`
  query LeadsBesideTenant { tenant { slug } leads(first: 5) { nodes { number } } }
`);
const FOLLOW_LICENSE = graphql(`
  subscription FollowLicense($after: Int) {
    licenseUpdated(after: $after) {
      kind version previousVersion changedKeys
      endedFeatures { feature reason }
      license { version state enabledFeatures tenant { slug name } }
    }
  }
`);
const UPGRADE = graphql(`
  mutation Upgrade($input: UpgradeLicenseInput!) {
    upgradeLicense(input: $input) {
      license { version planVersion { plan { code } } }
      propagation { nodes acknowledged waitedMs }
      userErrors { code message }
    }
  }
`);
const OVERRIDE = graphql(`
  mutation Override($input: SetOverrideInput!) { setOverride(input: $input) { license { version } userErrors { code message } } }
`);
const REMOVE_OVERRIDE = graphql(`
  mutation RemoveOverride($input: RemoveOverrideInput!) { removeOverride(input: $input) { license { version } userErrors { code message } } }
`);
const FOLLOW_CONTACTS = graphql(`
  subscription FollowContacts { contactsChanged { cursor kind contact { displayName } } }
`);
const FOLLOW_TICKETS = graphql(`
  query AnyTicket { tickets(first: 1) { nodes { id } } }
`);
const FOLLOW_TICKET = graphql(`
  subscription FollowTicket($ticketId: ID!) { ticketUpdated(ticketId: $ticketId) { cursor ticket { number status } } }
`);
const OPEN_TICKET = graphql(`
  mutation OpenTicket($input: OpenTicketInput!) { openTicket(input: $input) { ticket { id number } userErrors { code message } } }
`);

const KESTREL = '01990000-0000-7000-8000-000000000a01';

describe('A licence change reaches an open portal through the gateway', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let wren: Person;
  let ngozi: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    wren = await running.client.signIn('wren@kestrel.example', running.password);
    ngozi = await running.client.signIn('ngozi@platform.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());

  test('a starter’s leads are refused: 402 when nothing else was asked, partial data otherwise, with the way out', async () => {
    const alone = await wren.ask(LEADS);
    expect(alone.status).toBe(402);
    expect(alone.data).toEqual({ leads: null });
    expect(alone.errors).toHaveLength(1);
    expect(alone.errors?.[0]?.path).toEqual(['leads']);
    expect(alone.errors?.[0]?.extensions).toMatchObject({
      code: 'FEATURE_NOT_LICENSED',
      feature: 'crm',
      reason: 'NOT_IN_PLAN',
      requiredPlan: 'professional',
      upgradeUrl: '/billing/upgrade?feature=crm',
    });
    const beside = await wren.ask(LEADS_BESIDE_TENANT);
    expect(beside.status).toBe(200);
    expect(beside.data).toEqual({ tenant: { slug: 'kestrel' }, leads: null });
    expect(beside.errors?.map(({ extensions }) => extensions.code)).toEqual(['FEATURE_NOT_LICENSED']);
  });

  test('the portal hears an upgrade as version + 1, joined with its tenant, and the very next query answers', async () => {
    const portal = wren.follow(FOLLOW_LICENSE);
    const snapshot = (await portal.next()).data?.licenseUpdated;
    expect(snapshot).toMatchObject({
      kind: 'SNAPSHOT',
      license: { tenant: { slug: 'kestrel', name: 'Kestrel Wireless' } },
    });
    expect(snapshot?.license?.enabledFeatures).not.toContain('crm');
    const version = Number(snapshot?.version);

    const upgraded = await wren.ask(UPGRADE, {
      input: { newPlan: 'professional', interval: 'MONTH', idempotencyKey: randomUUID() },
    });
    expect(upgraded.data?.upgradeLicense.userErrors).toEqual([]);
    expect(upgraded.data?.upgradeLicense.license).toEqual({
      version: version + 1,
      planVersion: { plan: { code: 'professional' } },
    });
    expect(upgraded.data?.upgradeLicense.propagation).toMatchObject({ nodes: 1, acknowledged: 1 });

    const answered = await wren.ask(LEADS);
    expect(answered.status).toBe(200);
    expect(answered.errors).toBeUndefined();
    expect(answered.data?.leads).toEqual({ nodes: [] });

    const delta = (await portal.next()).data?.licenseUpdated;
    expect(delta).toMatchObject({
      kind: 'DELTA',
      version: version + 1,
      previousVersion: version,
      license: { version: version + 1, tenant: { slug: 'kestrel' } },
    });
    expect(delta?.changedKeys).toEqual(expect.arrayContaining(['features.crm', 'limits.tickets']));
    expect(delta?.license?.enabledFeatures).toContain('crm');
    await portal.stop();
  });

  test('losing the feature ends the stream about it with a coded reason; the stream beside it goes on', async () => {
    const portal = wren.follow(FOLLOW_LICENSE);
    await portal.next();
    const contacts = wren.follow(FOLLOW_CONTACTS);
    expect((await contacts.next()).errors).toBeUndefined();
    const opened = await wren.ask(OPEN_TICKET, {
      input: {
        subject: 'Sector 4 is slow',
        bodyText: 'Since this morning.',
        requester: { name: 'Marcus Tran' },
        idempotencyKey: randomUUID(),
      },
    });
    expect(opened.data?.openTicket?.userErrors).toEqual([]);
    const ticketId = String(opened.data?.openTicket?.ticket?.id);
    const ticket = wren.follow(FOLLOW_TICKET, { ticketId });
    await ticket.next();

    const changedAt = Date.now();
    const off = await ngozi.ask(OVERRIDE, {
      input: { tenantId: KESTREL, key: 'crm', isEnabled: false, reason: 'Chargeback under review.' },
    });
    expect(off.data?.setOverride.userErrors).toEqual([]);
    const version = Number(off.data?.setOverride.license?.version);

    const last = await untilErrors(contacts);
    expect(Date.now() - changedAt).toBeLessThan(1_000);
    expect(last.errors?.[0]?.extensions).toMatchObject({
      code: 'FEATURE_NOT_LICENSED',
      feature: 'crm',
      reason: 'OVERRIDE_OFF',
      licenseVersion: version,
      requiredPlan: 'professional',
    });
    await contacts.done;
    const told = (await portal.next()).data?.licenseUpdated;
    expect(told).toMatchObject({ kind: 'DELTA', version, endedFeatures: [{ feature: 'crm', reason: 'OVERRIDE_OFF' }] });
    expect((await wren.ask(LEADS)).status).toBe(402);
    expect((await wren.ask(FOLLOW_TICKETS)).data?.tickets?.nodes).toHaveLength(1);
    await ticket.stop();
    await portal.stop();
  });

  test('a client that was away resumes with `after` and misses nothing', async () => {
    const portal = wren.follow(FOLLOW_LICENSE);
    const left = Number((await portal.next()).data?.licenseUpdated.version);
    await portal.stop();
    for (let i = 0; i < 3; i++) {
      await ngozi.ask(REMOVE_OVERRIDE, { input: { tenantId: KESTREL, key: 'crm', reason: 'Settled.' } });
      await ngozi.ask(OVERRIDE, {
        input: { tenantId: KESTREL, key: 'crm', isEnabled: false, reason: 'Under review again.' },
      });
    }
    const back = wren.follow(FOLLOW_LICENSE, { after: left });
    const heard: (number | undefined)[][] = [];
    for (let i = 0; i < 6; i++) {
      const update = (await back.next()).data?.licenseUpdated;
      expect(update?.kind).toBe('DELTA');
      heard.push([update?.previousVersion ?? undefined, update?.version]);
    }
    expect(heard).toEqual([1, 2, 3, 4, 5, 6].map((i) => [left + i - 1, left + i]));
    await back.stop();

    const ahead = wren.follow(FOLLOW_LICENSE, { after: left + 1_000 });
    expect((await ahead.next()).data?.licenseUpdated).toMatchObject({ kind: 'SNAPSHOT', version: left + 6 });
    await ahead.stop();
  });
});

/** Reads a stream until its result with errors; events of the meantime are passed over. */
async function untilErrors<T>(stream: {
  next(): Promise<T & { errors?: readonly { extensions: Record<string, unknown> }[] }>;
}) {
  for (;;) {
    const result = await stream.next();
    if (result.errors) return result;
  }
}
