import { INGRID, SAMIRA, WREN } from '../../setup/world.ts';
import { type Answer, type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

describe('Use is told from outside', () => {
  let world: LicensingWorld;
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());

  const input = (key: string, amount: string, idempotencyKey: string) => ({ input: { key, amount, idempotencyKey } });
  const consume = (who: typeof INGRID, ...asked: Parameters<typeof input>): Promise<Answer> =>
    world.ask(
      who,
      `mutation($input: ConsumeUsageInput!) { consumeUsage(input: $input) { used usage { key used limit } userErrors { code message field } } }`,
      input(...asked),
    );
  const release = (who: typeof INGRID, ...asked: Parameters<typeof input>): Promise<Answer> =>
    world.ask(
      who,
      `mutation($input: ReleaseUsageInput!) { releaseUsage(input: $input) { used userErrors { code message field } } }`,
      input(...asked),
    );
  const record = (events: object[], who = INGRID): Promise<Answer> =>
    world.ask(
      who,
      `mutation($input: RecordUsageEventsInput!) { recordUsageEvents(input: $input) { envelope results { eventId outcome message } userErrors { code } } }`,
      { input: { envelope: 'batch 7', events } },
    );
  const usedOf = async (key: string, tenant: 'northwind' | 'kestrel' = 'northwind') => {
    const [row] = await world.sql('select used::int from kernel.quota where tenant_id = $1 and key = $2', [
      tenantId(tenant),
      key,
    ]);
    return row.used as number;
  };
  const event = (eventId: string, over: object = {}) => ({
    ...{ eventId, key: 'api_calls', amount: '2', occurredAt: new Date().toISOString(), ...over },
  });
  const at = (ms: number) => new Date(Date.now() + ms).toISOString();

  test('fifty times at once under one key counts once, and every answer is the first', async () => {
    const before = await usedOf('subscribers');
    const asked = async (): Promise<Answer> => {
      const answer = await consume(INGRID, 'subscribers', '3', 'fifty');
      return answer.errors?.[0].extensions.code === 'OVERLOADED' ? asked() : answer;
    };
    const answers = await Promise.all(Array.from({ length: 50 }, asked));
    expect(new Set(answers.map(({ data }) => JSON.stringify(data.consumeUsage)))).toEqual(
      new Set([
        JSON.stringify({
          used: String(before + 3),
          usage: { key: 'subscribers', used: String(before + 3), limit: '5000' },
          userErrors: [],
        }),
      ]),
    );
    expect(await usedOf('subscribers')).toBe(before + 3);
    const other = await consume(INGRID, 'subscribers', '4', 'fifty');
    expect(other.data.consumeUsage).toMatchObject({ used: null, userErrors: [{ code: 'IDEMPOTENCY_MISMATCH' }] });
    await consume(INGRID, 'subscribers', '1', 'another');
    expect((await consume(INGRID, 'subscribers', '3', 'fifty')).data.consumeUsage.used).toBe(String(before + 3));
  });

  test('over a hard limit it is refused with what holds, and nothing is counted', async () => {
    const before = await usedOf('staff_users', 'kestrel');
    const { data, errors } = await consume(WREN, 'staff_users', '1', 'a fourth');
    expect(data).toBeNull();
    expect(errors[0]).toMatchObject({
      message: `The plan allows 3 staff users and ${before} are in use.`,
      extensions: { code: 'QUOTA_EXCEEDED', key: 'staff_users', limit: '3', used: '3', resetsAt: null },
    });
    expect(await usedOf('staff_users', 'kestrel')).toBe(before);
  });

  test('a gauge comes back as far as it was taken here, and never what others took', async () => {
    const before = await usedOf('devices');
    await consume(INGRID, 'devices', '5', 'five');
    expect((await release(INGRID, 'devices', '2', 'two')).data.releaseUsage).toEqual({
      used: String(before + 3),
      userErrors: [],
    });
    expect((await release(INGRID, 'devices', '2', 'two')).data.releaseUsage.used).toBe(String(before + 3));
    expect((await release(INGRID, 'devices', '4', 'four')).data.releaseUsage.userErrors).toEqual([
      { code: 'CONFLICT', message: 'At most 3 can be given back.', field: 'amount' },
    ]);
    expect(await usedOf('devices')).toBe(before + 3);
  });

  test('an amount of nothing is refused, and one that is no quantity is no input', async () => {
    for (const { data } of [
      await consume(INGRID, 'devices', '0', 'none'),
      await release(INGRID, 'devices', '0', 'none'),
    ])
      expect((data.consumeUsage ?? data.releaseUsage).userErrors).toMatchObject([{ code: 'INVALID', field: 'amount' }]);
    for (const amount of ['1e9', '-1', '1.5', '12345678901234567890'])
      expect((await consume(INGRID, 'devices', amount, 'odd')).errors[0].message).toContain(
        'A quantity is a whole number from 0.',
      );
    expect((await consume(INGRID, 'device', '1', 'odd')).errors[0].message).toContain('Unknown quota: device.');
    for (const key of ['', 'k'.repeat(256)])
      expect((await consume(INGRID, 'devices', '1', key)).data.consumeUsage.userErrors).toMatchObject([
        { code: 'INVALID', field: 'idempotencyKey' },
      ]);
  });

  test('only by who may tell it', async () => {
    for (const { errors } of [
      await consume(SAMIRA, 'devices', '1', 'x'),
      await release(SAMIRA, 'devices', '1', 'x'),
      await record([event('x')], SAMIRA),
    ])
      expect(errors[0].extensions.code).toBe('FORBIDDEN');
  });

  test('events count once each, and one that is refused does not keep the others from counting', async () => {
    const before = await usedOf('api_calls');
    const events = [
      event('fresh'),
      event('a week old', { occurredAt: at(-7 * 86_400_000 + 60_000) }),
      event('older', { occurredAt: at(-7 * 86_400_000 - 60_000) }),
      event('a little ahead', { occurredAt: at(9 * 60_000) }),
      event('too far ahead', { occurredAt: at(11 * 60_000) }),
      event('fresh'),
      event('a little ahead', { amount: '3' }),
      event('nothing', { amount: '0' }),
      event('', {}),
      event('a device', { key: 'devices', amount: '9999' }),
    ];
    const { data, errors } = await record(events);
    expect(errors).toBeUndefined();
    expect(data.recordUsageEvents.envelope).toBe('batch 7');
    expect(data.recordUsageEvents.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      ...['COUNTED', 'COUNTED', 'INVALID', 'COUNTED', 'INVALID', 'REPEATED', 'IDEMPOTENCY_MISMATCH'],
      ...['INVALID', 'INVALID', 'QUOTA_EXCEEDED'],
    ]);
    expect(await usedOf('api_calls')).toBe(before + 6);
    const again = await record(events.slice(0, 2));
    expect(again.data.recordUsageEvents.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      'REPEATED',
      'REPEATED',
    ]);
    expect(await usedOf('api_calls')).toBe(before + 6);
  });

  test('five hundred at once, and not one more', async () => {
    const before = await usedOf('api_calls');
    const events = Array.from({ length: 500 }, (_, i) => event(`bulk ${i}`, { amount: '1' }));
    const { data } = await record(events);
    expect(
      data.recordUsageEvents.results.filter(({ outcome }: { outcome: string }) => outcome === 'COUNTED'),
    ).toHaveLength(500);
    expect(await usedOf('api_calls')).toBe(before + 500);
    expect((await record([...events, event('one more')])).errors[0]).toMatchObject({
      message: 'At most 500 events at once.',
      extensions: { code: 'BAD_USER_INPUT' },
    });
  });

  test('where the licence allows reading only, nobody takes more, and what is given back is taken', async () => {
    const restricted = { ...INGRID };
    await consume(INGRID, 'devices', '1', 'before');
    const { envelope } = await world.world.context(restricted, 'licensing');
    const execute = (mutation: string) =>
      world.world
        .subgraph('licensing')
        .execute(
          ...world.world.signed({ ...envelope, core: 'READ', deadline: Date.now() + 9_000 }, 'licensing', mutation),
        );
    const asked = '(input: { key: "devices", amount: "1", idempotencyKey: "restricted" }) { userErrors { code } }';
    const { errors } = await execute(`mutation { consumeUsage${asked} }`);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'FEATURE_NOT_LICENSED', feature: 'core' });
    expect((await execute(`mutation { releaseUsage${asked} }`)).data).toEqual({ releaseUsage: { userErrors: [] } });
  });
});
