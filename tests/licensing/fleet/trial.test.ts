import { ADA, type Asker, EDDA, WREN } from '../../setup/world.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';
import { call, eventsOf, NOBODYS_ID } from './doors.ts';

const reason = 'They asked for more time.';
const CHIDI: Asker = { tenant: 'harbour', user: '6041', roles: ['tenant_admin'] };
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

describe('A trial', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  const clock = (days: number) =>
    world.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [
      days * 86_400,
      tenantId('fable'),
    ]);

  test('is extended by the platform: it ends later, and its periods begin on the day of that end', async () => {
    const until = inDays(40);
    const extended = await call(world, 'extendTrial', { tenantId: tenantId('harbour'), until, reason });
    expect(extended).toMatchObject({
      license: { state: 'TRIAL' },
      change: {
        cause: 'TRIAL_EXTENDED',
        reason,
        changedKeys: ['graceEndsAt', 'restrictedEndsAt', 'trialEndsAt', 'validUntil'],
      },
      userErrors: [],
    });
    const { data } = await world.ask(CHIDI, '{ license { trialEndsAt validUntil state } }');
    expect(data.license).toEqual({ trialEndsAt: until, validUntil: until, state: 'TRIAL' });
    const [{ anchor_day }] = await world.sql('select anchor_day from kernel.quota where tenant_id = $1 limit 1', [
      tenantId('harbour'),
    ]);
    const day = new Intl.DateTimeFormat('en', { timeZone: 'Africa/Lagos', day: 'numeric' }).format(new Date(until));
    expect(anchor_day).toBe(Number(day));
  });

  test('whose first period was asked of billing already takes it back, and asks again before the new end', async () => {
    const harbour = tenantId('harbour');
    const license = async () =>
      (
        await world.sql(
          'select trial_ends_at, asked_until, auto_renew, renewal_due_at from licensing.license where tenant_id = $1',
          [harbour],
        )
      )[0];
    const { trial_ends_at: end } = await license();
    await world.sql(
      `select set_config('app.tenant_id', '${harbour}', false); update licensing.license set asked_until = trial_ends_at + interval '1 month' where tenant_id = '${harbour}'`,
    );
    const until = inDays(45);
    expect(await call(world, 'extendTrial', { tenantId: harbour, until, reason })).toMatchObject({ userErrors: [] });
    const after = await license();
    expect(after).toMatchObject({ trial_ends_at: new Date(until), asked_until: new Date(until), auto_renew: true });
    expect(after.renewal_due_at).toEqual(new Date(Date.parse(until) - 7 * 86_400_000));
    const told = await eventsOf(world, harbour, 'licensing.license.renewal_stopped');
    expect(told).toMatchObject([{ endsAt: end.toISOString(), licensedTenantId: harbour }]);
    expect(await eventsOf(world, harbour, 'licensing.license.renewal_resumed')).toHaveLength(1);
  });

  test.each([
    ['a paid licence', 'kestrel', inDays(30), reason, 'INVALID_STATE', 'tenantId'],
    ['an earlier end', 'harbour', inDays(5), reason, 'INVALID', 'until'],
    ['an end over 90 days away', 'harbour', inDays(92), reason, 'INVALID', 'until'],
    ['a reason of 4 letters', 'harbour', inDays(50), 'why?', 'INVALID', 'reason'],
    ['a tenant without a licence', 'oldtown', inDays(50), reason, 'NOT_FOUND', 'tenantId'],
  ] as const)('is not extended: %s', async (_, slug, until, because, code, field) => {
    const input = { tenantId: tenantId(slug), until, reason: because };
    expect(await call(world, 'extendTrial', input)).toMatchObject({ license: null, userErrors: [{ code, field }] });
  });

  test('is given once to a tenant, ever: not again after a revocation', async () => {
    await world.sql(
      "update licensing.license set trial_ends_at = now() - interval '300 days', revoked_at = now() where tenant_id = $1"
        .replace('update', `select set_config('app.tenant_id', '${tenantId('atlas')}', false); update`)
        .replace('$1', `'${tenantId('atlas')}'`),
    );
    const wanted = { tenantId: tenantId('atlas'), plan: 'starter', interval: 'MONTH', idempotencyKey: 'again' };
    expect(await call(world, 'issueLicense', { ...wanted, isTrial: true })).toMatchObject({
      license: null,
      userErrors: [{ code: 'INVALID_STATE', message: 'This trial has been used.', field: 'isTrial' }],
    });
    expect(await call(world, 'issueLicense', wanted)).toMatchObject({ license: { state: 'ACTIVE' }, userErrors: [] });
  });

  test('of a feature lasts 14 days, is the tenant’s own to start, and comes once in 365 days', async () => {
    const who: Asker = { tenant: 'fable', user: '6081', roles: ['tenant_admin'] };
    const crm = async (): Promise<Answer> =>
      (await world.ask(who, '{ license { features(keys: ["fieldops"]) { access source reason expiresAt } } }')).data
        .license.features[0];
    const start = () => call(world, 'startFeatureTrial', { feature: 'fieldops' }, who);
    await world.sql(
      `select set_config('app.tenant_id', '${tenantId('fable')}', false); update licensing.license set paid_until = now() + interval '10 years', trial_ends_at = null where tenant_id = '${tenantId('fable')}'`,
    );
    expect(await start()).toMatchObject({
      change: { cause: 'FEATURE_TRIAL', reason: '14 days to try Field operations.' },
      userErrors: [],
    });
    const { expiresAt, ...open } = await crm();
    expect(open).toEqual({ access: 'FULL', source: 'TRIAL', reason: null });
    expect(Math.round((new Date(expiresAt).getTime() - Date.now()) / 3_600_000)).toBe(14 * 24);
    const used = {
      license: null,
      userErrors: [{ code: 'INVALID_STATE', message: 'This trial has been used.', field: 'feature' }],
    };
    expect(await start()).toMatchObject(used);
    await clock(15);
    expect(await crm()).toMatchObject({ access: 'NONE', reason: 'TRIAL_ENDED' });
    await clock(364);
    expect(await start()).toMatchObject(used);
    await clock(366);
    expect(await start()).toMatchObject({ change: { cause: 'FEATURE_TRIAL' }, userErrors: [] });
    expect(await crm()).toMatchObject({ access: 'FULL', source: 'TRIAL' });
  });

  test('of a feature that is included, or that nobody can use yet, is refused; an unknown one is bad input', async () => {
    const start = (feature: string, who: Asker = WREN) => call(world, 'startFeatureTrial', { feature }, who);
    expect((await start('tickets')).userErrors).toMatchObject([
      { code: 'INVALID_STATE', message: 'This feature is already included.' },
    ]);
    expect((await start('billing.advanced')).userErrors).toMatchObject([
      { code: 'INVALID_STATE', message: 'billing.advanced cannot be tried yet.' },
    ]);
    expect(await start('crn')).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining('Unknown feature: crn'),
    });
    expect(await start('crm', ADA)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await start('crm', EDDA)).toMatchObject({ code: 'FORBIDDEN' });
    expect((await start('white_label', { tenant: 'sable', roles: ['tenant_admin'] })).userErrors).toMatchObject([
      { code: 'INVALID_STATE', message: 'No trial starts while the licence is suspended.' },
    ]);
    expect((await start('crm', { tenant: 'oldtown', roles: ['tenant_admin'] })).userErrors).toMatchObject([
      { code: 'NOT_FOUND' },
    ]);
  });

  test('two at the same time start one', async () => {
    const both = await Promise.all([1, 2].map(() => call(world, 'startFeatureTrial', { feature: 'projects' }, WREN)));
    expect(both.map(({ userErrors }) => userErrors.length).sort()).toEqual([0, 1]);
  });

  test('of nobody is not refreshed either', async () => {
    expect(await call(world, 'refreshLicense', { tenantId: NOBODYS_ID })).toMatchObject({
      userErrors: [{ code: 'NOT_FOUND' }],
    });
  });
});
