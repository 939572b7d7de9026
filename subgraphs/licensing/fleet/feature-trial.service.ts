import { addDays } from '../../../schema/calendar.ts';
import { FEATURE_TRIAL_DAYS, FEATURES, type Feature } from '../../../schema/features.ts';
import type { Context } from '../../_kernel/context.ts';
import { type Changed, changing } from '../licenses/license-change.service.ts';
import { Grant } from '../terms/grant.entity.ts';
import { checkFeatureTrial } from './feature-trial.rules.ts';
import { checkGrant } from './grant.rules.ts';
import { give } from './grant.service.ts';

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
