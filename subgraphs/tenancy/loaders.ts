import { isId } from '../../schema/ids.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { defineLoader } from '../_kernel/loader.ts';
import { Tenant } from './tenant.entity.ts';

async function byId(em: EntityManager, ids: readonly string[]): Promise<[string, Tenant][]> {
  const found = await em.find(Tenant, { id: { $in: ids.filter(isId) } });
  return found.map((tenant) => [tenant.id, tenant]);
}

/** The caller's own tenant; the wall hides every other. */
export const ownTenants = defineLoader('own tenants', (em, ids) => byId(em, ids));

/** Any tenant, for the control plane. */
export const allTenants = defineLoader('all tenants', (_em, ids, ctx) => ctx.acrossTenants((em) => byId(em, ids)));
