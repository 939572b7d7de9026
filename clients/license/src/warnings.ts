import { DAY_S, endOfUse, type LicenseFile, type Revocations } from './judge.ts';
import type { Standing } from './verdict.ts';

const day = (seconds: number) => `${new Date(seconds * 1_000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

interface Known {
  file: LicenseFile | null;
  revocations: Revocations | null;
  /** As it is believed, milliseconds since 1970. */
  now: number;
  isClockBehind: boolean;
  isConnected: boolean;
  faults: readonly string[];
}

/** What an operator should know, in sentences, the most pressing first. */
export function warningsOf({ source, reason, cap }: Standing, known: Known): string[] {
  const { file, revocations, now, isClockBehind, isConnected, faults } = known;
  const warnings: string[] = [];
  if (source === 'NONE') warnings.push(`There is no acceptable licence file (${reason}): only the core works.`);
  if (source === 'OFFLINE_GRACE' && file) {
    const end = file.exp + file.offlineGraceDays * DAY_S;
    warnings.push(
      cap === 'FULL'
        ? `The licence file ended on ${day(file.exp)}: licensed features work until ${day(end)}, and can then be read only.`
        : `The licence file ended on ${day(file.exp)}: licensed features can be read until ${day(endOfUse(file))}, and are then off.`,
    );
  }
  if (!isConnected) warnings.push('The platform cannot be reached.');
  if (revocations && now / 1_000 > revocations.nextUpdate)
    warnings.push(`What is revoked is known up to ${day(revocations.nextUpdate)} only.`);
  if (isClockBehind)
    warnings.push(`The clock of this machine is set back and not believed: it is at least ${day(now / 1_000)}.`);
  return [...warnings, ...faults];
}
