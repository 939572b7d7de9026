import { localDate } from '../../../schema/calendar.ts';
import { text } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { type Changed, changing } from '../licenses/license-change.service.ts';
import { resumeRenewal, stopRenewal } from './renewal.service.ts';
import { checkExtension } from './trial-extension.rules.ts';

/**
 * Lets the trial of the context's tenant end later; its periods begin on the day of that end. A first period that was
 * asked for already is taken back, and asked for again before the new end. Refuses what `checkExtension` refuses.
 */
export function extendTrial(ctx: Context, until: Date, typed: string): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, async (held) => {
      const { license, facts } = held;
      checkExtension(facts, until, ctx.now());
      const reason = text(typed, 500, 'reason', { name: 'A reason', min: 5 });
      const isAsked =
        license.askedUntil !== null && license.trialEndsAt !== null && license.askedUntil > license.trialEndsAt;
      if (isAsked) {
        await stopRenewal(ctx, em, held);
        await resumeRenewal(ctx, em, held);
      }
      const anchorDay = Number(localDate(until, license.zone).slice(8));
      Object.assign(license, { trialEndsAt: until, askedUntil: until, anchorDay });
      return { cause: 'TRIAL_EXTENDED', reason };
    }),
  );
}
