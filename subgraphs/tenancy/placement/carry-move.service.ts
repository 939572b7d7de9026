import { type Context, systemContext } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, setTimer } from '../../_kernel/events.ts';
import { createHome, migrateHome } from '../../_kernel/home-databases.ts';
import { CONTROL } from '../../_kernel/homes.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { TenantMove } from '../../_kernel/tenant-move.ts';
import { Tenant } from '../tenant.entity.ts';
import { saveTenant } from '../tenant.service.ts';
import { demolish } from './former-home.service.ts';
import { CLOSE_BEHIND_MS, FENCE_DAYS, LEASE_S, MAX_PAUSE_MS, MAX_ROUNDS, type MoveStep } from './move.rules.ts';
import { checkedRegion } from './move.service.ts';
import { MoveRun } from './move-run.entity.ts';
import { forgetHome, registerHome, replaceTenant } from './placement.service.ts';

/** How often who carries a move says that it still does, milliseconds. */
const BEAT_MS = 5_000;

/**
 * Carries the open move of a tenant to its end, or undoes it: whatever fails before the switch leaves the tenant where it
 * was. One that was cut short is begun again from its first row; after the switch only what is left to settle is done.
 * Runs in the tenant that moves.
 */
export async function carryMove(ctx: Context): Promise<void> {
  const run = await claim(ctx);
  if (!run) return;
  const pulse = await systemContext(ctx.machinery, ctx.tenantId); // a context has one transaction at a time
  const beat = setInterval(() => void keep(pulse, run).catch(() => undefined), BEAT_MS);
  try {
    if (run.step !== 'SETTLE') await carry(ctx, run);
    await settle(ctx, run);
  } catch (error) {
    ctx.log.warn({ err: error, moveId: run.id, tenantId: ctx.tenantId, step: run.step }, 'a move did not come through');
    if (!(await takeBack(ctx, run))) throw error; // it has switched, or is another's: what is left is tried again
    await undo(ctx, run, (error as Error).message);
  } finally {
    clearInterval(beat);
    await pulse.end();
  }
}

/** The open move of the tenant, if nobody carries it at present. */
function claim(ctx: Context): Promise<MoveRun | null> {
  return ctx.tx(async (em) => {
    const [mine] = await em.execute(
      `update tenancy.move_run set carrier = gen_random_uuid(), lease_until = clock_timestamp() + make_interval(secs => ?)
        where state = 'RUNNING' and (lease_until is null or lease_until < clock_timestamp()) returning id`,
      [LEASE_S],
    );
    return mine ? em.findOneOrFail(MoveRun, { id: mine.id }) : null;
  });
}

/** Says that a move is still carried. What step it is in is none of its business: it may have switched just now. */
async function keep(ctx: Context, run: MoveRun): Promise<void> {
  await ctx.tx((em) =>
    em.execute(
      `update tenancy.move_run set rows_copied = ?, lease_until = clock_timestamp() + make_interval(secs => ?)
        where id = ? and state = 'RUNNING' and carrier = ?`,
      [run.rowsCopied, LEASE_S, run.id, run.carrier],
    ),
  );
}

/** Writes down how far a move has come. Throws when another carries it by now. */
async function note(ctx: Context, run: MoveRun, step: MoveStep): Promise<void> {
  if (!(await isMine(ctx, run, step))) throw new Error('This move is carried by somebody else.');
  run.step = step;
}

/**
 * Begins to undo a move, if it has not switched and nobody else carries it. The switch is made under the same lock, so that
 * one whose answer was lost is waited for, and never undone.
 */
const takeBack = (ctx: Context, run: MoveRun): Promise<boolean> => isMine(ctx, run, 'RESERVE');

function isMine(ctx: Context, run: MoveRun, step: MoveStep): Promise<boolean> {
  return ctx.tx(async (em) => {
    const [mine] = await em.execute(
      `update tenancy.move_run set step = ?, rows_copied = ?, lease_until = clock_timestamp() + make_interval(secs => ?)
        where id = ? and state = 'RUNNING' and carrier = ? and step <> 'SETTLE' returning id`,
      [step, run.rowsCopied, LEASE_S, run.id, run.carrier],
    );
    return mine !== undefined;
  });
}

async function carry(ctx: Context, run: MoveRun): Promise<void> {
  const { config, migrate, copies } = ctx.machinery;
  const at = (step: MoveStep) => note(ctx, run, step);
  const { tenantId } = ctx;
  await setPaused(ctx, false); // of a try that was cut short
  if (run.toHome !== CONTROL) {
    await ctx.tx((em) => registerHome(em, run.toHome, run.region));
    await at('DATABASE');
    await createHome(config, run.toHome);
    await migrateHome(config, run.toHome, migrate);
  }
  await TenantMove.open(config, { tenantId, from: run.fromHome, to: run.toHome }, async (move) => {
    await at('COPY');
    await move.follow();
    await move.clear();
    run.rowsCopied = 0;
    await move.copyAll((rows) => {
      run.rowsCopied += rows;
    });
    await at('FOLLOW');
    await catchUp(move);
    if (run.toHome !== CONTROL) await copies.push(tenantId, run.toHome);
    await at('PAUSE');
    const pausedAt = performance.now();
    const leftMs = () => MAX_PAUSE_MS - (performance.now() - pausedAt);
    await setPaused(ctx, true);
    await move.pause(leftMs());
    await move.copyChanges();
    await move.compare();
    if (run.fromHome !== CONTROL) await copies.tellUse(tenantId, run.fromHome);
    await move.seal();
    await at('SWITCH');
    if (run.fromHome !== CONTROL) await move.openTarget();
    await switchOver(ctx, run, move, () => Math.round(performance.now() - pausedAt));
    run.step = 'SETTLE';
  });
}

/** Carries changes over until what is left is little: then nothing has to wait for long. */
async function catchUp(move: TenantMove): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const startedAt = performance.now();
    await move.copyChanges();
    if (performance.now() - startedAt < CLOSE_BEHIND_MS) return;
  }
  throw new Error('More is written than can be carried over.');
}

/** The tenant can be read only, or written again; its gateways hear of it. */
function setPaused(ctx: Context, isWritePaused: boolean): Promise<void> {
  return ctx.tx(async (em) => {
    const tenant = await lockOrRefuse(em, Tenant, ctx.tenantId, 'tenant');
    if (tenant.isWritePaused === isWritePaused) return;
    tenant.isWritePaused = isWritePaused;
    await saveTenant(em, tenant);
  });
}

/** The one transaction that decides where the tenant lives. */
function switchOver(ctx: Context, run: MoveRun, move: TenantMove, pausedMs: () => number): Promise<void> {
  return ctx.tx(async (em) => {
    const open = await lockOrRefuse(em, MoveRun, run.id, 'move');
    if (open.state !== 'RUNNING' || open.step !== 'SWITCH' || open.carrier !== run.carrier)
      throw new Error('This move is carried by somebody else.');
    const tenant = await lockOrRefuse(em, Tenant, ctx.tenantId, 'tenant');
    await checkedRegion(em, run.region, tenant.country); // it may have been bound meanwhile
    if (run.fromHome === CONTROL) {
      await em.execute('select kernel.hold_log()'); // the log goes on where the tenant goes, with the places it has
      await move.openTarget();
      await em.execute("update kernel.residence set state = 'MOVED', until = null, since = now()");
    }
    const { version } = await replaceTenant(em, ctx.tenantId, { ...run, home: run.toHome });
    Object.assign(open, { step: 'SETTLE', rowsCopied: run.rowsCopied, pausedMs: pausedMs() });
    open.fencedUntil = new Date(ctx.now().getTime() + FENCE_DAYS * 86_400_000);
    tenant.isWritePaused = false;
    await saveTenant(em, tenant);
    emit(em, 'tenancy.placement.changed', { version, isolation: run.isolation, region: run.region });
  });
}

/** What is left to do once the tenant lives at its new home. */
async function settle(ctx: Context, run: MoveRun): Promise<void> {
  const { config, copies } = ctx.machinery;
  const { tenantId } = ctx;
  if (run.toHome !== CONTROL) await copies.push(tenantId, run.toHome);
  await TenantMove.open(config, { tenantId, from: run.fromHome, to: run.toHome }, (move) => move.settle());
  await end(ctx, run, 'DONE', null);
}

/** The tenant stays where it was, and nothing is left of the try. */
async function undo(ctx: Context, run: MoveRun, reason: string): Promise<void> {
  await TenantMove.undo(ctx.machinery.config, { tenantId: ctx.tenantId, from: run.fromHome, to: run.toHome });
  await setPaused(ctx, false);
  if (run.toHome !== CONTROL) {
    await demolish(ctx, run.toHome);
    await ctx.tx((em) => forgetHome(em, run.toHome));
  }
  await end(ctx, run, 'UNDONE', reason);
}

function end(ctx: Context, run: MoveRun, state: 'DONE' | 'UNDONE', error: string | null): Promise<unknown> {
  return ctx.tx((em: EntityManager) =>
    em.execute('update tenancy.move_run set state = ?, error = ?, lease_until = null, ended_at = ? where id = ?', [
      ...[state, error, ctx.now(), run.id],
    ]),
  );
}

/** Has those moves carried on whose carrier says nothing any more. */
export async function carryStalledMoves(ctx: Context): Promise<void> {
  const stalled = await ctx.acrossTenants((em) =>
    em.execute(
      `select id, run_tenant_id from tenancy.open_move where lease_until is null or lease_until < clock_timestamp()`,
    ),
  );
  for (const { run_tenant_id: tenantId } of stalled) {
    const inside = ctx.inTenant(tenantId);
    await inside.tx(async (em) => setTimer(em, 'tenancy.carryMove', inside.now()));
  }
}
