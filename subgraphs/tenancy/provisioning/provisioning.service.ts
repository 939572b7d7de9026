import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit, setTimerOf } from '../../_kernel/events.ts';
import { mayCreateHomes } from '../../_kernel/home-databases.ts';
import { once } from '../../_kernel/idempotency.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import type { Tenant } from '../tenant.entity.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, registerTenant, saveTenant, tenantById } from '../tenant.service.ts';
import { currentStep, giveUp, isOver, newCourse, unstick } from './course.rules.ts';
import { ProvisioningRun } from './provisioning-run.entity.ts';
import {
  type Checked,
  checkRequest,
  skippedSteps,
  slugTaken,
  type TenantRequest,
  type Wanted,
} from './request.rules.ts';
import { change, courseOf, lockRun, noteChange, wake } from './run-change.service.ts';

/** Whether a short name can be had now: nobody has it, and nobody who is gone had it. */
export async function isSlugFree(ctx: Context, slug: string): Promise<boolean> {
  const held = await ctx.acrossTenants((em) => em.execute('select 1 from tenancy.tenant where slug = ?', [slug]));
  if (held.length > 0) return false;
  const platform = ctx.inTenant(PLATFORM_TENANT);
  const buried = `select 1 from tenancy.tombstone where slug_hash = encode(sha256(convert_to(?, 'UTF8')), 'hex')`;
  try {
    return (await (await platform.em()).execute(buried, [slug])).length === 0;
  } finally {
    await platform.end();
  }
}

/**
 * Asks for a tenant and begins to set it up. The same key with the same request answers the same run; with another it is
 * IDEMPOTENCY_MISMATCH. Refuses INVALID what is malformed, unknown or not offered, CONFLICT a short name nobody may have.
 */
export async function requestTenant(ctx: Context, asked: TenantRequest, key: string): Promise<ProvisioningRun> {
  const checked = checkRequest(asked);
  await checkOffered(ctx, checked.wanted);
  const { tenantId, runId } = await idsOf(ctx, key, checked);
  const known = () => findRun(ctx, runId);
  const begin = (home: Context, em: EntityManager) => beginRun(home, em, runId, checked.wanted, null);
  return (await known()) ?? inNewTenant(ctx, tenantId, checked, { kind: 'PRODUCTION' }, begin, known);
}

async function checkOffered({ machinery }: Context, { isolation }: Wanted): Promise<void> {
  if (isolation === 'DEDICATED' && !(await mayCreateHomes(machinery.config)))
    throw new Refusal('INVALID', 'No tenant can be given a database of its own here.', 'isolation');
}

/** The ids a request gets, the same ones for the same key; refuses CONFLICT a short name that is taken. */
function idsOf(ctx: Context, key: string, request: Checked): Promise<{ tenantId: string; runId: string }> {
  return ctx.inTenant(PLATFORM_TENANT).tx((em) =>
    once(ctx, em, { door: 'requestTenant', key, request }, async () => {
      if (!(await isSlugFree(ctx, request.wanted.slug))) throw slugTaken();
      return { tenantId: uuidv7(), runId: uuidv7() };
    }),
  );
}

/**
 * Writes a tenant that is wanted into the register, and in the same transaction what follows from it. Refuses CONFLICT
 * when somebody else was faster with the name, unless they have made `known`, which is answered then.
 */
export async function inNewTenant<T>(
  ctx: Context,
  id: string,
  { profile }: Checked,
  what: Pick<Tenant, 'kind'> & Partial<Pick<Tenant, 'sandboxEndsAt'>>,
  then: (home: Context, em: EntityManager) => Promise<T>,
  known: () => Promise<T | null> = async () => null,
): Promise<T> {
  const home = ctx.inTenant(id);
  const currency = profile.currency ?? ((await tenantById(ctx, PLATFORM_TENANT)) as Tenant).currency;
  try {
    return await home.tx(async (em) => {
      await registerTenant(home, { id, state: 'REQUESTED', ...profile, ...what, currency });
      return then(home, em);
    });
  } catch (error) {
    if (!(error instanceof UniqueConstraintViolationException)) throw error;
    const made = await known();
    if (made) return made;
    throw slugTaken();
  }
}

/** Begins to set up a tenant that stands in the register. */
export async function beginRun(
  ctx: Context,
  em: EntityManager,
  id: string,
  wanted: Wanted,
  ticketHash: string | null,
): Promise<ProvisioningRun> {
  const tenant = await findOrRefuse(em, ctx.tenantId);
  tenant.state = advance(tenant.state, 'PROVISIONING');
  await saveTenant(em, tenant);
  const now = ctx.now();
  const run = em.create(ProvisioningRun, {
    ...newCourse(skippedSteps(wanted.isolation)),
    ...{ id, wanted, ticketHash, seq: 1, customerId: null, heldUntil: null, movedAt: now, createdAt: now },
  });
  await em.persist(run).flush();
  noteChange(em, run);
  emit(em, 'tenancy.provisioning.started', { runId: id });
  wake(em, now);
  run.homeId ??= ctx.tenantId;
  return run;
}

/** Any run by id, for the control plane and for who holds its ticket. */
export async function findRun(ctx: Context, runId: string): Promise<ProvisioningRun | null> {
  return isId(runId) ? ctx.acrossTenants((em) => em.findOne(ProvisioningRun, { id: runId })) : null;
}

/** A caller who acts in the tenant a run sets up; null for what is no run. */
export async function homeOfRun(ctx: Context, runId: string): Promise<Context | null> {
  const run = await findRun(ctx, runId);
  return run && ctx.inTenant(run.homeId);
}

/** The same; refuses NOT_FOUND what is no run. */
async function homeOrRefuse(ctx: Context, runId: string): Promise<Context> {
  const home = await homeOfRun(ctx, runId);
  if (!home) throw new Refusal('NOT_FOUND', 'There is no such run.', 'runId');
  return home;
}

/**
 * Tries a failed tenant once more in a new run, or goes on undoing one that is stuck. Refuses CONFLICT while another run
 * of the tenant is open, INVALID_STATE what has not failed.
 */
export async function retryProvisioning(ctx: Context, runId: string): Promise<ProvisioningRun> {
  const home = await homeOrRefuse(ctx, runId);
  return home.tx(async (em) => {
    await findOrRefuse(em, home.tenantId);
    const run = await lockRun(em, runId);
    if (run.state === 'STUCK') {
      change(home, em, run, unstick(courseOf(run)));
      wake(em, home.now());
      return run;
    }
    const newest = await em.findOneOrFail(ProvisioningRun, { homeId: home.tenantId }, { orderBy: { id: 'desc' } });
    if (!isOver(newest)) throw new Refusal('CONFLICT', 'This tenant is being set up already.', 'runId');
    if (newest.state === 'SUCCEEDED') throw alreadyActive();
    return beginRun(home, em, uuidv7(), run.wanted, run.ticketHash);
  });
}

const alreadyActive = () => new Refusal('INVALID_STATE', 'This tenant is already active.', 'runId');

/** Undoes a run by wish; refuses INVALID_STATE once its last step has begun, or when it is undone anyway. */
export async function cancelProvisioning(ctx: Context, runId: string): Promise<ProvisioningRun> {
  const home = await homeOrRefuse(ctx, runId);
  return home.tx(async (em) => {
    const run = await lockOrRefuse(em, ProvisioningRun, runId, 'run');
    if (run.state === 'SUCCEEDED' || (run.state === 'RUNNING' && currentStep(run)?.name === 'activate'))
      throw alreadyActive();
    if (!['PENDING', 'RUNNING', 'WAITING'].includes(run.state))
      throw new Refusal('INVALID_STATE', 'This run is undone already.', 'runId');
    change(home, em, run, giveUp(courseOf(run), 'Cancelled.', home.now()));
    wake(em, home.now());
    return run;
  });
}

/** Wakes runs nobody has moved for a minute although they were due: their process is gone. */
export async function takeOverStalled(ctx: Context): Promise<void> {
  const stalled = await ctx.acrossTenants((em) =>
    em.execute(
      `select home_id as home from tenancy.provisioning_run where state not in ('SUCCEEDED', 'FAILED', 'STUCK')
          and greatest(moved_at, due_at, held_until) < now() - interval '60 seconds' limit 500`,
    ),
  );
  await ctx.tx(async (em) => {
    for (const { home } of stalled) setTimerOf(em, String(home), 'tenancy.advanceRun', ctx.now());
  });
}
