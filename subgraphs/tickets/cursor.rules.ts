import { badInput } from '../../schema/errors.ts';
import { isId } from '../../schema/ids.ts';
import { decodeCursor } from '../../schema/page.ts';

/** The instant and id in a cursor, or BAD_USER_INPUT for one that was made up. */
export function placeIn(after: string): { at: Date; id: string } {
  const [part, id] = decodeCursor(after, 2);
  const at = new Date(part ?? '');
  if (Number.isNaN(at.getTime()) || !isId(String(id))) throw badInput('This cursor is not one of ours.');
  return { at, id: String(id) };
}

/** The id alone in a cursor, or BAD_USER_INPUT. */
export function idIn(after: string): string {
  const [id] = decodeCursor(after, 1);
  if (!isId(String(id))) throw badInput('This cursor is not one of ours.');
  return String(id);
}

/** The whole number alone in a cursor, or BAD_USER_INPUT. */
export function wholeIn(after: string): number {
  const [whole] = decodeCursor(after, 1);
  if (!Number.isSafeInteger(whole) || Number(whole) < 0) throw badInput('This cursor is not one of ours.');
  return Number(whole);
}

/** A search text of 2 to 100 letters as a pattern of SQL's `ilike`: anywhere, its own wildcards harmless. */
export function anywhere(text: string): string {
  const clean = text.normalize('NFC').trim();
  const length = [...clean].length;
  if (length < 2 || length > 100 || clean.includes('\0') || !clean.isWellFormed())
    throw badInput('A search text has 2 to 100 letters.');
  return `%${clean.replace(/[\\%_]/g, '\\$&')}%`;
}
