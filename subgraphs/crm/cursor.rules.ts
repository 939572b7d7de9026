import { badInput } from '../../schema/errors.ts';
import { isId } from '../../schema/ids.ts';
import { decodeCursor } from '../../schema/page.ts';

/** The sort key and id in a cursor, or BAD_USER_INPUT for one that was made up. */
export function placeIn<T>(after: string, read: (part: string | number) => T | undefined): { key: T; id: string } {
  const [part, id] = decodeCursor(after, 2);
  const key = part === undefined ? undefined : read(part);
  if (key === undefined || !isId(String(id))) throw badInput('This cursor is not one of ours.');
  return { key, id: String(id) };
}

export const asText = (part: string | number) => (typeof part === 'string' && !part.includes('\0') ? part : undefined);

export const asWhole = (part: string | number) => (Number.isSafeInteger(part) ? Number(part) : undefined);

export function asInstant(part: string | number): Date | undefined {
  const date = new Date(part);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** A search text of 2 to 100 letters as a pattern of SQL's `ilike`: anywhere, its own wildcards harmless. */
export function anywhere(text: string): string {
  const clean = text.normalize('NFC').trim();
  const length = [...clean].length;
  if (length < 2 || length > 100 || clean.includes('\0') || !clean.isWellFormed())
    throw badInput('A search text has 2 to 100 letters.');
  return `%${clean.replace(/[\\%_]/g, '\\$&')}%`;
}
