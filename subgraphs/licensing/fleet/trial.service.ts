import { addDays, localDate } from '../../../schema/calendar.ts';
import { FEATURE_TRIAL_DAYS, FEATURES, type Feature } from '../../../schema/features.ts';
import type { Context } from '../../_kernel/context.ts';
import { type Changed, changing } from '../licenses/license-change.service.ts';
import { Grant } from '../terms/grant.entity.ts';
import { checkGrant } from './grant.rules.ts';
import { give } from './grant.service.ts';
import { checkReason } from './override.rules.ts';
import { checkExtension, checkFeatureTrial } from './trial.rules.ts';

/**
 * Lets the trial of the context's tenant end later; its periods begin on the day of that end. Refuses what
 * `checkExtension` refuses.
 */
export function extendTrial(ctx: Context, until: Date, reason: string): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, ({ license, facts }) => {
      checkExtension(facts, until, ctx.now());
      Object.assign(license, { trialEndsAt: until, anchorDay: Number(localDate(until, license.zone).slice(8)) });
      return { cause: 'TRIAL_EXTENDED', reason: checkReason(reason) };
    }),
  );
}

/** Opens a feature to the caller's tenant for 14 days, to try it. Refuses what `checkFeatureTrial` refuses. */
export function startFeatureTrial(ctx: Context, feature: Feature): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, async ({ license, facts }) => {
      const now = ctx.now();
      const tried = await em.find(Grant, { kind: 'FEATURE', key: feature, source: 'TRIAL' });
      const triedAt = tried.map(({ startsAt }) => startsAt);
      checkFeatureTrial(facts, feature, triedAt, now);
      const expiresAt = addDays(now, FEATURE_TRIAL_DAYS, license.zone);
      const reason = `${FEATURE_TRIAL_DAYS} days to try ${FEATURES[feature].name}.`;
      give(em, license, checkGrant({ kind: 'FEATURE', key: feature, expiresAt, source: 'TRIAL', reason }, now));
      return { cause: 'FEATURE_TRIAL', reason };
    }),
  );
}
