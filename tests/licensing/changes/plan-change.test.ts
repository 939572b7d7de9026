import { advanceLicense } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import type { Asker } from '../../setup/world.ts';
import { BRUNO, INGRID, WREN } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const FEN: Asker = { tenant: 'fable', user: '6081', roles: ['tenant_admin'] };
const ROSA: Asker = { tenant: 'sable', user: '6051', roles: ['tenant_admin'] };
const EDDA: Asker = { tenant: 'northwind', user: '6024', roles: ['auditor'] };

const PREVIEW = `query($input: LicenseChangeInput!) { previewLicenseChange(input: $input) {
  hash pricedAt expiresAt licenseVersion direction effectiveAt isAwaitingPayment interval planVersion { plan { code } }
  lines { key amount { amountMinor } } net { amountMinor } endedFeatures { feature noun }
  reducedLimits { key from to used excess treatment } refusals { code message } } }`;
const CHANGE = `mutation($input: CommitLicenseChangeInput!) { changeLicense(input: $input) {
  license { version state enabledFeatures planVersion { plan { code } } scheduledChange { id status } }
  change { id version cause status direction leadsTo effectiveAt changedKeys } userErrors { code message field } } }`;
const LICENSE = `{ license { id version state interval autoRenew validUntil enabledFeatures planVersion { number plan { code } }
  addOns { quantity addOn { code } } scheduledChange { id status direction leadsTo effectiveAt } } }`;

// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
type Any = any;

describe('An administrator changes what is sold', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());

  const ask = async (who: Asker, query: string, variables?: Record<string, unknown>): Promise<Any> => {
    const { data, errors } = await world.ask(who, query, variables);
    expect(errors).toBeUndefined();
    return data;
  };
  const preview = async (who: Asker, input: object) => (await ask(who, PREVIEW, { input })).previewLicenseChange;
  const commit = async (who: Asker, change: object, seen: Any, idempotencyKey: string) => {
    const { pricedAt, hash } = seen;
    const input = { change, pricedAt, previewHash: hash, idempotencyKey };
    return (await ask(who, CHANGE, { input })).changeLicense;
  };
  const license = async (who: Asker) => (await ask(who, LICENSE)).license;
  const told = (name: string, slug: Parameters<typeof tenantId>[0]) =>
    world
      .sql('select payload from kernel.event where name = $1 and tenant_id = $2 order by seq', [name, tenantId(slug)])
      .then((rows) => rows.map((row: Any) => row.payload));

  describe('A smaller plan', () => {
    const smaller = { plan: 'starter', keep: [{ key: 'staff_users', ids: ['01990000-0000-7000-8000-000000006026'] }] };
    let scheduled: Any;

    test('is previewed with what it would shut and lower, and costs nothing now', async () => {
      await world.sql("update kernel.quota set used = 8 where tenant_id = $1 and key = 'webhook_endpoints'", [
        tenantId('northwind'),
      ]);
      const seen = await preview(INGRID, smaller);
      expect(seen).toMatchObject({
        ...{ direction: 'DOWNGRADE', isAwaitingPayment: false, lines: [], net: { amountMinor: '0' }, refusals: [] },
        planVersion: { plan: { code: 'starter' } },
      });
      expect(seen.endedFeatures.map((loss: Any) => loss.feature)).toEqual([
        ...['crm', 'projects', 'analytics', 'webhooks', 'api_keys'],
      ]);
      expect(seen.reducedLimits).toContainEqual({
        ...{ key: 'webhook_endpoints', from: '5', to: '0', used: '8', excess: '8', treatment: 'FREEZE_EXCESS' },
      });
      expect(new Date(seen.expiresAt).getTime() - new Date(seen.pricedAt).getTime()).toBe(15 * 60_000);
    });

    test.each([
      [
        'one letter of the hash',
        (seen: Any) => ({ ...seen, hash: `${seen.hash.slice(0, -1)}${seen.hash.endsWith('0') ? '1' : '0'}` }),
      ],
      [
        'an older price',
        (seen: Any) => ({ ...seen, pricedAt: new Date(Date.parse(seen.pricedAt) - 16 * 60_000).toISOString() }),
      ],
      [
        'a price of the future',
        (seen: Any) => ({ ...seen, pricedAt: new Date(Date.parse(seen.pricedAt) + 60_000).toISOString() }),
      ],
    ])('with %s edited it is stale, and nothing changes', async (_, edit) => {
      const before = await license(INGRID);
      const answer = await commit(INGRID, smaller, edit(await preview(INGRID, smaller)), 'stale');
      expect(answer).toMatchObject({
        change: null,
        userErrors: [{ code: 'STALE_PREVIEW', message: 'The price has changed. Please look at it again.' }],
      });
      expect(await license(INGRID)).toEqual(before);
    });

    test('waits for the end of the period: one version says so, and everything works on', async () => {
      const before = await license(INGRID);
      const seen = await preview(INGRID, smaller);
      const done = await commit(INGRID, smaller, seen, 'down');
      expect(done).toMatchObject({
        userErrors: [],
        license: {
          version: before.version + 1,
          enabledFeatures: before.enabledFeatures,
          planVersion: { plan: { code: 'professional' } },
        },
        change: {
          cause: 'SCHEDULED',
          status: 'SCHEDULED',
          direction: 'DOWNGRADE',
          leadsTo: 'starter@1',
          changedKeys: expect.arrayContaining(['scheduledChange', 'features.crm']),
        },
      });
      expect(done.change.effectiveAt).toBe(seen.effectiveAt);
      expect(done.license.scheduledChange).toEqual({ id: done.change.id, status: 'SCHEDULED' });
      scheduled = done.change;
      expect(await commit(INGRID, smaller, seen, 'down')).toEqual(done);
      expect((await told('licensing.change.scheduled', 'platform')).at(-1)).toMatchObject({
        ...{ changeId: done.change.id, status: 'SCHEDULED', from: 'professional@1', to: 'starter@1' },
        ...{
          licensedTenantId: tenantId('northwind'),
          previewHash: seen.hash,
          effectiveAt: seen.effectiveAt,
          lines: [],
        },
      });
    });

    test('a newer wish takes its place; who takes it back has what was', async () => {
      const wish = { addOns: [{ code: 'white_label', quantity: 1 }], plan: 'starter' };
      const next = await commit(INGRID, wish, await preview(INGRID, wish), 'other');
      expect(next.change).toMatchObject({ status: 'SCHEDULED', direction: 'MIXED' });
      const history = await ask(INGRID, '{ licenseHistory(keys: ["scheduledChange"]) { nodes { id status } } }');
      expect(history.licenseHistory.nodes.slice(0, 2)).toEqual([
        { id: next.change.id, status: 'SCHEDULED' },
        { id: scheduled.id, status: 'SUPERSEDED' },
      ]);
      const cancel = `mutation($input: CancelScheduledChangeInput!) { cancelScheduledChange(input: $input) {
        license { scheduledChange { id } } change { cause } userErrors { code message } } }`;
      const gone = await ask(INGRID, cancel, { input: { changeId: scheduled.id } });
      expect(gone.cancelScheduledChange.userErrors).toEqual([
        { code: 'NOT_FOUND', message: 'There is no such change that waits.' },
      ]);
      const back = await ask(INGRID, cancel, { input: { changeId: next.change.id } });
      expect(back.cancelScheduledChange).toMatchObject({
        ...{ license: { scheduledChange: null }, change: { cause: 'SCHEDULE_CANCELLED' }, userErrors: [] },
      });
      expect((await told('licensing.change.cancelled', 'platform')).map((event: Any) => event.changeId)).toEqual([
        ...[scheduled.id, next.change.id],
      ]);
    });
  });

  describe('On a sandbox whose clock is moved', () => {
    const moveTo = (seconds: number) =>
      world.sql('update kernel.tenant_profile set clock_offset_seconds = $1 where tenant_id = $2', [
        seconds,
        tenantId('fable'),
      ]);
    const DAY = 86_400;
    beforeAll(async () => {
      // Paid for the month that runs, and beyond any trial.
      await world.inTenant('fable', (ctx) =>
        ctx.tx((em) =>
          em.execute(
            "update licensing.license set paid_until = ?, granted_until = ?, asked_until = ?, trial_ends_at = null, anchor_day = 1, zone = 'UTC'",
            [endOfMonth(0), endOfMonth(0), endOfMonth(0)],
          ),
        ),
      );
      await world.inTenant('fable', (ctx) => advanceLicense(ctx));
    });

    test('the scheduled change holds from its instant on, though no job has run; the job then writes it down once', async () => {
      const wish = { plan: 'starter' };
      const seen = await preview(FEN, wish);
      expect(seen.effectiveAt).toBe(endOfMonth(0).toISOString());
      const done = await commit(FEN, wish, seen, 'down');
      const before = await license(FEN);
      await moveTo(Math.ceil((endOfMonth(0).getTime() - Date.now()) / 1_000) + DAY);
      const after = await license(FEN);
      expect(after).toMatchObject({ version: before.version, enabledFeatures: ['tickets'], scheduledChange: null });
      expect(after.planVersion.plan.code).toBe('starter');
      await world.inTenant('fable', (ctx) => advanceLicense(ctx));
      await world.inTenant('fable', (ctx) => advanceLicense(ctx));
      const written = await license(FEN);
      expect(written).toMatchObject({ enabledFeatures: ['tickets'], planVersion: { plan: { code: 'starter' } } });
      const applied = (await told('licensing.change.applied', 'platform')).filter(
        (event: Any) => event.licensedTenantId === tenantId('fable'),
      );
      expect(applied).toMatchObject([{ changeId: done.change.id, status: 'APPLIED', to: 'starter@1' }]);
      const history = await ask(FEN, '{ licenseHistory(first: 3) { nodes { cause status effectiveAt changedKeys } } }');
      const row = history.licenseHistory.nodes.find((node: Any) => node.cause === 'CHANGED');
      expect(row).toMatchObject({ status: 'APPLIED', effectiveAt: seen.effectiveAt });
      expect(row.changedKeys).toEqual(expect.arrayContaining(['planVersion', 'features.crm', 'scheduledChange']));
      const reason = await ask(FEN, '{ license { features(keys: ["crm", "fieldops"]) { feature reason } } }');
      expect(reason.license.features).toEqual([
        { feature: 'crm', reason: 'DOWNGRADED' },
        { feature: 'fieldops', reason: 'NOT_IN_PLAN' },
      ]);
      const reduced = (await told('licensing.limit.reduced', 'fable')).map((event: Any) => [
        event.key,
        event.treatment,
      ]);
      expect(reduced).toEqual(
        expect.arrayContaining([
          ['staff_users', 'FREEZE_EXCESS'],
          ['devices', 'NO_GROWTH'],
          ['tickets', 'NEXT_PERIOD'],
        ]),
      );
    });
  });

  describe('Wishes that cannot be', () => {
    test.each([
      [INGRID, { plan: 'professional' }, 'INVALID_STATE', 'The licence already is what you ask for.'],
      [ROSA, { plan: 'enterprise' }, 'INVALID_STATE', 'A suspended licence does not change its plan.'],
      [WREN, { endTrial: true, plan: 'professional' }, 'INVALID_STATE', 'There is no trial to end.'],
    ] as [Asker, object, string, string][])('%p wanting %p is told why not', async (who, input, code, message) => {
      expect((await preview(who, input)).refusals).toEqual([{ code, message }]);
    });

    test.each([
      [INGRID, { plan: 'gold' }, 'NOT_FOUND', 'There is no plan named gold.'],
      [INGRID, { plan: 'internal' }, 'NOT_FOUND', 'There is no plan named internal.'],
      [INGRID, { addOns: [{ code: 'gold' }] }, 'NOT_FOUND', 'There is no add-on named gold.'],
      [BRUNO, { addOns: [{ code: 'ai_insights' }] }, 'INVALID_STATE', 'ai_insights cannot be bought yet.'],
      [WREN, { addOns: [{ code: 'crm_integrations' }] }, 'INVALID', 'crm_integrations needs the crm feature.'],
      [INGRID, { addOns: [{ code: 'crm_integrations' }] }, 'INVALID_STATE', 'crm_integrations cannot be bought yet.'],
      [INGRID, { addOns: [{ code: 'subscribers_500', quantity: 21 }] }, 'INVALID', 'At most 20 of subscribers_500.'],
      [
        INGRID,
        { addOns: [{ code: 'subscribers_500', quantity: 0 }] },
        'INVALID',
        'A quantity is a whole number from 1.',
      ],
      [
        INGRID,
        { addOns: [{ code: 'analytics' }, { code: 'analytics' }] },
        'INVALID',
        'An add-on is named once, with its quantity.',
      ],
      [
        INGRID,
        { keep: [{ key: 'devices', ids: [] }] },
        'INVALID',
        'Nothing of devices is frozen, so nothing is chosen to be kept.',
      ],
    ] as [Asker, object, string, string][])('%p wanting %p is refused', async (who, input, refusal, message) => {
      const { data, errors } = await world.ask(who, PREVIEW, { input });
      expect(data).toBeNull();
      expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_USER_INPUT', refusal } }]);
    });

    test('who may not change the licence does not see what it would cost', async () => {
      const { errors } = await world.ask(EDDA, PREVIEW, { input: { plan: 'starter' } });
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    });
  });

  test('an add-on is bought at once and given back at the period’s end', async () => {
    const wish = {
      addOns: [
        { code: 'storage_100', quantity: 1 },
        { code: 'priority_support', quantity: 1 },
      ],
    };
    const seen = await preview(WREN, wish);
    expect(seen.direction).toBe('UPGRADE');
    expect(seen.lines.map((line: Any) => line.key)).toEqual([
      'charge:add_on:priority_support@1',
      'setup:add_on:priority_support@1',
    ]);
    const bought = await commit(WREN, wish, seen, 'support');
    expect(bought).toMatchObject({
      change: { cause: 'CHANGED', status: 'APPLIED', changedKeys: ['addOns.priority_support'] },
    });
    expect((await license(WREN)).addOns.map((held: Any) => held.addOn.code).sort()).toEqual([
      'priority_support',
      'storage_100',
    ]);
    const without = { addOns: [{ code: 'storage_100', quantity: 1 }] };
    expect(await preview(WREN, without)).toMatchObject({ direction: 'DOWNGRADE', lines: [] });
  });

  test('an upgrade to the yearly price changes the plan at once and the interval at the period’s end', async () => {
    const upgrade = `mutation($input: UpgradeLicenseInput!) { upgradeLicense(input: $input) { license { version interval scheduledChange { leadsTo direction } }
      change { version cause } userErrors { message } } }`;
    const before = await license(INGRID);
    const { upgradeLicense } = await ask(INGRID, upgrade, {
      input: { newPlan: 'enterprise', interval: 'YEAR', idempotencyKey: 'year' },
    });
    expect(upgradeLicense).toMatchObject({
      license: {
        version: before.version + 2,
        interval: 'MONTH',
        scheduledChange: { leadsTo: 'enterprise@1', direction: 'UPGRADE' },
      },
      ...{ change: { version: before.version + 1, cause: 'UPGRADED' }, userErrors: [] },
    });
  });
});

/** 00:00 UTC of the first day of a month to come. */
function endOfMonth(ahead: number): Date {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1 + ahead, 1));
}
