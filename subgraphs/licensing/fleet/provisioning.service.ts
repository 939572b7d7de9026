import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import type { BillingInterval } from '../catalogue/price.rules.ts';
import { License } from '../licenses/license.entity.ts';
import { makeLicense, tellStarted } from '../licenses/license.service.ts';
import { changing } from '../licenses/license-change.service.ts';
import { readHeld } from '../licenses/license-facts.service.ts';
import { cancelWaiting } from '../licenses/planned-change.service.ts';

export interface LicenseRequested {
  runId: string;
  plan: string;
  interval: BillingInterval;
  isTrial: boolean;
}

/** The step of a provisioning run that a licence is. */
const STEP = 'license';

/**
 * Gives a new tenant the licence its provisioning run asks for. Asked again, it answers again; asked after the run was
 * undone, it does nothing. What cannot be given is not answered: the run waits in vain, and is undone.
 */
export function startProvisionedLicense(ctx: Context, asked: LicenseRequested): Promise<void> {
  return ctx.tx(async (em) => {
    const { runId } = asked;
    if (await isUndone(em, runId)) return;
    const made = await em.findOne(License, { runId, isWithdrawn: false });
    if (made) return answerAgain(ctx, em, made);
    const { zone } = await tenantProfile(em);
    try {
      await makeLicense(ctx, em, zone, { ...asked, terms: 'INVOICED' });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      ctx.log.warn({ tenantId: ctx.tenantId, runId, because: error.message }, 'a provisioning run gets no licence');
    }
  });
}

/** Takes back the licence a provisioning run asked for, as if it had never been: a later run may ask for its trial again. */
export function withdrawProvisionedLicense(ctx: Context, asked: { runId: string; step: string }): Promise<void> {
  const { runId, step } = asked;
  if (step !== STEP) return Promise.resolve();
  return ctx.tx(async (em) => {
    if (await em.findOne(License, { runId, revokedAt: null }))
      await changing(ctx, em, ({ license, planned }) => {
        if (planned) cancelWaiting(ctx, em, planned.row, 'CANCELLED');
        Object.assign(license, { revokedAt: ctx.now(), isWithdrawn: true });
        return { cause: 'WITHDRAWN', reason: 'The provisioning was undone.' };
      });
    emit(em, 'licensing.license.withdrawn', { runId });
  });
}

async function answerAgain(ctx: Context, em: EntityManager, license: License): Promise<void> {
  const [held] = await readHeld(em, [license], ctx.machinery.config);
  if (held) tellStarted(em, license, held.plan);
}

/** Events are heard in any order: a run may be undone before its request is heard. */
async function isUndone(em: EntityManager, runId: string): Promise<boolean> {
  const [undone] = await em.execute(
    `select 1 from kernel.event where name = 'tenancy.provisioning.undo_requested'
        and payload ->> 'runId' = ? and payload ->> 'step' = ? limit 1`,
    [runId, STEP],
  );
  return undone !== undefined;
}
