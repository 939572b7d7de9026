import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { type ApiCalls, holdApiCalls } from '../../../gateway/api-calls.ts';
import { createAsk } from '../../../gateway/ask.ts';
import { localSubgraph } from '../../../gateway/data-sources.ts';
import { createMint } from '../../../subgraphs/_kernel/signed-context.ts';
import { createLog } from '../../../subgraphs/_kernel/telemetry.ts';
import { leaseOf } from '../../../subgraphs/licensing/usage/api-call-lease.rules.ts';
import { INGRID } from '../../setup/world.ts';
import { type LicensingWorld, openLicensingWorld, tenantId } from '../licensing-world.ts';

describe('A lease of calls', () => {
  test.each<[bigint | null, bigint, bigint]>([
    [null, 8n, 8n],
    [null, 500n, 100n],
    [1_000n, 100n, 100n],
    [199n, 100n, 100n],
    [198n, 100n, 99n],
    [1n, 100n, 1n],
    [0n, 1n, 0n],
  ])('with %p left is, of %p asked for, %p', (left, asked, granted) => {
    expect(leaseOf(left, asked)).toBe(granted);
  });

  test('never passes what is left, and leaves nothing over that nobody gets', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10_000n }), fc.bigInt({ min: 1n, max: 200n }), (left, asked) => {
        const granted = leaseOf(left, asked);
        expect(granted <= left && granted <= 100n && granted <= asked).toBe(true);
        expect(granted > 0n).toBe(left > 0n);
      }),
    );
  });
});

describe('Two gateways count the calls of machines', () => {
  let world: LicensingWorld;
  let gateways: ApiCalls[];
  beforeAll(async () => {
    world = await openLicensingWorld();
  });
  afterAll(() => world?.close());
  beforeEach(() => {
    const { config } = world.world;
    gateways = [0, 1].map(() => {
      const sources = new Map([['licensing', localSubgraph(world.world.subgraph('licensing'))]]);
      return holdApiCalls(createAsk(sources, createMint(config.ENVELOPE_PRIVATE_KEY)), createLog(config, 'gateway'));
    });
  });
  afterEach(() => Promise.all(gateways.map((gateway) => gateway.close())));

  const machine = (tenant: 'kestrel' | 'northwind' = 'kestrel') =>
    ({ kind: 'API_KEY', tenantId: tenantId(tenant) }) as const;
  const usedOf = async (tenant: 'kestrel' | 'northwind' = 'kestrel') => {
    const [row] = await world.sql(`select used::int from kernel.quota where tenant_id = $1 and key = 'api_calls'`, [
      tenantId(tenant),
    ]);
    return row.used as number;
  };
  const use = (used: number) =>
    world.sql(`update kernel.quota set used = $2 where tenant_id = $1 and key = 'api_calls'`, [
      tenantId('kestrel'),
      used,
    ]);
  const verdictOf = (asked: Promise<void>) =>
    asked.then(
      () => 'passed',
      (error) => error.code as string,
    );

  test('a hard limit is passed by neither: with 130 left, 130 of 300 calls pass', async () => {
    await use(100_000 - 130);
    const verdicts: string[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        for (let n = 0; n < 15; n++) verdicts.push(await verdictOf((gateways[i % 2] as ApiCalls).take(machine())));
      }),
    );
    expect(await usedOf()).toBe(100_000);
    await Promise.all(gateways.map((gateway) => gateway.close()));
    const passed = verdicts.filter((verdict) => verdict === 'passed').length;
    expect(await usedOf()).toBe(100_000 - 130 + passed);
    expect(passed).toBeGreaterThanOrEqual(125); // a lease one gateway holds to the end is not the other's
    expect(new Set(verdicts)).toEqual(new Set(['passed', 'QUOTA_EXCEEDED']));
  });

  test('who is refused is told what holds', async () => {
    await use(100_000);
    await expect((gateways[0] as ApiCalls).take(machine())).rejects.toMatchObject({
      message: 'The plan allows 100000 API calls and 100000 are in use.',
      extensions: {
        code: 'QUOTA_EXCEEDED',
        key: 'api_calls',
        limit: '100000',
        used: '100000',
        resetsAt: expect.any(String),
      },
    });
  });

  test('calls that nobody makes are given back within five seconds', async () => {
    await use(0);
    for (let n = 0; n < 36; n++) await (gateways[0] as ApiCalls).take(machine());
    expect(await usedOf()).toBe(1 + 2 + 4 + 8 + 16 + 32); // a busy caller leases twice as many each time
    await sleep(5_000);
    expect(await usedOf()).toBe(36);
    await (gateways[0] as ApiCalls).take(machine());
    expect(await usedOf()).toBe(37);
  });

  test('a gateway that stops gives back what it holds', async () => {
    await use(0);
    for (let n = 0; n < 5; n++) await (gateways[1] as ApiCalls).take(machine());
    await (gateways[1] as ApiCalls).close();
    expect(await usedOf()).toBe(5);
  });

  test('a busy machine waits for licensing about once in a hundred calls', async () => {
    await use(0);
    const gateway = gateways[0] as ApiCalls;
    const asked = await world.world.statementsOf('licensing', async () => {
      for (let n = 0; n < 5_000; n++) await gateway.take(machine());
    });
    expect(asked.filter((text) => text.includes('count_plainly')).length).toBeLessThanOrEqual(60);
  });

  test('people at a portal cost nothing', async () => {
    const before = await usedOf('northwind');
    const gateway = gateways[0] as ApiCalls;
    await gateway.take({ kind: 'USER', tenantId: tenantId('northwind') });
    await gateway.take({ kind: 'ANONYMOUS', tenantId: null });
    expect(await usedOf('northwind')).toBe(before);
    await gateway.take({ kind: 'INSTALLATION', tenantId: tenantId('northwind') });
    expect(await usedOf('northwind')).toBe(before + 1);
  });

  test('nobody but a gateway leases', async () => {
    const { errors } = await world.ask(
      INGRID,
      `mutation { leaseApiCalls(tenantId: "${tenantId('northwind')}", leaseId: "x", amount: 100) { granted } }`,
    );
    expect(errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });
});
