import { LockMode } from '@mikro-orm/core';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, setTimer } from '../../_kernel/events.ts';
import { advance } from '../tenant.rules.ts';
import { findOrRefuse, saveTenant } from '../tenant.service.ts';
import type { Course, Step, StepName } from './course.rules.ts';
import * as course from './course.rules.ts';
import { ProvisioningChange, ProvisioningRun } from './provisioning-run.entity.ts';
import { WORK } from './step.service.ts';

/** A worker that has not moved its run for so long is taken to be gone, milliseconds. */
const STALLED_MS = 60_000;
/** A worker that acts outside says so this often, milliseconds. */
const HELD_MS = 20_000;

/** A run somebody else has locked is looked at again this much later, milliseconds. */
const BUSY_MS = 1_000;

const OPEN = { state: { $nin: ['SUCCEEDED', 'FAILED'] } } as const;

/** Wakes a run's worker: at once, or when it is due. */
export const wake = (em: EntityManager, at: Date): void => setTimer(em, 'tenancy.advanceRun', at);

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
    const outside = await ctx.tx((em) => move(ctx, em, at));
    if (typeof outside === 'boolean') return outside;
    at.attempts = outside.attempts;
    await held(ctx, outside, () => outside.act(ctx, outside.run));
    await ctx.tx((em) => settle(ctx, em, outside));
    return true;
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

/** One move of the tenant's open run: whether to go on at once, or what to do outside first. */
async function move(ctx: Context, em: EntityManager, at: At): Promise<boolean | Outside> {
  const run = await em.findOne(ProvisioningRun, OPEN, { lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE });
  const now = ctx.now();
  if (!run) return (await em.count(ProvisioningRun, OPEN)) > 0 && rest(em, new Date(now.getTime() + BUSY_MS));
  if (run.heldUntil && run.heldUntil > now) return rest(em, run.heldUntil);
  const next = course.nextMove(courseOf(run), now);
  if (next.kind === 'REST') return next.until ? rest(em, next.until) : false;
  if (next.kind === 'END') return endUndone(ctx, em, run);
  const { step } = next;
  if (next.kind === 'GIVE_UP') return change(ctx, em, run, course.giveUp(courseOf(run), noAnswer(step), now));
  Object.assign(at, { runId: run.id, step: step.name, isUndo: next.kind === 'UNDO' });
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

/** Writes down that a step's work outside is done, unless another worker has taken the run over meanwhile. */
async function settle(
  ctx: Context,
  em: EntityManager,
  { run: { id }, name, isUndo, attempts }: Outside,
): Promise<void> {
  const run = await lockRun(em, id);
  if (course.isOver(run) || attemptsOf(run, { name, isUndo }) !== attempts) return;
  run.heldUntil = null;
  if (isUndo) {
    await WORK[name].undo?.(em, run, ctx);
    change(ctx, em, run, course.completeUndo(courseOf(run), name, ctx.now()));
  } else if (run.state === 'RUNNING') {
    await WORK[name].write?.(em, run, ctx);
    await completed(ctx, em, run, courseOf(run), name);
  } else wake(em, ctx.now()); // it was cancelled meanwhile
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

/** A step is done; after the last one the run is. */
export async function completed(
  ctx: Context,
  em: EntityManager,
  run: ProvisioningRun,
  before: Course,
  name: StepName,
): Promise<boolean> {
  const done = course.complete(before, name, ctx.now());
  emit(em, 'tenancy.provisioning.step_completed', {
    ...{ runId: run.id, step: name, percent: course.percentOf(done.steps) },
  });
  if (done.state === 'SUCCEEDED') emit(em, 'tenancy.provisioning.succeeded', { runId: run.id });
  return change(ctx, em, run, done);
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

export const courseOf = ({ state, steps, error, dueAt }: ProvisioningRun): Course => ({ state, steps, error, dueAt });

/** A run that is there, locked until the transaction ends. */
export const lockRun = (em: EntityManager, id: string): Promise<ProvisioningRun> =>
  em.findOneOrFail(ProvisioningRun, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });

/**
 * Writes down a change of a run for who works on it and who follows it, and leaves a timer that takes over should nobody
 * go on. Answers whether there is something to go on with at once.
 */
export function change(ctx: Context, em: EntityManager, run: ProvisioningRun, next: Course): boolean {
  const now = ctx.now();
  Object.assign(run, next, { seq: run.seq + 1, movedAt: now });
  noteChange(em, run);
  if (course.isOver(run) || run.state === 'STUCK') return false;
  wake(em, run.dueAt ?? new Date(now.getTime() + STALLED_MS));
  return run.dueAt === null;
}

/** Keeps what a run looks like now under the number of its change. */
export function noteChange(em: EntityManager, run: ProvisioningRun): void {
  const { id: runId, seq, state, error } = run;
  const steps = run.steps.map(({ isLeft: _, undoAttempts: __, ...shown }) => shown);
  const progress = {
    state,
    percent: course.percentOf(steps),
    currentStep: course.currentStep(run)?.name ?? null,
    error,
  };
  em.persist(em.create(ProvisioningChange, { runId, seq, progress: { ...progress, steps } }));
  emit(em, 'tenancy.provisioning.changed', { runId, seq });
}

/** What of a failure people who follow a run may read. */
function sentenceOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  const { message } = error as Error;
  return /^[A-Z][^\n]{3,118}\.$/.test(message) ? message : 'Something went wrong.';
}
