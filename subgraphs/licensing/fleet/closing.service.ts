import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, emitToPlatform } from '../../_kernel/events.ts';
import { licenseInForce } from '../licenses/license.service.ts';
import { changing } from '../licenses/license-change.service.ts';
import type { Held } from '../licenses/license-facts.service.ts';
import { endsOf } from '../terms/license.rules.ts';

/** A tenant that closes does not renew; one that did will again when it reopens. */
export async function stopRenewalOfClosed(ctx: Context): Promise<void> {
  if (!(await licenseInForce(ctx))) return;
  await ctx.tx((em) =>
    changing(ctx, em, (held) => {
      const { license, facts } = held;
      if (license.autoRenew) {
        Object.assign(license, { autoRenew: false, resumesRenewal: true });
        tell(ctx, em, 'licensing.license.renewal_stopped', held, endsOf({ ...facts, autoRenew: false }).end);
      }
      return { cause: 'TENANT_CLOSED', reason: 'The tenant closes.' };
    }),
  );
}

/** A tenant that is open again renews if it did before. */
export async function resumeRenewalOfReopened(ctx: Context): Promise<void> {
  if (!(await licenseInForce(ctx))) return;
  await ctx.tx((em) =>
    changing(ctx, em, (held) => {
      const { license, facts } = held;
      if (license.resumesRenewal) {
        Object.assign(license, { autoRenew: true, resumesRenewal: false });
        tell(ctx, em, 'licensing.license.renewal_resumed', held, endsOf({ ...facts, autoRenew: true }).end);
      }
      return { cause: 'TENANT_REOPENED', reason: 'The tenant is open again.' };
    }),
  );
}

/** Billing reads the log of the platform. */
function tell(
  ctx: Context,
  em: EntityManager,
  name: 'licensing.license.renewal_stopped' | 'licensing.license.renewal_resumed',
  { license }: Held,
  end: Date | null,
): void {
  const told = { licenseId: license.id, endsAt: end?.toISOString() ?? null, licensedTenantId: ctx.tenantId };
  emit(em, name, told);
  emitToPlatform(em, name, told);
}
