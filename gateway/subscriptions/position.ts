import type { Place } from '../../subgraphs/_kernel/live.ts';
import type { GraphResult } from '../../subgraphs/_kernel/subgraph.ts';

/** Where a reader is in the log its stream follows: behind a place, and behind so many items that tell of what follows. */
export interface Position {
  after: number;
  told: number;
}

/** An event as it comes from a subgraph. */
export interface Event {
  result: GraphResult;
  place: Place | undefined;
  /** Items before it that tell of the same. */
  part: number;
}

/** Where a reader is that stood at `at` and was told an event. */
export function behind({ place, part }: Event, at: Position | undefined): Position | undefined {
  if (!place) return undefined;
  if (!place.isPart) return { after: place.upTo, told: 0 };
  return place.after === undefined ? at : { after: place.after, told: part + 1 };
}

/** Whether an event is news to who is at `at`. */
export function isNews({ place, part }: Event, at: Position | undefined): boolean {
  if (!at || place?.after === undefined) return true;
  return place.upTo > at.after && !(place.after === at.after && part < at.told);
}

/** Whether an event tells again of something that is known at `at`, beside what is new. */
export const overlaps = ({ place }: Event, at: Position | undefined): boolean =>
  at !== undefined && place?.after !== undefined && place.after < at.after;
