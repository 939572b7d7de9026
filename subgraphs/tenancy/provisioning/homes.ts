import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import type { Isolation } from '../placement/placement.rules.ts';
import { putInRegion } from '../placement/placement.service.ts';
import type { ProvisioningRun } from './provisioning-run.entity.ts';

/** Whether tenants may have a database of their own here. */
export const isOffered = (isolation: Isolation): boolean => isolation === 'SHARED';

/** Writes down the region the tenant is to lie in; its place at the shared home it has since it was registered. */
export const placeTenant = (em: EntityManager, { homeId, wanted }: ProvisioningRun): Promise<void> =>
  putInRegion(em, homeId, wanted.region);

/** Steps `database` and `migrate` of a tenant with a home of its own, and the undoing of the first; each repeatable. */
export const homes = {
  create: (_ctx: Context, _run: ProvisioningRun): Promise<void> => notOffered(),
  migrate: (_ctx: Context, _run: ProvisioningRun): Promise<void> => notOffered(),
  drop: (_ctx: Context, _run: ProvisioningRun): Promise<void> => notOffered(),
};

function notOffered(): Promise<never> {
  return Promise.reject(new Error('Databases of their own are not offered here yet.'));
}
