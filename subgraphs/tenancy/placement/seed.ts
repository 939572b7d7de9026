import { setTimeout as sleep } from 'node:timers/promises';
import type { SeedWorld } from '../../_kernel/seed-world.ts';
import { moveById, moveTenant } from './move.service.ts';

/** How often the move is looked at, milliseconds. */
const LOOK_MS = 50;

/** Gives atlas the database of its own that it has in the example world, as anybody gets one: by a move. */
export async function dedicateAtlas(world: SeedWorld): Promise<void> {
  await world.inTenant('platform', async (ctx) => {
    const wanted = { isolation: 'DEDICATED', region: 'us', idempotencyKey: 'seed' } as const;
    const { id } = await moveTenant(ctx, { tenantId: world.tenantId('atlas'), ...wanted });
    for (;;) {
      const move = await moveById(ctx, id);
      if (move?.state === 'DONE') return;
      if (move?.state !== 'RUNNING') throw new Error(`atlas could not be given a database of its own: ${move?.error}`);
      await sleep(LOOK_MS);
    }
  });
}
