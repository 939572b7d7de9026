import { Refusal } from '../../../schema/errors.ts';
import type { TenantKind, TenantState } from '../tenant.rules.ts';
import type { Isolation } from './placement.rules.ts';

export type MoveState = 'RUNNING' | 'DONE' | 'UNDONE';

/** What a move does, in its order. Until `SWITCH` is done the tenant lives where it did. */
export const MOVE_STEPS = ['RESERVE', 'DATABASE', 'COPY', 'FOLLOW', 'PAUSE', 'SWITCH', 'SETTLE'] as const;
export type MoveStep = (typeof MOVE_STEPS)[number];

/** The longest time a tenant is not written while it moves, milliseconds; what takes longer is undone. */
export const MAX_PAUSE_MS = 60_000;
/** Writes are paused once what changed meanwhile is carried over faster than this, milliseconds. */
export const CLOSE_BEHIND_MS = 2_000;
/** How often changes are carried over before the pause at most; what never comes closer is undone. */
export const MAX_ROUNDS = 200;
/** How long the former home keeps the rows, fenced, days. */
export const FENCE_DAYS = 7;
/** How long who carries a move may say nothing before another takes it over, seconds. */
export const LEASE_S = 60;

/** Refuses with INVALID_STATE who cannot move, or already is where it is to go. */
export function checkMove(
  tenant: { kind: TenantKind; state: TenantState },
  present: { isolation: Isolation; region: string },
  wanted: { isolation: Isolation; region: string },
): void {
  if (tenant.kind === 'PLATFORM') throw new Refusal('INVALID_STATE', 'The platform itself does not move.', 'tenantId');
  if (!['ACTIVE', 'SUSPENDED'].includes(tenant.state))
    throw new Refusal('INVALID_STATE', `A tenant that is ${tenant.state} does not move.`, 'tenantId');
  if (present.isolation === wanted.isolation && present.region === wanted.region)
    throw new Refusal('INVALID_STATE', 'The tenant is there already.', 'isolation');
}
