import { overloaded } from '../schema/errors.ts';
import type { Operation } from './execution/operation.ts';
import { shed } from './metrics.ts';

type Doors = Pick<Operation, 'kind' | 'queuedFields'>;

/** How long a door stays shut that said it is full, milliseconds: in less, few places become free behind it. */
export const SHUT_MS = 50;

/**
 * Doors with a queue of their own behind them, such as passwords to be checked, that said it is full. Who knocks there right
 * after is turned away here, where it costs next to nothing, and not asked to be turned away by a subgraph.
 */
export class FullDoors {
  private readonly shutUntil = new Map<string, number>();
  private readonly now: () => number;

  /** @param now a clock that never runs back, milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
  }

  /** A queue behind the doors of an operation is full: shuts those that have one, whatever else was asked beside. */
  shut({ kind, queuedFields }: Doors): void {
    const until = this.now() + SHUT_MS;
    for (const field of queuedFields) this.shutUntil.set(`${kind}.${field}`, until);
  }

  /** Throws OVERLOADED, with `retryAfterMs`, for an operation at a door that is shut. */
  refuseIfShut({ kind, queuedFields }: Doors): void {
    if (this.shutUntil.size === 0) return;
    for (const field of queuedFields) {
      const door = `${kind}.${field}`;
      const until = this.shutUntil.get(door);
      if (until === undefined) continue;
      if (this.now() < until) {
        shed.labels('door_full').inc();
        throw overloaded();
      }
      this.shutUntil.delete(door);
    }
  }
}
