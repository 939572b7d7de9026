import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { tellGateways } from '../../_kernel/events.ts';
import { createHome, dropHome, migrateHome } from '../../_kernel/home-databases.ts';
import { CONTROL, type Home } from '../../_kernel/homes.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { checkAlone, settleIn } from '../../_kernel/residence.ts';
import { DataHome } from '../placement/data-home.entity.ts';
import { demolish } from '../placement/former-home.service.ts';
import { Placement } from '../placement/placement.entity.ts';
import { homeNameOf } from '../placement/placement.rules.ts';
import { forgetHome, homeOf, putInRegion, registerHome, settleTenant } from '../placement/placement.service.ts';
import type { ProvisioningRun } from './provisioning-run.entity.ts';

/** The home a run makes for its tenant: a name of this run's alone, so that no late worker of a former one touches it. */
const homeOfRun = ({ id }: ProvisioningRun): Home => homeNameOf(id, 1);

/**
 * Writes down the region the tenant is to lie in, and the home it gets. Until that stands it lives at the shared one, where
 * it is since it was registered.
 */
export async function reservePlace(em: EntityManager, run: ProvisioningRun): Promise<void> {
  const { isolation, region } = run.wanted;
  await putInRegion(em, run.homeId, region);
  if (isolation === 'DEDICATED') await registerHome(em, homeOfRun(run), region);
}

/** From now on the tenant lives at the home that was made for it. */
export async function settle(em: EntityManager, run: ProvisioningRun): Promise<void> {
  await settleTenant(em, run.homeId, { isolation: 'DEDICATED', region: run.wanted.region, home: homeOfRun(run) });
  tellGateways(em, 'tenants', run.homeId);
}

/** The tenant is at the shared home as before, and the register knows no home of its own any more. */
export async function givePlaceBack(em: EntityManager, run: ProvisioningRun): Promise<void> {
  const home = homeOfRun(run);
  const placement = await lockOrRefuse(em, Placement, run.homeId, 'placement');
  if ((await homeOf(em, placement)) === home) {
    await settleTenant(em, run.homeId, { isolation: 'SHARED', region: placement.region, home: CONTROL });
    tellGateways(em, 'tenants', run.homeId);
  }
  await forgetHome(em, home);
}

/** Makes the database of the home, unless the run was undone while its worker stood still. */
export async function createDatabase(ctx: Context, run: ProvisioningRun): Promise<void> {
  const { config } = ctx.machinery;
  const home = homeOfRun(run);
  await createHome(config, home);
  if (!(await apart(ctx).tx((em) => em.count(DataHome, { name: home })))) await dropHome(config, home);
}

/** Brings it up to this version and lets the tenant, and what must be known of it there, in. */
export async function migrateDatabase({ machinery, tenantId }: Context, run: ProvisioningRun): Promise<void> {
  const { config, migrate, copies } = machinery;
  const home = homeOfRun(run);
  await migrateHome(config, home, migrate);
  await settleIn(config, home, tenantId);
  await copies.push(tenantId, home);
}

/** Brings it the licence the tenant has by now, and makes sure that it knows nobody else. Throws otherwise. */
export async function checkDatabase({ machinery, tenantId }: Context, run: ProvisioningRun): Promise<void> {
  const { config, copies } = machinery;
  await copies.push(tenantId, homeOfRun(run));
  await checkAlone(config, homeOfRun(run), tenantId);
}

/** Drops it. The place goes first: nobody is sent to a home that is gone, or makes it once more. */
export async function dropDatabase(ctx: Context, run: ProvisioningRun): Promise<void> {
  await apart(ctx).tx((em) => givePlaceBack(em, run));
  await demolish(ctx, homeOfRun(run));
}

/** The same caller once more: in the worker's own context it says meanwhile that it still works. */
const apart = (ctx: Context): Context => ctx.inTenant(ctx.tenantId);
