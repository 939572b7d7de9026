import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { Refusal } from '../../../schema/errors.ts';
import { emailAddress, optionalText } from '../../../schema/words.ts';

export type PointType = 'EMAIL' | 'PHONE';

/** A way to reach someone as it was typed. */
export interface TypedPoint {
  type: PointType;
  value: string;
  extension?: string | null;
  label?: string | null;
  isPrimary?: boolean | null;
}

export interface Point {
  type: PointType;
  value: string;
  extension: string | null;
  label: string | null;
  isPrimary: boolean;
}

/** Ways to reach one contact, at most. */
export const MAX_POINTS = 20;

/** Two addresses are the same one if this is. */
export const comparable = (value: string): string => value.toLowerCase();

/**
 * A telephone number in E.164 with its extension apart, or INVALID.
 * @param country ISO 3166-1 alpha-2 of where a number without a country code is dialled.
 */
export function normalizePhone(
  typed: string,
  country: string,
  field = 'phone',
): { value: string; extension: string | null } {
  const number = typed.length <= 60 ? parsePhoneNumberFromString(typed, country as CountryCode) : undefined;
  if (!number?.isValid())
    throw new Refusal('INVALID', 'This is no telephone number; write it like +49 30 901820.', field);
  return { value: number.number, extension: number.ext ?? null };
}

function checkPoint(typed: TypedPoint, country: string, field: string): Omit<Point, 'isPrimary'> {
  const label = optionalText(typed.label, 60, `${field}.label`);
  if (typed.type === 'EMAIL')
    return { type: 'EMAIL', value: emailAddress(typed.value, `${field}.value`), extension: null, label };
  const { value, extension } = normalizePhone(typed.value, country, `${field}.value`);
  const given = optionalText(typed.extension, 7, `${field}.extension`);
  if (given && !/^\d+$/.test(given))
    throw new Refusal('INVALID', 'An extension is 1 to 7 digits.', `${field}.extension`);
  return { type: 'PHONE', value, extension: given ?? extension, label };
}

/** The points of one contact in their stored form: none twice, and one of each type its primary, the first if none is named. */
export function checkPoints(typed: readonly TypedPoint[], country: string): Point[] {
  if (typed.length > MAX_POINTS)
    throw new Refusal('LIMIT_REACHED', `A contact has at most ${MAX_POINTS} addresses and numbers.`, 'points');
  const seen = new Set<string>();
  const primaries = new Map<PointType, number>();
  const checked = typed.map((point, i) => {
    const sound = checkPoint(point, country, `points.${i}`);
    const key = keyOf(sound);
    if (seen.has(key)) throw new Refusal('INVALID', 'This is here twice.', `points.${i}.value`);
    seen.add(key);
    if (point.isPrimary && primaries.has(point.type))
      throw new Refusal('INVALID', 'Only one of a type is the primary one.', `points.${i}.isPrimary`);
    if (point.isPrimary) primaries.set(point.type, i);
    return sound;
  });
  checked.forEach((point, i) => {
    if (!primaries.has(point.type)) primaries.set(point.type, i);
  });
  return checked.map((point, i) => ({ ...point, isPrimary: primaries.get(point.type) === i }));
}

/** What makes a point itself: another label does not make it another one. */
export const keyOf = (point: Pick<Point, 'type' | 'value' | 'extension'>): string =>
  `${point.type} ${comparable(point.value)} ${point.extension ?? ''}`;

/** The points among `typed` that hold; what somebody else typed must not stop us. */
export function soundPoints(typed: readonly TypedPoint[], country: string): Point[] {
  const sound = typed.filter((point) => {
    try {
      return Boolean(checkPoint(point, country, 'points'));
    } catch (error) {
      if (error instanceof Refusal) return false;
      throw error;
    }
  });
  return checkPoints(sound, country);
}
