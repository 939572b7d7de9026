import { LockMode } from '@mikro-orm/core';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { completeUndo, currentStep, type StepName } from './course.rules.ts';
import { ProvisioningRun } from './provisioning-run.entity.ts';
import { proceedInside } from './run.service.ts';
import { change, completed, courseOf } from './run-change.service.ts';

/** Another domain has done what a step asked for. Counts only for a run of this tenant that waits for just that. */
export function hearDone(ctx: Context, runId: string, name: StepName, customerId?: string): Promise<void> {
  return ctx.tx(async (em) => {
    const run = await lockWaiting(em, runId, name);
    if (run?.state !== 'WAITING') return;
    run.customerId = customerId ?? run.customerId;
    completed(ctx, em, run, courseOf(run), name);
    await proceedInside(ctx, em, run);
  });
}

/** Another domain has taken back what a step had asked for. */
export function hearUndone(ctx: Context, runId: string, name: StepName): Promise<void> {
  return ctx.tx(async (em) => {
    const run = await lockWaiting(em, runId, name);
    if (run?.state !== 'COMPENSATING' && run?.state !== 'STUCK') return;
    change(ctx, em, run, { ...completeUndo(courseOf(run), name, ctx.now()), state: 'COMPENSATING' });
    await proceedInside(ctx, em, run);
  });
}

async function lockWaiting(em: EntityManager, id: string, name: StepName): Promise<ProvisioningRun | null> {
  const run = await em.findOne(ProvisioningRun, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return run && currentStep(run)?.name === name ? run : null;
}
