import { isTimeZone } from './calendar.ts';
import { currencyExponent } from './currency.ts';
import type { SettingTerms } from './settings.ts';
import { isLanguageTag, isPlain, lengthOf, trimmed } from './words.ts';

const REFERENCE = /^secret:[a-z0-9][a-z0-9_./-]{0,99}$/;
const CLOCK =
  /^(([01]\d|2[0-3]):[0-5]\d)-(([01]\d|2[0-3]):[0-5]\d|24:00) (Mon|Tue|Wed|Thu|Fri|Sat|Sun)(-(Mon|Tue|Wed|Thu|Fri|Sat|Sun))?$/;
const MOST_PARTS = 20;

/** A value in its one spelling, or undefined where it is none of its kind or out of its range. */
export function spell(typed: string, terms: SettingTerms): string | undefined {
  const value = trimmed(typed);
  if (!isPlain(value) || lengthOf(value) > 1_000) return undefined;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, oneOf = [] } = terms;
  const isWithin = (number: number) => number >= min && number <= max;
  switch (terms.type) {
    case 'INTEGER':
      return /^-?\d{1,15}$/.test(value) && isWithin(Number(value)) ? String(Number(value)) : undefined;
    case 'DECIMAL': {
      const isWritten = new RegExp(`^\\d{1,9}(\\.\\d{1,${terms.places ?? 0}})?$`).test(value);
      return isWritten && isWithin(Number(value)) ? String(Number(value)) : undefined;
    }
    case 'BOOLEAN':
      return value === 'true' || value === 'false' ? value : undefined;
    case 'CHOICE':
      return oneOf.includes(value) ? value : undefined;
    case 'CHOICES':
      return listed(value, (part) => oneOf.includes(part), 1);
    case 'SECRET_REFERENCES':
      return listed(value, (part) => REFERENCE.test(part), 0);
    case 'DAYS': {
      const days = listed(value, (part) => /^[1-9]\d?$/.test(part) && isWithin(Number(part)), 0);
      const ascends = days?.split(',').every((day, i, all) => i === 0 || Number(day) > Number(all[i - 1]));
      return ascends ? days : undefined;
    }
    case 'HOURS': {
      const [, from = '', , to = ''] = CLOCK.exec(value) ?? [];
      return from < to ? value : undefined;
    }
    case 'IPV4_RANGE':
    case 'IPV6_RANGE':
      return isRange(value, terms.type) ? value.toLowerCase() : undefined;
    case 'ZONE':
      return isTimeZone(value) ? value : undefined;
    case 'LOCALE':
      return isLanguageTag(value) ? value : undefined;
    case 'CURRENCY':
      return currencyExponent(value) === undefined ? undefined : value;
    case 'TEXT':
      return value !== '' && lengthOf(value) <= max ? value : undefined;
  }
}

function listed(value: string, fits: (part: string) => boolean, least: number): string | undefined {
  const parts = value === '' ? [] : value.split(',').map((part) => part.trim());
  const isSound = parts.length >= least && parts.length <= MOST_PARTS && new Set(parts).size === parts.length;
  return isSound && parts.every(fits) ? parts.join(',') : undefined;
}

/** Whether a text is a range of addresses in CIDR notation. */
function isRange(value: string, type: 'IPV4_RANGE' | 'IPV6_RANGE'): boolean {
  const [address = '', length = '', ...rest] = value.split('/');
  const isV4 = type === 'IPV4_RANGE';
  const hasLength = /^\d{1,3}$/.test(length) && Number(length) <= (isV4 ? 32 : 128) && rest.length === 0;
  if (!hasLength) return false;
  if (isV4) return /^(\d{1,3}\.){3}\d{1,3}$/.test(address) && address.split('.').every((part) => Number(part) <= 255);
  return /^[0-9a-fA-F:]+$/.test(address) && URL.canParse(`http://[${address}]/`);
}

const SECRETS = [
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\b(sk|rk|pk|whsec|ghp|gho|github_pat|glpat|xox[abp])[-_][A-Za-z0-9_-]{8,}/,
  /\bAKIA[0-9A-Z]{12,}/,
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+/,
  /:\/\/[^\s/:@]+:[^\s/@]+@/,
  /\b(password|passwd|secret|token|api[_-]?key)\s*[=:]\s*\S+/i,
  /(?=[A-Za-z0-9+/_-]*[a-z])(?=[A-Za-z0-9+/_-]*[A-Z])(?=[A-Za-z0-9+/_-]*\d)[A-Za-z0-9+/_-]{32,}/,
];

/** Whether a text looks like a secret rather than like the name of one. */
export const looksSecret = (typed: string): boolean =>
  !trimmed(typed)
    .split(',')
    .every((part) => REFERENCE.test(part.trim())) && SECRETS.some((pattern) => pattern.test(typed));
