import { Refusal } from '../../../schema/errors.ts';
import type { TenantState } from '../tenant.rules.ts';

/** How long a tenant closes unless it is said otherwise, at least and at most, days. */
const CLOSING_DAYS = 30;
const MIN_CLOSING_DAYS = 7;
const MAX_CLOSING_DAYS = 90;
const DAY_MS = 86_400_000;

/** When a tenant that closes from `now` on may be deleted. Refuses with INVALID and the field. */
export function closesAt(
  slug: string,
  { confirmSlug, days }: { confirmSlug: string; days?: number | null },
  now: Date,
): Date {
  if (confirmSlug !== slug) throw new Refusal('INVALID', `Type ${slug} to confirm.`, 'confirmSlug');
  const wanted = days ?? CLOSING_DAYS;
  if (wanted < MIN_CLOSING_DAYS || wanted > MAX_CLOSING_DAYS)
    throw new Refusal('INVALID', 'A tenant closes in 7 to 90 days.', 'days');
  return new Date(now.getTime() + wanted * DAY_MS);
}

/** The state a tenant that closes goes back to. Refuses with INVALID_STATE one that does not close, or no longer can stay. */
export function reopenedState(
  tenant: { state: TenantState; suspendedAt?: Date | null; closesAt?: Date | null },
  now: Date,
): TenantState {
  if (tenant.state !== 'CLOSING') throw new Refusal('INVALID_STATE', 'This tenant is not closing.', 'tenantId');
  if ((tenant.closesAt as Date) <= now)
    throw new Refusal('INVALID_STATE', 'The time to reopen it is over.', 'tenantId');
  return tenant.suspendedAt ? 'SUSPENDED' : 'ACTIVE';
}
