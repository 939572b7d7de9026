import { changing } from '../../../subgraphs/licensing/licenses/license-change.service.ts';
import { closeAllUsage } from '../../../subgraphs/licensing/sweeps.ts';
import { NGOZI, WREN } from '../../setup/world.ts';
import { eventsOf } from '../fleet/doors.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

const PUBLISH = `mutation($input: PublishAddOnInput!) { publishAddOn(input: $input) {
  addOn { meter { quota unitRate } } userErrors { message } } }`;
const PREVIEW = `query($input: LicenseChangeInput!) { previewLicenseChange(input: $input) { hash pricedAt direction effectiveAt
  reducedLimits { key from to used excess treatment } refusals { message } } }`;
const CHANGE = `mutation($input: CommitLicenseChangeInput!) { changeLicense(input: $input) {
  change { changedKeys status } userErrors { message } } }`;
const USAGE = '{ quotaUsage(keys: ["tickets"]) { limit policy used overage unitRate next { limit policy } } }';
const CONSUME = `mutation($input: ConsumeUsageInput!) { consumeUsage(input: $input) { used userErrors { message } } }`;

describe('An add-on of the marketplace sells tickets above the plan’s limit', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
    await world.inTenant('platform', closeAllUsage);
  });
  afterAll(() => world?.close());

  const ask = async (query: string, input: object = {}, who = WREN): Promise<Answer> => {
    const { data, errors } = await world.ask(who, query, { input });
    expect(errors).toBeUndefined();
    return Object.values(data)[0];
  };
  const put = (code: string, unitRate: string) => {
    const price = { amountMinor: '900', currency: 'USD' };
    const input = { code, name: 'More tickets', ladder: 'BASIC', price, meter: { quota: 'tickets', unitRate } };
    return ask(PUBLISH, input, NGOZI);
  };
  const hold = (...codes: string[]) => ({ addOns: ['storage_100', ...codes].map((code) => ({ code, quantity: 1 })) });
  const commit = async (change: object, idempotencyKey: string) => {
    const { hash, pricedAt } = await ask(PREVIEW, change);
    return ask(CHANGE, { change, pricedAt, previewHash: hash, idempotencyKey });
  };
  const usage = async () => (await ask(USAGE))[0];
  const take = (amount: string) => ask(CONSUME, { key: 'tickets', amount, idempotencyKey: `${amount} tickets` });

  test('bought, it holds at once: the limit stays, and what is over is let in at its rate', async () => {
    expect(await put('more_tickets', '0.05')).toMatchObject({
      addOn: { meter: { quota: 'tickets', unitRate: '0.05' } },
      userErrors: [],
    });
    const refused = await world.ask(WREN, CONSUME, {
      input: { key: 'tickets', amount: '30', idempotencyKey: 'early' },
    });
    expect(refused.errors[0].extensions.code).toBe('QUOTA_EXCEEDED');
    expect(await ask(PREVIEW, hold('more_tickets'))).toMatchObject({ direction: 'UPGRADE', refusals: [] });
    expect(await commit(hold('more_tickets'), 'buy')).toMatchObject({
      change: { status: 'APPLIED', changedKeys: expect.arrayContaining(['addOns.more_tickets', 'limits.tickets']) },
      userErrors: [],
    });
    expect(await take('30')).toMatchObject({ used: '109', userErrors: [] });
    expect(await usage()).toEqual({
      ...{ limit: '100', policy: 'OVERAGE', used: '109', overage: '9', unitRate: '0.05', next: null },
    });
  });

  test('with a second one the lower rate counts', async () => {
    await put('cheap_tickets', '0.0125');
    expect((await commit(hold('more_tickets', 'cheap_tickets'), 'second')).userErrors).toEqual([]);
    expect(await usage()).toMatchObject({ policy: 'OVERAGE', unitRate: '0.0125' });
  });

  test('given up, it holds to the end of the period, and the preview says what would be too much', async () => {
    const seen = await ask(PREVIEW, hold());
    expect(seen).toMatchObject({
      direction: 'DOWNGRADE',
      reducedLimits: [{ key: 'tickets', from: '100', to: '100', used: '109', excess: '9', treatment: 'NEXT_PERIOD' }],
    });
    expect(await commit(hold(), 'drop')).toMatchObject({ change: { status: 'SCHEDULED' } });
    expect(await usage()).toMatchObject({ policy: 'OVERAGE' });
  });

  test('the excess is told to billing at its rate, once', async () => {
    await world.sql(
      `update kernel.quota set period_start = now() - interval '40 days', period_end = now() - interval '1 minute'
        where tenant_id = $1 and key = 'tickets'`,
      [tenantId('kestrel')],
    );
    for (let i = 0; i < 2; i++) await world.inTenant('platform', closeAllUsage);
    const told = (await eventsOf(world, tenantId('platform'), 'licensing.usage.reported')).filter(
      ({ licensedTenantId, key }) => licensedTenantId === tenantId('kestrel') && key === 'tickets',
    );
    expect(told).toMatchObject([{ used: '109', included: '100', excess: '9', currency: 'USD' }]);
    expect(Number(told[0].unitRate)).toBe(0.0125);
  });

  test('ended in the middle of a period of use, it sells to the end of that period', async () => {
    await world.inTenant('kestrel', (ctx) =>
      ctx.tx((em) =>
        changing(ctx, em, ({ addOns }) => {
          for (const { row, version } of addOns) if (version.meter) row.endsAt = ctx.now();
          return { cause: 'CHANGED', reason: 'Their meters were taken back.' };
        }),
      ),
    );
    expect(await usage()).toMatchObject({
      policy: 'OVERAGE',
      unitRate: '0.0125',
      next: { limit: '100', policy: 'HARD' },
    });
  });
});
