import { openGatewayWorld } from '../tests/setup/gateway.ts';
import { gating, lookUps } from './license-cost/gating.ts';
import { licenseQuery, previews } from './license-cost/questions.ts';
import { resolving } from './license-cost/resolve.ts';
import { enlarge, NORTHWIND } from './portal-mix/world.ts';
import type { Result } from './setup.ts';

/** How much larger than the example world the tenant is whose change is previewed. */
const TIMES = [10, 100];

/** What licences cost those who only want their answer, and those who look at one. */
export async function licenseCost(): Promise<Result[]> {
  const { world, gateway, client, password, close } = await openGatewayWorld();
  try {
    const results = resolving();
    const previewed: Result[] = [];
    const ingrid = await client.signIn('ingrid@northwind.example', password);
    for (const [i, times] of TIMES.entries()) {
      const before = TIMES[i - 1] ?? 1;
      await enlarge(world.databaseUrl, NORTHWIND, times / before, before);
      const [row] = await world.sql('select count(*)::int as n from crm.contact where tenant_id = $1', [NORTHWIND]);
      previewed.push(await previews(ingrid, row.n));
    }
    const wren = await client.signIn('wren@kestrel.example', password);
    results.push(...(await lookUps(gateway)), ...(await gating(world, gateway, ingrid.token, wren.token)));
    return [...results, ...previewed, await licenseQuery(ingrid)];
  } finally {
    await close();
  }
}
