import { Refusal } from '../../schema/errors.ts';
import { checkTimeZone, emailAddress, languageTag, text } from '../../schema/words.ts';

export type TenantKind = 'PRODUCTION' | 'SANDBOX' | 'PLATFORM';
export type TenantState = 'ACTIVE' | 'SUSPENDED';
export type AccessMode = 'NORMAL' | 'BLOCKED';
export type SuspensionReason = 'NON_PAYMENT' | 'ABUSE' | 'LEGAL' | 'SECURITY' | 'OWNER_REQUEST' | 'LICENSE_LAPSED';

const NEXT: Record<TenantState, readonly TenantState[]> = { ACTIVE: ['SUSPENDED'], SUSPENDED: ['ACTIVE'] };

/** Moves a tenant to a state, or refuses with INVALID_STATE. */
export function advance(from: TenantState, to: TenantState): TenantState {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `A tenant that is ${from} cannot become ${to}.`, 'state');
  return to;
}

/** What a state leaves open: a suspended tenant's people are refused at once, nothing of theirs is deleted. */
export const accessModeOf = (state: TenantState): AccessMode => (state === 'ACTIVE' ? 'NORMAL' : 'BLOCKED');

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
