import { type Data, faultsOf, isObject, note, own } from './faults.ts';

/** Merges what a subgraph answered into what is there; lists element by element. What is there is never lost to a null. */
export function merge(target: Data, source: Data): void {
  for (const key of Object.keys(source)) {
    if (key === '__proto__') continue;
    const given = source[key];
    const held = key in Object.prototype ? own(target, key) : target[key];
    if (isObject(held) && isObject(given)) merge(held, given);
    else if (held === undefined || held === null) target[key] = given;
  }
  for (const fault of faultsOf(source) ?? []) note(target, fault);
}

/** Finds the objects a plan's paths lead to. What it found is kept until something is merged. */
export class Locator {
  private readonly root: Data;
  private readonly found = new Map<readonly string[], readonly Data[]>();

  constructor(root: Data) {
    this.root = root;
  }

  /** The objects at a path, each once, in order; `@` stands for every element of a list. */
  at(path: readonly string[]): readonly Data[] {
    let found = this.found.get(path);
    if (!found) {
      found = locate(this.root, path);
      this.found.set(path, found);
    }
    return found;
  }

  forget(): void {
    this.found.clear();
  }
}

function locate(root: Data, path: readonly string[]): readonly Data[] {
  let level: Iterable<unknown> = [root];
  for (const step of path) {
    const next = new Set<unknown>();
    if (step === '@') for (const value of level) addItems(value, next);
    else
      for (const value of level) {
        // a list where the plan names a field: of its members
        if (Array.isArray(value)) for (const item of membersOf(value)) next.add(own(item, step));
        else if (isObject(value)) next.add(step in Object.prototype ? own(value, step) : value[step]);
      }
    level = next;
  }
  return [...level].flatMap((value) => (Array.isArray(value) ? membersOf(value) : isObject(value) ? [value] : []));
}

function addItems(value: unknown, to: Set<unknown>): void {
  if (!Array.isArray(value)) {
    if (isObject(value)) to.add(value);
  } else for (const item of value) to.add(item);
}

/** The objects in a list, and in the lists in it. */
function membersOf(list: readonly unknown[]): Data[] {
  return list.flatMap((item) => (Array.isArray(item) ? membersOf(item) : isObject(item) ? [item] : []));
}
