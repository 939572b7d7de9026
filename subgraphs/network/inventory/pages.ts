import { badInput } from '../../../schema/errors.ts';
import { decodeCursor, type PageArgs } from '../../../schema/page.ts';

/** The name a list ordered by name goes on after. */
export function nameAfter(page: PageArgs): string | null {
  if (!page.after) return null;
  const name = String(decodeCursor(page.after, 1)[0]);
  if (name.includes('\0')) throw badInput('This cursor is not one of ours.');
  return name;
}
