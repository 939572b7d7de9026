import { LockMode } from '@mikro-orm/core';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, setTimer } from '../../_kernel/events.ts';
import type { Course, StepName } from './course.rules.ts';
import * as course from './course.rules.ts';
import { ProvisioningChange, ProvisioningRun } from './provisioning-run.entity.ts';

/** A worker that has not moved its run for so long is taken to be gone, milliseconds. */
export const STALLED_MS = 60_000;

/** Wakes a run's worker: at once, or when it is due. */
export const wake = (em: EntityManager, at: Date): void => setTimer(em, 'tenancy.advanceRun', at);

/** A step is done; after the last one the run is. */
export function completed(
  ctx: Context,
  em: EntityManager,
  run: ProvisioningRun,
  before: Course,
  name: StepName,
): boolean {
  const done = course.complete(before, name, ctx.now());
  emit(em, 'tenancy.provisioning.step_completed', {
    ...{ runId: run.id, step: name, percent: course.percentOf(done.steps) },
  });
  if (done.state === 'SUCCEEDED') emit(em, 'tenancy.provisioning.succeeded', { runId: run.id });
  return change(ctx, em, run, done);
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
