import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { setTimer } from '../../_kernel/events.ts';
import { CONTROL } from '../../_kernel/homes.ts';
import { once } from '../../_kernel/idempotency.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { heldSettings } from '../../_kernel/settings.ts';
import { Tenant } from '../tenant.entity.ts';
import { checkMovable, checkMove } from './move.rules.ts';
import { MoveRun } from './move-run.entity.ts';
import { Placement } from './placement.entity.ts';
import { homeNameOf, type Isolation, type Region, regionFor } from './placement.rules.ts';
import { homeOf } from './placement.service.ts';

export interface WantedMove {
  tenantId: string;
  isolation: Isolation;
  region?: string | null;
  idempotencyKey: string;
}

/**
 * Begins to move a tenant to a home of its own, to one in another region, or back to the shared one; a job does it.
 * The tenant is read all the while, and not written for a minute at most. Refuses with NOT_FOUND, INVALID for the region,
 * INVALID_STATE for who cannot move or is there already, CONFLICT while a move runs.
 */
export async function moveTenant(ctx: Context, wanted: WantedMove): Promise<MoveRun> {
  const { tenantId, idempotencyKey: key, ...request } = wanted;
  if (!isId(tenantId)) throw new Refusal('NOT_FOUND', 'There is no such tenant.', 'tenantId');
  const inside = ctx.inTenant(tenantId);
  return inside.tx(async (em) => {
    const id = await once(inside, em, { door: 'moveTenant', key, request: { tenantId, ...request } }, () =>
      beginMove(inside, em, tenantId, request),
    );
    return em.findOneOrFail(MoveRun, { id });
  });
}

async function beginMove(
  ctx: Context,
  em: EntityManager,
  tenantId: string,
  wanted: Pick<WantedMove, 'isolation' | 'region'>,
): Promise<string> {
  const tenant = await lockOrRefuse(em, Tenant, tenantId, 'tenant');
  const placement = await lockOrRefuse(em, Placement, tenantId, 'placement');
  checkMovable(tenant);
  const region = await checkedRegion(em, wanted.region ?? placement.region, tenant.country);
  checkMove(placement, { isolation: wanted.isolation, region });
  if (await em.findOne(MoveRun, { state: 'RUNNING' }))
    throw new Refusal('CONFLICT', 'This tenant is moving already.', 'tenantId');
  const [row] = await em.execute(
    `insert into tenancy.move_run (state, step, isolation, region, from_home, to_home)
     values ('RUNNING', 'RESERVE', ?, ?, ?, ?) returning id`,
    [
      ...[wanted.isolation, region, await homeOf(em, placement)],
      wanted.isolation === 'SHARED' ? CONTROL : homeNameOf(tenantId, placement.version + 1),
    ],
  );
  setTimer(em, 'tenancy.carryMove', ctx.now());
  return row?.id;
}

/** A region this tenant may go to. Refuses with INVALID any other. */
export async function checkedRegion(em: EntityManager, asked: string, country: string): Promise<Region> {
  const { values } = await heldSettings(em);
  return regionFor(asked, country, values.compliance?.data_region);
}

/** A move, for the control plane. */
export function moveById(ctx: Context, id: string): Promise<MoveRun | null> {
  return isId(id) ? ctx.acrossTenants((em) => em.findOne(MoveRun, { id })) : Promise.resolve(null);
}
