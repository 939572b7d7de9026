import { Refusal } from '../../../schema/errors.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { CONTROL, type Home } from '../../_kernel/homes.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { DataHome } from './data-home.entity.ts';
import { Placement } from './placement.entity.ts';
import type { Isolation } from './placement.rules.ts';

/** Where a tenant is to live. A home of its own is made before. */
export interface Place {
  isolation: Isolation;
  region: string;
  home: Home;
}

/** Gives a new tenant its place, in its own transaction. */
export async function placeTenant(em: EntityManager, tenantId: string, place: Place): Promise<Placement> {
  const { isolation, region } = place;
  const placement = em.create(Placement, {
    ...{ id: tenantId, version: 1, isolation, region, hosting: 'PLATFORM', channel: 'STABLE' },
    dataHomeId: (await takeHome(em, place.home)).id,
  });
  em.persist(placement);
  await em.flush();
  await copyPlaceToKernel(em, placement, place.home);
  return placement;
}

/** Moves a tenant's place, counting one version more: whoever knows an older one looks again. */
export async function replaceTenant(em: EntityManager, tenantId: string, place: Place): Promise<Placement> {
  return putTenant(em, tenantId, place, 1);
}

/**
 * Lets a tenant that is being set up, and of which no row is written yet, live at a home of its own, or takes that back. It
 * is no move: whoever still asks at the other home is refused there, and looks again.
 */
export async function settleTenant(em: EntityManager, tenantId: string, place: Place): Promise<void> {
  await putTenant(em, tenantId, place, 0);
  await em.execute(
    `insert into kernel.residence (state) values (?)
     on conflict (tenant_id) do update set state = excluded.state, since = now()`,
    [place.home === CONTROL ? 'HERE' : 'MOVED'],
  );
}

async function putTenant(em: EntityManager, tenantId: string, place: Place, moves: 0 | 1): Promise<Placement> {
  const placement = await lockOrRefuse(em, Placement, tenantId, 'placement');
  await leaveHome(em, placement);
  Object.assign(placement, {
    ...{ version: placement.version + moves, isolation: place.isolation, region: place.region },
    dataHomeId: (await takeHome(em, place.home)).id,
  });
  await em.flush();
  await copyPlaceToKernel(em, placement, place.home);
  return placement;
}

/** Writes a home for one tenant into the register; again, it is the same one. */
export async function registerHome(em: EntityManager, name: Home, region: string): Promise<void> {
  await em.execute(
    `insert into tenancy.data_home (name, region, kind, capacity, status) values (?, ?, 'DEDICATED', 1, 'OPEN')
     on conflict (name) do nothing`,
    [name, region],
  );
}

/** Takes a home for one tenant out of the register. */
export async function forgetHome(em: EntityManager, name: Home): Promise<void> {
  if (name !== CONTROL) await em.execute('delete from tenancy.data_home where name = ?', [name]);
}

/** The name of the home a tenant lives in. */
export async function homeOf(em: EntityManager, { dataHomeId }: Placement): Promise<Home> {
  return (await em.findOneOrFail(DataHome, { id: dataHomeId })).name;
}

/** Counts one tenant more in a home. Refuses with LIMIT_REACHED one that is full, or takes nobody. */
async function takeHome(em: EntityManager, name: Home): Promise<{ id: string }> {
  const [home] = await em.execute(
    `update tenancy.data_home set tenants = tenants + 1 where name = ? and status = 'OPEN' and tenants < capacity returning id`,
    [name],
  );
  if (!home) throw new Refusal('LIMIT_REACHED', 'There is no room for this tenant there.', 'isolation');
  return home as { id: string };
}

/** Counts one tenant less in the home it lives in. */
export const leaveHome = (em: EntityManager, { dataHomeId }: Placement) =>
  em.execute('update tenancy.data_home set tenants = tenants - 1 where id = ?', [dataHomeId]);

/** Says in which region a tenant lies that is still being set up. */
export async function putInRegion(em: EntityManager, tenantId: string, region: string): Promise<void> {
  (await lockOrRefuse(em, Placement, tenantId, 'placement')).region = region;
  await copyRegionToKernel(em, region);
}

const copyRegionToKernel = (em: EntityManager, region: string) =>
  em.execute('update kernel.tenant_profile set region = ?', [region]);

async function copyPlaceToKernel(em: EntityManager, { version, region }: Placement, home: Home): Promise<void> {
  await copyRegionToKernel(em, region);
  await em.execute(
    `insert into kernel.placement (version, home) values (?, ?)
     on conflict (tenant_id) do update set version = excluded.version, home = excluded.home`,
    [version, home],
  );
}

const byId = async (em: EntityManager, ids: readonly string[]): Promise<[string, Placement][]> =>
  (await em.find(Placement, { id: { $in: [...ids] } })).map((placement) => [placement.id, placement]);

/** The place of the caller's own tenant; the wall hides every other. */
export const ownPlacements = defineLoader('own placements', byId);
/** That of any tenant, for the control plane. */
export const allPlacements = defineLoader('all placements', (_em, ids, ctx) =>
  ctx.acrossTenants((em) => byId(em, ids)),
);
