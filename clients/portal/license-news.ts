import type { FollowLicenseSubscription } from './graphql/graphql.ts';

export type LicenseNews = FollowLicenseSubscription['licenseUpdated'];

/**
 * What news means to who has heard everything up to version `held` (null: nothing yet). A SNAPSHOT stands for itself,
 * even when it is older than what is held. A DELTA is NEXT only if it follows on `held`; one heard before is KNOWN; with
 * any other something was MISSED, and the licence has to be asked for anew. ENDED is the stream's last word.
 */
export function meaningOf(
  held: number | null,
  { kind, version, previousVersion }: { kind: string; version: number; previousVersion?: number | null },
): 'NEXT' | 'KNOWN' | 'MISSED' | 'ENDED' {
  if (kind === 'ENDED') return 'ENDED';
  if (kind === 'SNAPSHOT') return 'NEXT';
  if (held !== null && version <= held) return 'KNOWN';
  return previousVersion === held ? 'NEXT' : 'MISSED';
}

/** The wait before the next attempt after `failures` in a row: doubling, at most `mostMs`; up to half of it is chance. */
export function backoffMs(failures: number, chance: number, firstMs = 500, mostMs = 15_000): number {
  const whole = Math.min(mostMs, firstMs * 2 ** failures);
  return whole / 2 + (whole / 2) * chance;
}
