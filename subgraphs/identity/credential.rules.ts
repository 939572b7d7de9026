/** argon2id: memory in KiB, passes, lanes (identity R9; RFC 9106 section 4 names the like). */
export const PARAMETERS = { memoryCost: 65_536, timeCost: 3, parallelism: 1 } as const;

/** Longest password that is hashed, bytes of UTF-8. */
export const MAX_PASSWORD_BYTES = 512;

/** A hash nobody has the password of, so that unknown people cost the same work as known ones. */
export const NOBODYS_HASH =
  '$argon2id$v=19$m=65536,t=3,p=1$tendHCHqxs2dOnvkT8Sp4A$QDJKgWET1AjhKZpggxSrX5BVOYRBglDIZq25d/QMp9c';

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$/;

/** Whether a stored hash was made with less work than we ask today, or with another function altogether. */
export function isWeak(hash: string): boolean {
  const [, memory, time, lanes] = PHC.exec(hash) ?? [];
  return (
    Number(memory ?? 0) < PARAMETERS.memoryCost ||
    Number(time) < PARAMETERS.timeCost ||
    Number(lanes) < PARAMETERS.parallelism
  );
}

/** A password as it is hashed: NFC, so that every keyboard writes the same. Null for what no password can be. */
export function normalPassword(text: string): string | null {
  const password = text.normalize('NFC');
  return Buffer.byteLength(password) <= MAX_PASSWORD_BYTES ? password : null;
}
