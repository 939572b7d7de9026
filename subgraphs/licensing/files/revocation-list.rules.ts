/** What is revoked: files by id, keys by name, and of some tenants every file below an epoch. */
export interface Revoked {
  jtis: string[];
  kids: string[];
  minEpochs: Record<string, number>;
}

const HOUR_MS = 3_600_000;
/** A list says this of itself: there will be a newer one by then. */
const GOOD_MS = 24 * HOUR_MS;
/** And is renewed an hour before. */
const RENEWED_MS = 23 * HOUR_MS;

/** Whether a published list still stands: it names what is revoked, and is not about to end. */
export function isCurrent(last: { issuedAt: Date; contentHash: string }, contentHash: string, now: Date): boolean {
  return last.contentHash === contentHash && now.getTime() - last.issuedAt.getTime() < RENEWED_MS;
}

/**
 * The next list (R21). Its number is at least the second in which it was made, so that it does not go back even where the
 * database was restored from an older copy.
 */
export function nextList(last: bigint | null, revoked: Revoked, now: Date) {
  const iat = Math.floor(now.getTime() / 1_000);
  const seq = Math.max(Number(last ?? 0n) + 1, iat);
  return { ...revoked, seq, iat, nextUpdate: iat + GOOD_MS / 1_000 };
}
