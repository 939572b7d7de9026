import { badInput } from './errors.ts';
import { isId } from './ids.ts';
import { decodeCursor, type PageArgs } from './page.ts';
import { isPlain, lengthOf, trimmed } from './words.ts';

/** Reads one part of a cursor; undefined for what we never write into one. */
type Read<T> = (part: string | number) => T | undefined;

export const asText: Read<string> = (part) => (typeof part === 'string' && isPlain(part) ? part : undefined);

export const asId: Read<string> = (part) => (typeof part === 'string' && isId(part) ? part : undefined);

/** A whole number from 0. */
export const asWhole: Read<number> = (part) =>
  typeof part === 'number' && Number.isSafeInteger(part) && part >= 0 ? part : undefined;

/** An instant of a year the database can hold, 1 to 9999. */
export const asInstant: Read<Date> = (part) => {
  const date = new Date(typeof part === 'string' ? part : Number.NaN);
  return !Number.isNaN(date.getTime()) && date.toISOString() >= '0001' ? date : undefined;
};

function partOf<T>(part: string | number | undefined, read: Read<T>): T {
  const key = part === undefined ? undefined : read(part);
  if (key === undefined) throw badInput('This cursor is not one of ours.');
  return key;
}

/** What a cursor of one part holds, or BAD_USER_INPUT for one that was made up. */
export function keyIn<T>(cursor: string, read: Read<T>): T {
  return partOf(decodeCursor(cursor, 1)[0], read);
}

/** The key a list ordered by one column goes on after; null where it begins. */
export function keyAfter<T>({ after }: Pick<PageArgs, 'after'>, read: Read<T>): T | null {
  return after ? keyIn(after, read) : null;
}

/** The sort key and id a list ordered by both goes on after; null where it begins. */
export function placeAfter<T>({ after }: Pick<PageArgs, 'after'>, read: Read<T>): { key: T; id: string } | null {
  if (!after) return null;
  const [key, id] = decodeCursor(after, 2);
  return { key: partOf(key, read), id: partOf(id, asId) };
}

const MAX_SEARCH = 100;

/**
 * A search text as a pattern of SQL's `ilike`: anywhere, its own wildcards harmless. BAD_USER_INPUT for one that is
 * shorter than `min` or endless.
 */
export function anywhere(typed: string, min = 1): string {
  const clean = trimmed(typed);
  const length = lengthOf(clean);
  if (length < min || length > MAX_SEARCH || !isPlain(clean))
    throw badInput(`A search text has ${min} to ${MAX_SEARCH} characters.`);
  return `%${clean.replace(/[\\%_]/g, '\\$&')}%`;
}
