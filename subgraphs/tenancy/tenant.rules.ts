import { addDuration } from '../../schema/calendar.ts';
import { Refusal } from '../../schema/errors.ts';
import { checkTimeZone, emailAddress, languageTag, text } from '../../schema/words.ts';

export type TenantKind = 'PRODUCTION' | 'SANDBOX' | 'PLATFORM';
export type TenantState =
  | 'REQUESTED'
  | 'PROVISIONING'
  | 'FAILED'
  | 'ACTIVE'
  | 'SUSPENDED'
  | 'CLOSING'
  | 'PURGING'
  | 'PURGED';
export type AccessMode = 'NORMAL' | 'READ_ONLY' | 'BLOCKED';
export type SuspensionReason = 'NON_PAYMENT' | 'ABUSE' | 'LEGAL' | 'SECURITY' | 'OWNER_REQUEST' | 'LICENSE_LAPSED';

const NEXT: Record<TenantState, readonly TenantState[]> = {
  REQUESTED: ['PROVISIONING', 'FAILED'],
  PROVISIONING: ['ACTIVE', 'FAILED'],
  FAILED: ['PROVISIONING'],
  ACTIVE: ['SUSPENDED', 'CLOSING'],
  SUSPENDED: ['ACTIVE', 'CLOSING'],
  CLOSING: ['ACTIVE', 'SUSPENDED', 'PURGING'],
  PURGING: ['PURGED'],
  PURGED: [],
};

/** Moves a tenant to a state, or refuses with INVALID_STATE. */
export function advance(from: TenantState, to: TenantState): TenantState {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `A tenant that is ${from} cannot become ${to}.`, 'state');
  return to;
}

/**
 * What a state leaves open: a suspended tenant's people are refused at once, nothing of theirs is deleted; one that
 * closes can be read and exported, unless it was suspended before; while a tenant moves to another home its writes pause.
 */
export function accessModeOf({
  state,
  suspendedAt,
  isWritePaused,
}: {
  state: TenantState;
  suspendedAt?: Date | null;
  isWritePaused: boolean;
}): AccessMode {
  if (state === 'CLOSING') return suspendedAt ? 'BLOCKED' : 'READ_ONLY';
  if (state !== 'ACTIVE') return 'BLOCKED';
  return isWritePaused ? 'READ_ONLY' : 'NORMAL';
}

export interface TenantProfile {
  name?: string | null;
  legalName?: string | null;
  zone?: string | null;
  locale?: string | null;
  contactEmail?: string | null;
}

/** Trims a profile's texts and refuses what is malformed with INVALID and the field. */
export function checkProfile(profile: TenantProfile): TenantProfile {
  const checked = { ...profile };
  if (profile.name != null) checked.name = text(profile.name, 120, 'name', { name: 'A name', min: 2 });
  checkTimeZone(profile.zone, 'zone');
  if (profile.locale != null) checked.locale = languageTag(profile.locale, 'locale');
  if (profile.contactEmail != null) checked.contactEmail = emailAddress(profile.contactEmail, 'contactEmail');
  return checked;
}

/** How far a sandbox's clock may run ahead in all. */
const FARTHEST = 'P5Y';

/**
 * How far a sandbox's clock runs ahead once it is moved forward by an ISO 8601 duration, whole seconds. `present` is the
 * tenant's own. Refuses with INVALID_STATE a tenant that is no sandbox, with INVALID what is no duration, does not lead
 * forward, or leads over five years ahead of the true time.
 */
export function clockMovedBy(
  { kind, zone, clockOffsetSeconds }: { kind: TenantKind; zone: string; clockOffsetSeconds: number },
  by: string,
  present: Date,
): number {
  if (kind !== 'SANDBOX') throw new Refusal('INVALID_STATE', 'Only a sandbox has a clock to move.', 'tenantId');
  const ahead = addDuration(present, by, zone);
  const movedMs = ahead ? ahead.getTime() - present.getTime() : Number.NaN;
  if (!ahead || movedMs % 1_000 !== 0)
    throw new Refusal('INVALID', 'A duration is written like P14D or PT1H30M, in whole seconds.', 'by');
  if (movedMs <= 0) throw new Refusal('INVALID', 'The clock moves forward only.', 'by');
  const farthest = addDuration(new Date(present.getTime() - clockOffsetSeconds * 1_000), FARTHEST, zone);
  if (!farthest || ahead > farthest) throw new Refusal('INVALID', 'The clock runs at most 5 years ahead.', 'by');
  return clockOffsetSeconds + movedMs / 1_000;
}
