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

/** Refuses with INVALID_STATE who cannot move. */
export function checkMovable({ kind, state }: { kind: TenantKind; state: TenantState }): void {
  if (kind === 'PLATFORM') throw new Refusal('INVALID_STATE', 'The platform itself does not move.', 'tenantId');
  if (state !== 'ACTIVE' && state !== 'SUSPENDED')
    throw new Refusal('INVALID_STATE', `A tenant that is ${state} does not move.`, 'tenantId');
}

type Lying = { isolation: Isolation; region: string };

/** Refuses with INVALID_STATE what is where it is to go, as far as anybody can tell. */
export function checkMove(present: Lying, wanted: Lying): void {
  if (present.isolation === wanted.isolation && (wanted.isolation === 'SHARED' || present.region === wanted.region))
    throw new Refusal('INVALID_STATE', 'The tenant is there already.', 'isolation');
}
