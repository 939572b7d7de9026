import { LockMode } from '@mikro-orm/core';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, saveTenant } from '../tenant.service.ts';
import type { Course, Step, StepName } from './course.rules.ts';
import * as course from './course.rules.ts';
import { ProvisioningRun } from './provisioning-run.entity.ts';
import { change, completed, courseOf, lockRun, STALLED_MS, wake } from './run-change.service.ts';
import { WORK } from './step.service.ts';

/** A worker that acts outside says so this often, milliseconds. */
const HELD_MS = 20_000;

/** A run somebody else has locked is looked at again this much later, milliseconds. */
const BUSY_MS = 1_000;

const OPEN = { state: { $nin: ['SUCCEEDED', 'FAILED'] } } as const;

/**
 * Takes the tenant's open run as far as it goes now: a transaction per step, and what reaches outside between two. Each
 * of them leaves a timer that takes over if this process is killed; whatever is repeated then has no second effect.
 */
export async function advanceRun(ctx: Context): Promise<void> {
  while (await moveOn(ctx));
}

/** Where a move failed, if it was in a step. */
interface At {
  runId?: string;
  step?: StepName;
  isUndo?: boolean;
  /** Which try of what reaches outside it was. */
  attempts?: number;
}

async function moveOn(ctx: Context): Promise<boolean> {
  const at: At = {};
  try {
    let next = await ctx.tx((em) => takeUp(ctx, em, at));
    while (typeof next !== 'boolean') {
      const outside = next;
      at.attempts = outside.attempts;
      await held(ctx, outside, () => outside.act(ctx, outside.run));
      next = await ctx.tx((em) => settle(ctx, em, outside, at));
    }
    return next;
  } catch (error) {
    if (!at.step) throw error; // not the step's: the job is tried again
    ctx.log.warn({ tenantId: ctx.tenantId, ...at, err: error }, 'a provisioning step failed');
    await noteFailure(ctx, at as Required<At>, sentenceOf(error));
    return true;
  }
}

/** What a step is to do outside, of a run that is held meanwhile. */
interface Outside {
  run: ProvisioningRun;
  name: StepName;
  isUndo: boolean;
  attempts: number;
  act: NonNullable<(typeof WORK)[StepName]['act']>;
}

/** Takes the tenant's open run up: whether to go on at once, or what to do outside first. */
async function takeUp(ctx: Context, em: EntityManager, at: At): Promise<boolean | Outside> {
  const run = await em.findOne(ProvisioningRun, OPEN, { lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE });
  const now = ctx.now();
  if (!run) return (await em.count(ProvisioningRun, OPEN)) > 0 && rest(em, new Date(now.getTime() + BUSY_MS));
  return run.heldUntil && run.heldUntil > now ? rest(em, run.heldUntil) : proceed(ctx, em, run, at);
}

/** Goes on with a locked run as far as one transaction reaches: until it waits, ends, or a step reaches outside. */
async function proceed(ctx: Context, em: EntityManager, run: ProvisioningRun, at: At): Promise<boolean | Outside> {
  let next = await move(ctx, em, run, at);
  while (next === true) next = await move(ctx, em, run, at);
  return next;
}

/** The same inside another use case, which reaches nowhere: a worker goes on where a step does. */
export async function proceedInside(ctx: Context, em: EntityManager, run: ProvisioningRun): Promise<void> {
  for (let goesOn = true; goesOn; ) {
    const step = course.currentStep(run);
    const { act, undoAct } = step ? WORK[step.name] : {};
    if (run.state === 'COMPENSATING' ? undoAct : act) return wake(em, ctx.now());
    goesOn = (await move(ctx, em, run, {})) === true;
  }
}

/** One move of a locked run. */
async function move(ctx: Context, em: EntityManager, run: ProvisioningRun, at: At): Promise<boolean | Outside> {
  const now = ctx.now();
  const next = course.nextMove(courseOf(run), now);
  if (next.kind === 'REST') return next.until ? rest(em, next.until) : false;
  if (next.kind === 'END') return endUndone(ctx, em, run);
  const { step } = next;
  if (next.kind === 'GIVE_UP') return change(ctx, em, run, course.giveUp(courseOf(run), noAnswer(step), now));
  Object.assign(at, { runId: run.id, step: step.name, isUndo: next.kind === 'UNDO', attempts: undefined });
  return next.kind === 'DO' ? doStep(ctx, em, run, step) : undoStep(ctx, em, run, step);
}

const noAnswer = ({ name }: Step) => `Nobody answered for the step ${name}.`;

function rest(em: EntityManager, until: Date): false {
  wake(em, until);
  return false;
}

async function doStep(ctx: Context, em: EntityManager, run: ProvisioningRun, { name }: Step) {
  const { waits, act, write } = WORK[name];
  const now = ctx.now();
  if (act) return hold(ctx, em, run, course.begin(courseOf(run), name, now), { name, isUndo: false, act });
  await write?.(em, run, ctx);
  if (waits) return change(ctx, em, run, course.ask(courseOf(run), name, now));
  return completed(ctx, em, run, course.begin(courseOf(run), name, now), name);
}

async function undoStep(ctx: Context, em: EntityManager, run: ProvisioningRun, step: Step) {
  const { waits, undoAct, undo } = WORK[step.name];
  const { name } = step;
  const here = courseOf(run);
  if (waits && course.isUndoHopeless(step))
    return change(ctx, em, run, course.failUndo(here, name, noAnswer(step), ctx.now()));
  if (undoAct) return hold(ctx, em, run, course.beginUndo(here, name), { name, isUndo: true, act: undoAct });
  await undo?.(em, run, ctx);
  if (waits) return change(ctx, em, run, course.askUndo(here, name, ctx.now()));
  return change(ctx, em, run, course.completeUndo(course.beginUndo(here, name), name, ctx.now()));
}

/** Keeps other workers from a run whose step acts outside. */
function hold(
  ctx: Context,
  em: EntityManager,
  run: ProvisioningRun,
  next: Course,
  what: Pick<Outside, 'name' | 'isUndo' | 'act'>,
): Outside {
  change(ctx, em, run, next);
  run.heldUntil = new Date(ctx.now().getTime() + STALLED_MS);
  return { ...what, run, attempts: attemptsOf(run, what) };
}

const attemptsOf = ({ steps }: ProvisioningRun, { name, isUndo }: Pick<Outside, 'name' | 'isUndo'>): number => {
  const step = steps.find((one) => one.name === name) as Step;
  return isUndo ? step.undoAttempts : step.attempts;
};

/** Acts within the step's time, saying now and then that somebody still does. */
async function held(ctx: Context, { run, name }: Outside, act: () => Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const limit = setTimeout(() => late.reject(new Error('This took too long.')), course.STEPS[name].timeoutS * 1_000);
  const alive = setInterval(() => {
    const until = new Date(Date.now() + STALLED_MS);
    ctx
      .tx(async (em) => {
        const row = await em.findOne(ProvisioningRun, { id: run.id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
        if (row?.heldUntil) row.heldUntil = until;
        wake(em, until);
      })
      .catch((error) => ctx.log.warn({ error: (error as Error).message }, 'a run could not be held'));
  }, HELD_MS);
  try {
    await Promise.race([act(), late.promise]);
  } finally {
    clearTimeout(limit);
    clearInterval(alive);
  }
}

/** Writes down that a step's work outside is done, unless another worker has the run meanwhile, and goes on. */
async function settle(ctx: Context, em: EntityManager, outside: Outside, at: At): Promise<boolean | Outside> {
  const { name, isUndo, attempts } = outside;
  const run = await lockRun(em, outside.run.id);
  if (course.isOver(run) || attemptsOf(run, outside) !== attempts) return false;
  run.heldUntil = null;
  if (isUndo) {
    await WORK[name].undo?.(em, run, ctx);
    change(ctx, em, run, course.completeUndo(courseOf(run), name, ctx.now()));
  } else if (run.state === 'RUNNING') {
    await WORK[name].write?.(em, run, ctx);
    completed(ctx, em, run, courseOf(run), name);
  } // or it was cancelled meanwhile
  return proceed(ctx, em, run, at);
}

/** Counts a failed try, unless the run is another worker's by now. What the try has written is rolled back. */
function noteFailure(ctx: Context, { runId, step, isUndo, attempts }: Required<At>, message: string): Promise<void> {
  return ctx.tx(async (em) => {
    const run = await lockRun(em, runId);
    const isBegun = attempts !== undefined;
    if (isBegun && attemptsOf(run, { name: step, isUndo }) !== attempts) return;
    run.heldUntil = null;
    const now = ctx.now();
    const here = courseOf(run);
    if (course.isOver(run)) return;
    if (isUndo)
      change(ctx, em, run, course.failUndo(isBegun ? here : course.beginUndo(here, step), step, message, now));
    else if (run.state === 'COMPENSATING')
      wake(em, now); // it was cancelled meanwhile
    else change(ctx, em, run, course.fail(isBegun ? here : course.begin(here, step, now), step, message, now));
  });
}

/** Everything is undone: what is left are the row in the register and the log. */
async function endUndone(ctx: Context, em: EntityManager, run: ProvisioningRun): Promise<boolean> {
  const tenant = await findOrRefuse(em, run.homeId);
  tenant.state = advance(tenant.state, 'FAILED');
  await saveTenant(em, tenant);
  const step = run.steps.find(({ state }) => state === 'FAILED')?.name ?? '';
  emit(em, 'tenancy.provisioning.failed', { runId: run.id, step, error: run.error ?? '' });
  return change(ctx, em, run, { ...courseOf(run), state: 'FAILED', dueAt: null });
}

/** What of a failure people who follow a run may read. */
function sentenceOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  const { message } = error as Error;
  return /^[A-Z][^\n]{3,118}\.$/.test(message) ? message : 'Something went wrong.';
}
