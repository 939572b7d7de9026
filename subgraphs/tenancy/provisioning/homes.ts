import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import type { ProvisioningRun } from './provisioning-run.entity.ts';
import type { Isolation } from './request.rules.ts';

/** Whether tenants may have a database of their own here. */
export const isOffered = (isolation: Isolation): boolean => isolation === 'SHARED';

/** Gives the tenant its place. All who share one home have the same, of which nothing is written. */
export async function placeTenant(_em: EntityManager, _run: ProvisioningRun): Promise<void> {}

/** Steps `database` and `migrate` of a tenant with a home of its own, and the undoing of the first; each repeatable. */
export const homes = {
  create: (_ctx: Context, _run: ProvisioningRun): Promise<void> => notOffered(),
  migrate: (_ctx: Context, _run: ProvisioningRun): Promise<void> => notOffered(),
  drop: (_ctx: Context, _run: ProvisioningRun): Promise<void> => notOffered(),
};

function notOffered(): Promise<never> {
  return Promise.reject(new Error('Databases of their own are not offered here yet.'));
}
