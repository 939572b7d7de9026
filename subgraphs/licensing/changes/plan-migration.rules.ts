import { addDays } from '../../../schema/calendar.ts';
import { hashOf } from '../../../schema/canonical.ts';
import { Refusal } from '../../../schema/errors.ts';
import type { VersionStatus } from '../catalogue/version.rules.ts';
import { type BillingFacts, type LicenseState } from '../terms/license.rules.ts';
import { nextPeriod } from '../terms/renewal.rules.ts';
import type { ChangeDirection } from './plan-change.rules.ts';

export type MigrationTiming = 'NOW' | 'PERIOD_END';
/** LEFT: the licence stays as it is, because it is closed, has gone elsewhere, or waits for a change of its own. */
export type MigrationOutcome = 'MOVED' | 'SCHEDULED' | 'LEFT';

/** Days between the notice of a change that is no UPGRADE and its effect, at least. */
const NOTICE_DAYS = 30;
const MOVABLE: readonly LicenseState[] = ['TRIAL', 'ACTIVE', 'GRACE'];

/**
 * What an order does with a licence (R16). At once only what loses nothing, where it is asked for and nothing is overdue;
 * everything else at the end of a period. A direction of null changes the price alone, which is no UPGRADE.
 */
export function migrationOutcome(
  {
    state,
    direction,
    hasWaitingChange,
  }: { state: LicenseState; direction: ChangeDirection | null; hasWaitingChange: boolean },
  asked: MigrationTiming,
): MigrationOutcome {
  if (hasWaitingChange || !MOVABLE.includes(state)) return 'LEFT';
  return direction === 'UPGRADE' && asked === 'NOW' && state !== 'GRACE' ? 'MOVED' : 'SCHEDULED';
}

/**
 * When a scheduled move takes effect: when what billing was asked for is over, and, where it is no UPGRADE, at the first
 * end of a period at least 30 days after the notice, which is given now.
 */
export function migrationAt(
  billing: BillingFacts,
  askedUntil: Date,
  direction: ChangeDirection | null,
  now: Date,
): Date {
  const earliest = direction === 'UPGRADE' ? now : addDays(now, NOTICE_DAYS, billing.zone);
  let end = askedUntil;
  while (end < earliest) end = nextPeriod(billing, end).end;
  return end;
}

/** A licence an order is about, and what the other version means to it. */
export interface MigrationPart {
  tenantId: string;
  direction: ChangeDirection | null;
}

/** SHA-256 over what is moved where and what it means to each: who orders it has seen this and nothing else. */
export function migrationHash(order: {
  from: string;
  to: string;
  timing: MigrationTiming;
  parts: readonly MigrationPart[];
}): string {
  const parts = [...order.parts].sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
  return hashOf({ ...order, parts: parts.map(({ tenantId, direction }) => [tenantId, direction]) });
}

/** Refuses an order between versions that cannot be: INVALID for the same one, INVALID_STATE for one that is not for sale. */
export function checkVersions(
  from: { id: string; status: VersionStatus; isEndless: boolean },
  to: { id: string; status: VersionStatus },
): void {
  if (from.id === to.id) throw new Refusal('INVALID', 'The versions are the same.', 'toVersionId');
  if (from.isEndless)
    throw new Refusal('INVALID_STATE', 'This plan has no price and does not change.', 'fromVersionId');
  if (to.status !== 'PUBLISHED') throw new Refusal('INVALID_STATE', 'This version is not for sale.', 'toVersionId');
}
