import { setOverride } from '../subgraphs/licensing/fleet/override.service.ts';
import { openLicensingWorld, tenantId } from '../tests/licensing/licensing-world.ts';
import { INGRID } from '../tests/setup/world.ts';
import { percentile, type Result } from './setup.ts';

const SIZES = [100, 1_000];
const LOOKS = 100;
const BOUND_MS = 100;
const NORTHWIND = tenantId('northwind');

/** `licenseAt` over many versions, at instants spread over all of them, each answer checked against the history. */
export async function licensePast(): Promise<Result[]> {
  const world = await openLicensingWorld();
  try {
    const late: number[] = [];
    let made = 0;
    for (const size of SIZES) {
      await world.inTenant('northwind', async (ctx) => {
        for (; made < size; made++)
          await setOverride(ctx, { key: 'devices', limit: BigInt(made + 1_000), reason: 'Measured.' });
      });
      const versions = await world.sql(
        `select effective_at, after -> 'limits.devices' ->> 'limit' as devices from licensing.license_change
          where tenant_id = $1 and after ? 'limits.devices' order by random() limit $2`,
        [NORTHWIND, LOOKS],
      );
      const times: number[] = [];
      for (const { effective_at: at, devices } of versions) {
        const began = performance.now();
        const { data } = await world.ask(
          INGRID,
          'query($at: DateTime!) { licenseAt(at: $at) { state features { feature access } limits { key limit } } }',
          { at: at.toISOString() },
        );
        times.push(performance.now() - began);
        const said = data.licenseAt.limits.find(({ key }: { key: string }) => key === 'devices').limit;
        if (said !== devices) throw new Error(`At ${at.toISOString()} it was ${devices} and is told as ${said}.`);
      }
      late.push(percentile(times, 0.95));
    }
    return SIZES.map((size, i) => {
      const [p95, ratio] = [late[i] as number, (late[i] as number) / (late[0] as number)];
      const figure = `${p95.toFixed(1)} ms${i > 0 ? `, ${ratio.toFixed(1)} × that over ${SIZES[0]}` : ''}`;
      return {
        what: `licenseAt over ${size} versions, p95`,
        figure,
        bound: `≤ ${BOUND_MS} ms`,
        holds: p95 <= BOUND_MS,
      };
    });
  } finally {
    await world.close();
  }
}
