import { setTimeout as sleep } from 'node:timers/promises';
import { consume } from '../../../subgraphs/_kernel/quota.ts';
import { setOverride } from '../../../subgraphs/licensing/fleet/override.service.ts';
import { INGRID } from '../../setup/world.ts';
import { type Answer, type LicensingWorld, openLicensingWorld } from '../licensing-world.ts';

const FOLLOW = (keys: string) =>
  `subscription { usageUpdated(keys: ${keys}) { changedKeys usage { key used limit topUpRemaining } } }`;

describe('An open portal follows what is used', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());

  let times = 0;
  const use = (key: 'api_calls' | 'devices', amount = 1n, tenant: 'northwind' | 'atlas' = 'northwind') =>
    world.inTenant(tenant, (ctx) => ctx.tx((em) => consume(ctx, em, key, amount, `use ${times++}`)));
  const next = async (stream: AsyncGenerator<unknown>): Promise<Answer> => {
    const { value } = await stream.next();
    const { data, errors } = value as { data?: Answer; errors?: unknown };
    expect(errors).toBeUndefined();
    return data.usageUpdated;
  };
  const usedOf = ({ usage }: Answer, key = 'api_calls') =>
    Number(usage.find((one: { key: string }) => one.key === key).used);

  test('first as it is, then at most once a second, and never ending on a former figure', async () => {
    const stream = await world.follow(INGRID, FOLLOW('["api_calls"]'));
    const first = await next(stream);
    expect(first).toMatchObject({ changedKeys: [], usage: [{ key: 'api_calls', limit: '500000' }] });
    let isOver = false;
    const using = (async () => {
      for (const until = Date.now() + 3_200; Date.now() < until; await sleep(10)) await use('api_calls');
      isOver = true;
    })();
    const began = Date.now();
    const updates = [first];
    const all = () => Number(usedOf(first)) + times;
    while (!isOver || usedOf(updates.at(-1)) < all()) updates.push(await next(stream));
    await using;
    expect(usedOf(updates.at(-1))).toBe(all());
    expect(updates.length - 1).toBeGreaterThanOrEqual(2);
    expect(updates.length - 1).toBeLessThanOrEqual(Math.ceil((Date.now() - began) / 1_000));
    expect(updates.slice(1).every(({ changedKeys }) => changedKeys.join() === 'api_calls')).toBe(true);
    await stream.return(undefined);
  });

  test('of the quotas it asked for, in its tenant, and of a limit that changes', async () => {
    const stream = await world.follow(INGRID, FOLLOW('["api_calls", "subscribers"]'));
    const first = await next(stream);
    await use('devices');
    await use('api_calls', 1n, 'atlas');
    await sleep(1_600);
    const reason = 'Agreed with their sales.';
    await world.inTenant('northwind', (ctx) => setOverride(ctx, { key: 'subscribers', limit: 7_000n, reason }));
    const second = await next(stream);
    expect(second.changedKeys).toEqual(['subscribers']);
    expect(second.usage).toMatchObject([{ key: 'subscribers', limit: '7000' }, { key: 'api_calls' }]);
    expect(usedOf(second)).toBe(usedOf(first));
    await stream.return(undefined);
  });

  test('counting sends nothing more to the database for it', async () => {
    const statements = () => world.world.statementsOf('licensing', () => use('api_calls'));
    await use('api_calls');
    const alone = (await statements()).filter((text) => /count_plainly|finish|notify/.test(text));
    expect(alone).toHaveLength(1);
  });
});
