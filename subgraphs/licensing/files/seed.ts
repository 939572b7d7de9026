import type { Context } from '../../_kernel/context.ts';
import { type SeedWorld, seedId } from '../../_kernel/seed-world.ts';
import { isOverridden, issueLicenseFile } from './license-file.service.ts';
import { rotateSigningKey, tendSigningKeys } from './signing-key.service.ts';

const FILES = 7;
/** The two installations of atlas. */
const INSTALLATIONS = [seedId('8a51'), seedId('8a52')];

/** Seven files of atlas over its two installations, the last of them signed by a second key; the first one retires. */
export async function seedFiles(world: SeedWorld): Promise<void> {
  for (let number = 1; number <= FILES; number++) {
    if (number === FILES) await world.inTenant('platform', replaceKey);
    const isMade = await world.inTenant('atlas', async (ctx) => {
      if (isOverridden(ctx.machinery.config)) return false;
      const installationId = INSTALLATIONS[number % INSTALLATIONS.length] ?? null;
      await issueLicenseFile(ctx, { installationId, ttlHours: 168, idempotencyKey: `seed ${number}` });
      return true;
    });
    if (!isMade) return;
  }
}

/** Has a second key take over, as if it had been published a day ago. */
async function replaceKey(ctx: Context): Promise<void> {
  await rotateSigningKey(ctx, 'The example world shows a key that retires.');
  await ctx.tx((em) =>
    em.execute(
      "update licensing.signing_key set made_at = made_at - interval '1 day', active_at = now() where status = 'NEXT'",
    ),
  );
  await tendSigningKeys(ctx);
}
