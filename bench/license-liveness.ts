import { createTestDatabase, testConfig } from '../tests/setup/database.ts';
import { withGateways } from './deployments.ts';
import { nextRequest } from './license-liveness/next-request.ts';
import { portals } from './license-liveness/portals.ts';
import { revocation } from './license-liveness/revocation.ts';
import { openLivenessWorld } from './license-liveness/world.ts';
import type { Result } from './setup.ts';

const GATEWAYS = 3;
/** Thousands of portals ask from one address here, and a few people hold them all: what operators set for a whole office. */
const ROOM = { SOCKETS_PER_ADDRESS: '1000000', SOCKETS_PER_USER: '1000000', STREAMS_PER_USER: '1000000' };

/**
 * How soon a licence change holds, over three gateways and every subgraph in processes of their own: for the next request,
 * for requests that never stop, and for 10,000 open portals, also with notifications cut and gateways killed.
 */
export async function licenseLiveness(): Promise<Result[]> {
  const database = await createTestDatabase();
  const config = testConfig(database.url);
  const product = await withGateways(config, GATEWAYS, ROOM);
  try {
    const world = await openLivenessWorld(product, database.url, String(config.SEED_PASSWORD));
    const results: Result[] = [];
    for (const part of [nextRequest, revocation, portals]) {
      const startedAt = performance.now();
      await world.renew();
      results.push(...(await part(world)));
      console.log(`  ${part.name} took ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
    }
    return results;
  } finally {
    await product.stop();
    await database.drop();
  }
}
