import { EDDA, INGRID, WREN } from '../../setup/world.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';
import { call, eventsOf, NOBODYS_ID } from './doors.ts';

const KESTREL = tenantId('kestrel');
const reason = 'Agreed with their sales.';
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

describe('The platform gives a tenant more for a while', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  const crm = (over: object = {}) => ({
    ...{ tenantId: KESTREL, kind: 'FEATURE', key: 'crm', source: 'PROMOTION', reason, idempotencyKey: 'a', ...over },
  });
  const look = async (): Promise<Answer> =>
    (
      await world.ask(
        WREN,
        '{ license { version features(keys: ["crm"]) { access source sourceId reason expiresAt } grants { id kind key amount remaining priority rolloverMax source reason } } }',
      )
    ).data.license;

  test('a feature opens at once, until it is ended; then the reason says that it was a grant', async () => {
    const expiresAt = inDays(30);
    const given = await call(world, 'grantEntitlement', crm({ expiresAt }));
    expect(given).toMatchObject({
      change: { cause: 'GRANTED', reason, changedKeys: ['features.crm'] },
      license: { enabledFeatures: expect.arrayContaining(['crm']) },
      userErrors: [],
    });
    const { grants, features } = await look();
    expect(features).toEqual([{ access: 'FULL', source: 'GRANT', sourceId: grants[0].id, reason: null, expiresAt }]);
    const ended = await call(world, 'endGrant', { id: grants[0].id, reason });
    expect(ended).toMatchObject({ change: { cause: 'GRANT_ENDED', reason, changedKeys: ['features.crm'] } });
    expect(await look()).toMatchObject({ grants: [], features: [{ access: 'NONE', reason: 'GRANT_ENDED' }] });
    expect((await eventsOf(world, KESTREL, 'licensing.feature.ended')).at(-1)).toMatchObject({
      feature: 'crm',
      reason: 'GRANT_ENDED',
    });
    for (const id of [grants[0].id, NOBODYS_ID, 'nonsense'])
      expect(await call(world, 'endGrant', { id, reason })).toMatchObject({
        license: null,
        userErrors: [{ code: 'NOT_FOUND', message: 'There is no such grant.' }],
      });
  });

  test('the same key gives once, and not something else', async () => {
    const wanted = crm({ expiresAt: inDays(10), idempotencyKey: 'once' });
    const first = await call(world, 'grantEntitlement', wanted);
    expect(await call(world, 'grantEntitlement', wanted)).toEqual(first);
    expect((await look()).grants).toHaveLength(1);
    expect((await call(world, 'grantEntitlement', { ...wanted, key: 'fieldops' })).userErrors).toMatchObject([
      { code: 'IDEMPOTENCY_MISMATCH', field: 'idempotencyKey' },
    ]);
    await call(world, 'endGrant', { id: (await look()).grants[0].id, reason });
  });

  test('what will begin later is foreseen; ended before, it never begins', async () => {
    const before = await look();
    const given = await call(
      world,
      'grantEntitlement',
      crm({ startsAt: inDays(1), expiresAt: inDays(2), idempotencyKey: 'later' }),
    );
    expect(given.change.changedKeys).toEqual(['features.crm']);
    const { grants, features } = await look();
    expect(features[0].access).toBe('NONE');
    expect(await call(world, 'endGrant', { id: grants[0].id, reason })).toMatchObject({
      change: { cause: 'GRANT_ENDED' },
    });
    expect(await look()).toMatchObject({ grants: [], features: before.features });
  });

  test('an allowance on a counter is written down as it was given', async () => {
    const wanted = { kind: 'TOP_UP', key: 'api_calls', amount: '9223372036854775807', priority: 3, rolloverMax: '7' };
    expect(await call(world, 'grantEntitlement', crm({ ...wanted, idempotencyKey: 'calls' }))).toMatchObject({
      userErrors: [],
    });
    const { grants } = await look();
    expect(grants).toMatchObject([{ ...wanted, remaining: wanted.amount, source: 'PROMOTION', reason }]);
    const { data } = await world.ask(
      WREN,
      'query($at: DateTime!) { licenseAt(at: $at) { grants { key amount remaining } } }',
      { at: new Date(Date.now() + 1).toISOString() },
    );
    expect(data.licenseAt.grants).toMatchObject([{ key: 'api_calls', amount: wanted.amount }]);
    expect(await call(world, 'endGrant', { id: grants[0].id, reason })).toMatchObject({ userErrors: [] });
    expect((await look()).grants).toEqual([]);
  });

  test.each([
    ['an end before the start', { startsAt: inDays(3), expiresAt: inDays(2) }, 'INVALID', 'expiresAt'],
    ['an end in the past', { expiresAt: inDays(-1) }, 'INVALID', 'expiresAt'],
    ['an end over 5 years away', { expiresAt: inDays(5 * 366) }, 'INVALID', 'expiresAt'],
    ['a reason of 4 letters', { reason: 'why?' }, 'INVALID', 'reason'],
    ['an allowance of nothing', { kind: 'TOP_UP', key: 'api_calls', amount: '0' }, 'INVALID', 'amount'],
    ['what cannot be a tenant', { tenantId: 'kestrel' }, 'NOT_FOUND', 'tenantId'],
    ['an unknown tenant', { tenantId: NOBODYS_ID }, 'NOT_FOUND', 'tenantId'],
    ['a tenant without a licence', { tenantId: tenantId('oldtown') }, 'NOT_FOUND', 'tenantId'],
    ['an empty key', { idempotencyKey: '' }, 'INVALID', 'idempotencyKey'],
  ])('%s is refused, and nothing is written', async (_, over, code, field) => {
    const { version } = await look();
    const answer = await call(world, 'grantEntitlement', crm({ idempotencyKey: 'bad', ...over }));
    expect(answer).toMatchObject({ license: null, userErrors: [{ code, field }] });
    expect((await look()).version).toBe(version);
  });

  test.each([
    [{ key: 'crn' }, 'Unknown feature: crn.'],
    [{ kind: 'TOP_UP', key: 'crn', amount: '1' }, 'Unknown quota: crn.'],
  ])('an unknown key is bad input', async (over, message) => {
    expect(await call(world, 'grantEntitlement', crm({ idempotencyKey: 'unknown', ...over }))).toEqual({
      code: 'BAD_USER_INPUT',
      message,
    });
  });

  test.each(['1e9', '-1', '1.5', '12345678901234567890'])('%s is no quantity', async (amount) => {
    expect(await call(world, 'grantEntitlement', crm({ kind: 'TOP_UP', key: 'tickets', amount }))).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  });

  test('nobody of an ISP gets through a door of the platform', async () => {
    for (const who of [WREN, INGRID, EDDA])
      for (const [name, input] of [
        ['grantEntitlement', crm()],
        ['endGrant', { id: NOBODYS_ID, reason }],
        ['extendTrial', { tenantId: KESTREL, until: inDays(3), reason }],
        ['revokeLicense', { tenantId: KESTREL, reason }],
        ['refreshLicense', { tenantId: KESTREL }],
      ] as const)
        expect(await call(world, name, input, who)).toMatchObject({ code: 'FORBIDDEN' });
  });
});
