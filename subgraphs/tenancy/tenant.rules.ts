import { isTimeZone } from '../../schema/calendar.ts';
import { Refusal } from '../../schema/errors.ts';

export type TenantKind = 'PRODUCTION' | 'SANDBOX' | 'PLATFORM';
export type TenantState = 'ACTIVE' | 'SUSPENDED';
export type AccessMode = 'NORMAL' | 'BLOCKED';
export type SuspensionReason = 'NON_PAYMENT' | 'ABUSE' | 'LEGAL' | 'SECURITY' | 'OWNER_REQUEST' | 'LICENSE_LAPSED';

const NEXT: Record<TenantState, readonly TenantState[]> = { ACTIVE: ['SUSPENDED'], SUSPENDED: ['ACTIVE'] };

/** Moves a tenant to a state, or refuses with INVALID_STATE. */
export function advance(from: TenantState, to: TenantState): TenantState {
  if (!NEXT[from].includes(to)) throw new Refusal('INVALID_STATE', `A tenant that is ${from} cannot become ${to}.`, 'state');
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
  const name = profile.name?.normalize('NFC').trim();
  if (name !== undefined && (name.length < 2 || name.length > 120)) throw new Refusal('INVALID', 'A name has 2 to 120 characters.', 'name');
  if (profile.zone != null && !isTimeZone(profile.zone)) throw new Refusal('INVALID', 'A zone is an IANA name, such as Europe/Berlin.', 'zone');
  if (profile.locale != null && !isLocale(profile.locale)) throw new Refusal('INVALID', 'A locale is a BCP 47 tag, such as de-DE.', 'locale');
  if (profile.contactEmail != null && !/^[^\s@]{1,64}@[^\s@]{1,190}$/.test(profile.contactEmail))
    throw new Refusal('INVALID', 'An e-mail address looks like ada@example.com.', 'contactEmail');
  return { ...profile, ...(name === undefined ? {} : { name }) };
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
