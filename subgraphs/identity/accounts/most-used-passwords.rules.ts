import { dictionary } from '@zxcvbn-ts/language-common';

/** Shorter ones are refused for their length. */
const FEWEST = 10;

/**
 * The most used passwords that are long enough to be chosen. They come ranked from `@zxcvbn-ts/language-common` (MIT),
 * which counted them in public leaks: some 49,000, in lower case. We take them all and not the first 10,000 alone, among
 * which `password1234` is not: few of that length are in either.
 */
const MOST_USED: ReadonlySet<string> = new Set(
  (dictionary['passwords-common'] as string[]).filter((password) => password.length >= FEWEST),
);

export const isMostUsed = (password: string): boolean => MOST_USED.has(password.toLowerCase());
