import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { DOMAINS } from '../../_kernel/departure.ts';
import { CONTROL, type Home } from '../../_kernel/homes.ts';
import { rowsAt } from '../../_kernel/residence.ts';
import { clearFormerHomesNow, demolish } from '../placement/former-home.service.ts';
import { Placement } from '../placement/placement.entity.ts';
import { homeOf } from '../placement/placement.service.ts';
import { finishPurge } from './certificate.service.ts';
import type { Purge } from './purge.entity.ts';
import { presentPurge } from './purge.service.ts';

type Rows = Record<string, number>;

/**
 * Ends the deletion of the context's tenant once every domain has deleted: what former homes keep goes, the rows are
 * counted, and if the domains have none left, a database of the tenant's own is dropped and the rest deleted. Each part may
 * be repeated: a crash can come between any two.
 */
export async function endPurge(ctx: Context): Promise<void> {
  if (!(await ctx.tx(isAnswered))) return;
  const home = await ctx.tx(async (em) => homeOf(em, await em.findOneOrFail(Placement, { id: ctx.tenantId })));
  await clearFormerHomesNow(ctx);
  const there = home === CONTROL ? {} : await rowsAt(ctx.machinery.config, home, ctx.tenantId);
  const isOver = await ctx.tx((em) => isNothingLeft(ctx, em, there));
  if (!isOver) return;
  const droppedAt = home === CONTROL ? null : await drop(ctx, home);
  await ctx.tx(async (em) => finishPurge(ctx, em, (await presentPurge(em)) as Purge, droppedAt));
}

async function isAnswered(em: EntityManager): Promise<boolean> {
  const purge = await presentPurge(em);
  return purge?.begunAt != null && purge.waitingFor.length === 0;
}

async function drop(ctx: Context, home: Home): Promise<Date> {
  await demolish(ctx, home);
  return new Date();
}

/**
 * Whether no domain has a row of the tenant any more. If one has, that is written down and it is asked again; else what the
 * kernel keeps at the tenant's own home is counted as deleted, for it goes with the database.
 */
async function isNothingLeft(ctx: Context, em: EntityManager, there: Rows): Promise<boolean> {
  const purge = await presentPurge(em);
  if (purge?.waitingFor.length !== 0) return false;
  const [row] = await em.execute('select kernel.rows_left() as left_over');
  const left = { ...ofDomains(row?.left_over), ...ofDomains(there) };
  if (Object.keys(left).length === 0) {
    purge.counts = { ...purge.counts, ...there };
    return true;
  }
  purge.rowsLeft = left;
  purge.waitingFor = DOMAINS.filter((domain) => Object.keys(left).some((table) => table.startsWith(`${domain}.`)));
  ctx.log.error({ tenantId: ctx.tenantId, rowsLeft: left }, 'rows are left of a tenant that is being deleted');
  return false;
}

/** What the control plane's own tables hold goes last: it is what the deletion is steered by. */
const ofDomains = (rows: Rows): Rows =>
  Object.fromEntries(Object.entries(rows).filter(([table]) => !/^(tenancy|kernel)\./.test(table)));
