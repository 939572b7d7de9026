import { openGatewayWorld, type Person } from '../../setup/gateway.ts';
import type { Answer } from '../licensing-world.ts';

const NORTHWIND = '01990000-0000-7000-8000-000000000a02';
const PLATFORM = '01990000-0000-7000-8000-000000000001';
const reason = 'They resell what they may not.';
const REVOKE =
  'mutation($input: RevokeLicenseInput!) { revokeLicense(input: $input) { license { version state } change { version cause reason } userErrors { code message field } } }';
const STATE =
  '{ license { id version state enabledFeatures features { feature access source reason } nextTransitionAt } }';

describe('A licence is revoked by two people, for good', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ngozi: Person;
  let tomas: Person;
  let ingrid: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    const signIn = (email: string) => running.client.signIn(email, running.password);
    ngozi = await signIn('ngozi@platform.example');
    tomas = await signIn('tomas@platform.example');
    ingrid = await signIn('ingrid@northwind.example');
  }, 60_000);
  afterAll(() => running?.close());
  const ask = async (who: Person, query: string, variables: object = {}): Promise<Answer> => {
    const { data, errors } = await who.ask<Answer, object>(query, variables);
    expect(errors).toBeUndefined();
    return data;
  };
  const revoke = async (who: Person, over: object = {}) =>
    (await ask(who, REVOKE, { input: { tenantId: NORTHWIND, reason, ...over } })).revokeLicense;
  const license = async () => (await ask(ingrid, STATE)).license;
  const events = () =>
    running.world.sql("select payload from kernel.event where tenant_id = $1 and name = 'licensing.license.ended'", [
      NORTHWIND,
    ]);

  test('one person alone changes nothing, however often they ask; after a day their word is forgotten', async () => {
    const before = await license();
    expect(await revoke(ngozi)).toEqual({
      license: { version: before.version, state: 'ACTIVE' },
      change: null,
      userErrors: [],
    });
    expect(await revoke(ngozi)).toMatchObject({
      license: null,
      userErrors: [{ code: 'CONFLICT', message: 'A second person must approve.' }],
    });
    const age = (ms: number) =>
      running.world.sql(
        `select set_config('app.tenant_id', '${NORTHWIND}', false); update licensing.license_revocation set asked_at = now() - interval '24 hours' + interval '${ms} milliseconds'`,
      );
    await age(0);
    expect(await revoke(tomas)).toMatchObject({ license: { state: 'ACTIVE' }, change: null, userErrors: [] });
    await age(-1);
    expect(await revoke(tomas)).toMatchObject({ license: { state: 'ACTIVE' }, change: null, userErrors: [] });
    expect(await license()).toEqual(before);
    expect(await events()).toEqual([]);
  });

  test.each([
    ['a reason of 4 letters', { reason: 'why?' }, 'INVALID', 'reason'],
    ['the platform’s own', { tenantId: PLATFORM }, 'INVALID_STATE', 'tenantId'],
    ['what cannot be a tenant', { tenantId: 'x' }, 'NOT_FOUND', 'tenantId'],
    ['one that is not there', { tenantId: '01990000-0000-7000-8000-000000000a06' }, 'NOT_FOUND', 'tenantId'],
  ])('%s is refused', async (_, over, code, field) => {
    expect(await revoke(ngozi, over)).toMatchObject({ license: null, userErrors: [{ code, field }] });
  });

  test('the second person takes it: streams of its features end, the next request is refused, and all say why', async () => {
    const before = await license();
    const portal = ingrid.follow<Answer, object>(
      'subscription { licenseUpdated { kind version reason endedFeatures { feature reason } license { state } } }',
    );
    const contacts = ingrid.follow<Answer, object>('subscription { contactsChanged { cursor } }');
    expect((await portal.next()).data.licenseUpdated).toMatchObject({ kind: 'SNAPSHOT', version: before.version });
    expect((await contacts.next()).errors).toBeUndefined();
    const began = Date.now();
    expect(await revoke(ngozi)).toMatchObject({
      license: { version: before.version + 1, state: 'REVOKED' },
      change: { version: before.version + 1, cause: 'REVOKED', reason },
      userErrors: [],
    });
    const refused = await ingrid.ask<Answer, object>('{ leads(first: 1) { nodes { number } } }');
    expect([refused.status, refused.errors?.[0]?.extensions]).toMatchObject([
      402,
      { code: 'FEATURE_NOT_LICENSED', feature: 'crm', reason: 'REVOKED' },
    ]);
    const { data } = await portal.next();
    expect(data.licenseUpdated).toMatchObject({
      ...{ kind: 'DELTA', version: before.version + 1, reason: 'REVOKED', license: { state: 'REVOKED' } },
      endedFeatures: expect.arrayContaining([
        { feature: 'crm', reason: 'REVOKED' },
        { feature: 'white_label', reason: 'REVOKED' },
      ]),
    });
    expect((await contacts.next()).errors?.[0]?.extensions).toMatchObject({
      code: 'FEATURE_NOT_LICENSED',
      reason: 'REVOKED',
    });
    expect(Date.now() - began).toBeLessThan(5_000);
    await portal.stop();
    const revoked = await license();
    expect(revoked).toMatchObject({ id: before.id, state: 'REVOKED', enabledFeatures: [], nextTransitionAt: null });
    for (const feature of revoked.features)
      expect(feature).toMatchObject({ access: 'NONE', source: 'DEFAULT', reason: 'REVOKED' });
    expect(await events()).toEqual([{ payload: { version: before.version + 1, reason: 'REVOKED' } }]);
  });

  test('the core can still be read, and not written', async () => {
    const { data } = await ingrid.ask<Answer, object>(
      '{ tenant { slug license { state } } customers(first: 1) { nodes { id } } }',
    );
    expect(data).toMatchObject({
      tenant: { slug: 'northwind', license: { state: 'REVOKED' } },
      customers: { nodes: [{}] },
    });
    const { errors } = await ingrid.ask<Answer, object>(
      'mutation { createCustomer(input: { name: "Late Bakery", kind: BUSINESS }) { userErrors { message } } }',
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED', feature: 'core' });
  });

  test('the platform finds it by its state, and looks after its copies without a new version', async () => {
    const { tenantLicenses } = await ask(
      ngozi,
      '{ tenantLicenses(filter: { state: REVOKED }) { nodes { state tenant { id } } } }',
    );
    expect(tenantLicenses.nodes).toEqual([{ state: 'REVOKED', tenant: { id: NORTHWIND } }]);
    const { version } = await license();
    const { refreshLicense } = await ask(
      ngozi,
      `mutation { refreshLicense(input: { tenantId: "${NORTHWIND}" }) { license { version state } propagation { nodes acknowledged } userErrors { code } } }`,
    );
    expect(refreshLicense).toEqual({
      ...{ license: { version, state: 'REVOKED' }, propagation: { nodes: 1, acknowledged: 1 }, userErrors: [] },
    });
  });

  test.each([
    ['revokeLicense', 'RevokeLicenseInput', { tenantId: NORTHWIND, reason }],
    ['setOverride', 'SetOverrideInput', { tenantId: NORTHWIND, key: 'crm', isEnabled: true, reason }],
    ['placeLicenseHold', 'PlaceLicenseHoldInput', { tenantId: NORTHWIND, kind: 'LEGAL', level: 'SUSPENDED', reason }],
  ])('%s moves it no more', async (door, type, input) => {
    const data = await ask(
      ngozi,
      `mutation($input: ${type}!) { ${door}(input: $input) { userErrors { code message } } }`,
      {
        input,
      },
    );
    expect(data[door].userErrors).toEqual([{ code: 'INVALID_STATE', message: 'This licence is revoked.' }]);
  });

  test('a new licence continues the versions, opens again what its plan holds, and the past tells both', async () => {
    const former = await license();
    const { issueLicense } = await ask(
      ngozi,
      'mutation($input: IssueLicenseInput!) { issueLicense(input: $input) { license { id version } change { version previousVersion cause changedKeys effectiveAt } userErrors { code } } }',
      { input: { tenantId: NORTHWIND, plan: 'professional', interval: 'MONTH', idempotencyKey: 'anew' } },
    );
    expect(issueLicense).toMatchObject({
      license: { version: former.version + 1 },
      change: { version: former.version + 1, previousVersion: former.version, cause: 'ISSUED' },
      userErrors: [],
    });
    expect(issueLicense.license.id).not.toBe(former.id);
    expect(issueLicense.change.changedKeys).toEqual(
      expect.arrayContaining(['state', 'features.crm', 'features.white_label']),
    );
    expect((await ingrid.ask('{ leads(first: 1) { nodes { number } } }')).status).toBe(200);
    const before = new Date(new Date(issueLicense.change.effectiveAt).getTime() - 1).toISOString();
    const { then, now } = await ask(
      ingrid,
      'query($before: DateTime!, $now: DateTime!) { then: licenseAt(at: $before) { id version state } now: licenseAt(at: $now) { id version state } }',
      { before, now: issueLicense.change.effectiveAt },
    );
    expect(then).toEqual({ id: former.id, version: former.version, state: 'REVOKED' });
    expect(now).toEqual({ ...issueLicense.license, state: 'ACTIVE' });
    expect((await license()).id).toBe(issueLicense.license.id);
  });
});
