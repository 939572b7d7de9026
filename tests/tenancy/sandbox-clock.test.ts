import { type Asker, NGOZI, openWorld, type World, WREN } from '../setup/world.ts';

const FABLE = '01990000-0000-7000-8000-000000000a07';
const KESTREL = '01990000-0000-7000-8000-000000000a01';
const PLATFORM = '01990000-0000-7000-8000-000000000001';
const FEN: Asker = { tenant: 'fable', user: '6091', roles: ['tenant_admin'] };
const ADVANCE = `mutation($input: AdvanceClockInput!) { advanceClock(input: $input) {
  tenant { slug clockOffsetSeconds version } userErrors { code message field } } }`;

describe('The platform moves the clock of a sandbox', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world?.close());
  const advance = async (tenantId: string, by: string, who: Asker = NGOZI) =>
    (await world.ask(who, 'tenancy', ADVANCE, { input: { tenantId, by } })) as {
      data: { advanceClock: { tenant: unknown; userErrors: unknown[] } };
      errors?: { extensions: { code: string } }[];
    };
  const nowOf = async (who: Asker) => {
    const { data } = await world.ask(who, 'tenancy', '{ tenant { now clockOffsetSeconds } }');
    return data?.tenant as { now: string; clockOffsetSeconds: number };
  };

  test('its present runs ahead by as much, it is told once, and nobody else’s moves', async () => {
    const before = new Date((await nowOf(FEN)).now).getTime();
    const { data } = await advance(FABLE, 'PT240H');
    expect(data.advanceClock).toMatchObject({ tenant: { slug: 'fable', clockOffsetSeconds: 864_000 }, userErrors: [] });
    const after = await nowOf(FEN);
    expect(after.clockOffsetSeconds).toBe(864_000);
    expect(new Date(after.now).getTime() - before).toBeGreaterThanOrEqual(864_000_000);
    expect(new Date(after.now).getTime() - before).toBeLessThan(864_060_000);
    expect((await nowOf(WREN)).clockOffsetSeconds).toBe(0);
    const told = await world.sql("select tenant_id, payload from kernel.event where name = 'tenancy.clock.advanced'");
    expect(told).toEqual([{ tenant_id: FABLE, payload: { offsetSeconds: 864_000 } }]);
    const [kept] = await world.sql('select clock_offset_seconds from kernel.tenant_profile where tenant_id = $1', [
      FABLE,
    ]);
    expect(Number(kept.clock_offset_seconds)).toBe(864_000);
  });

  test.each([
    ['a production tenant', KESTREL, 'P1D', 'INVALID_STATE', 'Only a sandbox has a clock to move.', 'tenantId'],
    ['the platform', PLATFORM, 'P1D', 'INVALID_STATE', 'Only a sandbox has a clock to move.', 'tenantId'],
    ['backwards', FABLE, '-P1D', 'INVALID', 'The clock moves forward only.', 'by'],
    ['over five years', FABLE, 'P5Y', 'INVALID', 'The clock runs at most 5 years ahead.', 'by'],
    ['no duration', FABLE, 'soon', 'INVALID', 'A duration is written like P14D or PT1H30M, in whole seconds.', 'by'],
    [
      'an unknown tenant',
      '01990000-0000-7000-8000-00000000dead',
      'P1D',
      'NOT_FOUND',
      'There is no such tenant.',
      'tenantId',
    ],
    ['no id', 'fable', 'P1D', 'NOT_FOUND', 'There is no such tenant.', 'tenantId'],
  ])('%s is refused and moves nothing', async (_what, tenantId, by, code, message, field) => {
    const { data } = await advance(tenantId, by);
    expect(data.advanceClock).toEqual({ tenant: null, userErrors: [{ code, message, field }] });
    expect((await nowOf(FEN)).clockOffsetSeconds).toBe(864_000);
  });

  test('an ISP moves no clock, its own sandbox’s neither, and the database keeps an offset to sandboxes', async () => {
    for (const [who, tenantId] of [
      [FEN, FABLE],
      [WREN, KESTREL],
    ] as const)
      expect((await advance(tenantId, 'P1D', who)).errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    await expect(
      world.sql('update tenancy.tenant set clock_offset_seconds = 1 where id = $1', [KESTREL]),
    ).rejects.toThrow();
  });
});
