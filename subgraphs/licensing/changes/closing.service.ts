import type { Context } from '../../_kernel/context.ts';
import { licenseInForce } from '../licenses/license.service.ts';
import { changing } from '../licenses/license-change.service.ts';
import { resumeRenewal, stopRenewal } from './renewal.service.ts';

/** A tenant that closes does not renew; one that did will again when it reopens. */
export async function stopRenewalOfClosed(ctx: Context): Promise<void> {
  if (!(await licenseInForce(ctx))) return;
  await ctx.tx((em) =>
    changing(ctx, em, async (held) => {
      if (held.license.autoRenew) {
        await stopRenewal(ctx, em, held);
        held.license.resumesRenewal = true;
      }
      return { cause: 'TENANT_CLOSED', reason: 'The tenant closes.' };
    }),
  );
}

/** A tenant that is open again renews if it did before, unless it has said otherwise since. */
export async function resumeRenewalOfReopened(ctx: Context): Promise<void> {
  if (!(await licenseInForce(ctx))) return;
  await ctx.tx((em) =>
    changing(ctx, em, async (held) => {
      if (held.license.resumesRenewal) await resumeRenewal(ctx, em, held);
      held.license.resumesRenewal = false;
      return { cause: 'TENANT_REOPENED', reason: 'The tenant is open again.' };
    }),
  );
}
