import { isId } from '../../../schema/ids.ts';
import { packPermissions } from '../../../schema/permissions.ts';
import type { Context } from '../../_kernel/context.ts';
import { ApiKey, type ApiKeyGrant } from './api-key.entity.ts';
import { WORKING } from './api-key.rules.ts';

/** What the keys with these hashes open, for gateways; one that is unknown is left out. */
export function keyGrants(ctx: Context, hashes: readonly string[]): Promise<ApiKeyGrant[]> {
  return ctx.acrossTenants(async (em) => {
    const keys = await em.find(ApiKey, { hash: { $in: [...hashes] } });
    return keys.map(({ id, hash, homeId, state, scopes, addresses, requestsPerSecond, expiresAt, retiresAt }) => {
      const end = Math.min(expiresAt.getTime(), state === 'ROTATING' && retiresAt ? retiresAt.getTime() : Infinity);
      return {
        ...{ hash, keyId: id, tenantId: homeId, addresses, requestsPerSecond },
        isWorking: WORKING.includes(state),
        ...packPermissions(scopes),
        expiresAt: end,
      };
    });
  });
}

/** Notes that keys were used within this hour. */
export async function noteKeyUse(ctx: Context, keyIds: readonly string[]): Promise<void> {
  const known = keyIds.filter(isId);
  const keys = await ctx.acrossTenants((em) => em.find(ApiKey, { id: { $in: known } }));
  for (const home of new Set(keys.map(({ homeId }) => homeId)))
    await ctx.inTenant(home).tx(async (em) => {
      await em.nativeUpdate(
        ApiKey,
        { id: { $in: known } },
        { lastUsedAt: new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000) },
      );
    });
}
