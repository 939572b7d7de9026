import type { GraphQLFormattedError } from 'graphql';

export type Data = Record<string, unknown>;
export type Path = readonly (string | number)[];

/**
 * Why something is missing from an object. What a subgraph says in its `errors` is noted on the object itself, so that it
 * goes wherever the object is merged, and is told where the answer is written: at every place the object stands.
 */
export interface Fault {
  error: GraphQLFormattedError;
  /** What is missing, from the object: a field, perhaps a place in its lists. Null once that lies above. */
  at: Path | null;
  /** Where the error arose, from the object. Below `at` as a rule; beside it if one field's error cost another its answer. */
  path: Path;
  /** Whether another field was worked out without what is missing. */
  isFelt?: true;
}

const FAULTS = Symbol('faults');
const UNKNOWN = Symbol('unknown');
type Faulty = object & { [FAULTS]?: Fault[]; [UNKNOWN]?: true };

export const isObject = (value: unknown): value is Data => typeof value === 'object' && value !== null;

/** A field of an object; never what every object inherits. */
export const own = (object: Data, key: string | number): unknown =>
  Object.hasOwn(object, key) ? object[key] : undefined;

export const faultsOf = (object: Faulty): readonly Fault[] | undefined => object[FAULTS];

export function note(object: Faulty, fault: Fault): void {
  object[FAULTS] ??= [];
  object[FAULTS].push(fault);
}

/** Notes that the subgraph whose thing this is knows none of its key: it is gone, or another tenant's. */
export function noteUnknown(object: Faulty): void {
  object[UNKNOWN] = true;
}

export const isUnknown = (object: Faulty): boolean => object[UNKNOWN] === true;

/**
 * Notes an error on the object nearest to the null it speaks of. Answers whether there is such a null.
 * @param rename gives a key of the subgraph's answer the name under which it is merged.
 */
export function blame(
  answer: Data,
  error: GraphQLFormattedError,
  path: Path,
  rename: (key: string | number) => string | number,
): boolean {
  let holder = answer;
  let start = 0;
  let value: unknown = answer;
  for (let i = 0; i < path.length; i++) {
    if (!isObject(value)) return false;
    if (!Array.isArray(value)) [holder, start] = [value, i];
    value = own(value, path[i] as string);
    if (value !== null && value !== undefined) continue;
    note(holder, { error, at: path.slice(start, i + 1).map(rename), path: path.slice(start).map(rename) });
    return true;
  }
  return false;
}

/** Sorts faults by the steps further down they bear on; what lies above bears on every one. */
export function faultsBelow<F extends Pick<Fault, 'at'>>(
  faults: readonly F[],
): (step: string | number) => readonly F[] | undefined {
  const byStep = new Map<string | number, F[]>();
  const above: F[] = [];
  for (const fault of faults) {
    const [step, ...rest] = fault.at ?? [];
    if (step === undefined) {
      above.push({ ...fault, at: null });
      continue;
    }
    const here = byStep.get(step) ?? [];
    here.push({ ...fault, at: rest });
    byStep.set(step, here);
  }
  const everywhere = above.length > 0 ? above : undefined;
  return (step) => {
    const here = byStep.get(step);
    return here && everywhere ? [...here, ...everywhere] : (here ?? everywhere);
  };
}
