import { Refusal } from '../../../schema/errors.ts';

/** The text, NFC and trimmed; refuses INVALID outside 1 to `longest` characters. */
export function checkText(text: string, longest: number, field: string): string {
  const trimmed = text.normalize('NFC').trim();
  if (trimmed.length < 1 || trimmed.length > longest)
    throw new Refusal('INVALID', `This has 1 to ${longest} characters.`, field);
  return trimmed;
}

/** The pattern that finds a text anywhere, whatever its case; its `%`, `_` and backslashes mean themselves. */
export const containing = (text: string): string => `%${text.trim().replace(/[\\%_]/g, '\\$&')}%`;
