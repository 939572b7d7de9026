import { Refusal } from '../../../schema/errors.ts';
import { optionalText } from '../../../schema/words.ts';
import type { SuspensionReason, TenantKind } from '../tenant.rules.ts';

/** Days for which sold services go on, unless it is said otherwise, and at most. */
const CONTINUITY_DAYS = 30;
const MAX_CONTINUITY_DAYS = 90;
const DAY_MS = 86_400_000;

/** Reasons for which the subscribers' service may be cut at once. */
const CUTTING: readonly SuspensionReason[] = ['ABUSE', 'LEGAL', 'SECURITY'];

export interface SuspensionAsked {
  reason?: SuspensionReason | null;
  note?: string | null;
  cutService?: boolean;
  /** Whole days; 30 unless said otherwise. */
  continuityDays?: number | null;
}

export interface SuspensionTerms {
  suspendedAt: Date;
  suspensionReason: SuspensionReason;
  suspensionNote: string | null;
  cutService: boolean;
  /** Until then services already sold go on; null where they are cut. */
  continuityUntil: Date | null;
}

/** On what terms a tenant is suspended from `now` on. Refuses with INVALID and the field. */
export function suspensionTerms(asked: SuspensionAsked, now: Date): SuspensionTerms {
  const { reason, cutService = false } = asked;
  if (!reason) throw new Refusal('INVALID', 'Say why the tenant is suspended.', 'reason');
  if (cutService && !CUTTING.includes(reason))
    throw new Refusal('INVALID', 'Service is cut for abuse, for the law or for security only.', 'cutService');
  const days = asked.continuityDays ?? CONTINUITY_DAYS;
  if (days < 0 || days > MAX_CONTINUITY_DAYS)
    throw new Refusal('INVALID', 'Service goes on for 0 to 90 days.', 'continuityDays');
  return {
    suspendedAt: now,
    suspensionReason: reason,
    suspensionNote: optionalText(asked.note, 500, 'note', { name: 'A note' }),
    cutService,
    continuityUntil: cutService ? null : new Date(now.getTime() + days * DAY_MS),
  };
}

/** Nothing of a suspension. */
export const NOT_SUSPENDED = {
  suspendedAt: null,
  suspensionReason: null,
  suspensionNote: null,
  cutService: false,
  continuityUntil: null,
};

/** Refuses with INVALID_STATE to suspend or close the platform itself. */
export function refusePlatform(kind: TenantKind, what: 'suspended' | 'closed'): void {
  if (kind === 'PLATFORM') throw new Refusal('INVALID_STATE', `The platform itself is never ${what}.`, 'tenantId');
}

/**
 * Whether a licence that lapsed is paid again: by its newest news since then it opens again, but for holds such as that of
 * the suspension itself.
 */
export const isPaidAgain = (
  lapsed: { seq: number } | undefined,
  changed: { seq: number; payload: { stateWithoutHolds: string } } | undefined,
): boolean =>
  changed !== undefined &&
  changed.seq > (lapsed?.seq ?? 0) &&
  ['TRIAL', 'ACTIVE'].includes(changed.payload.stateWithoutHolds);
