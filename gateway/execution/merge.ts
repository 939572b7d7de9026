import { type Data, type Fault, faultsOf, isObject, note, own } from './faults.ts';

/** Merges what a subgraph answered into what is there; lists element by element. What is there is never lost to a null. */
export function merge(target: Data, source: Data): void {
  mergeIntoAll([target], source);
}

/** The same for several objects that stand for one thing; they come to share what is in it. */
export function mergeIntoAll(targets: readonly Data[], source: Data): void {
  for (const key of Object.keys(source)) {
    if (key === '__proto__') continue;
    const given = source[key];
    const isInherited = key in Object.prototype;
    for (const target of targets) {
      const held = isInherited ? own(target, key) : target[key];
      if (held === undefined || held === null) target[key] = given;
      else if (held !== given && isObject(held) && isObject(given)) merge(held, given);
    }
  }
  const faults: readonly Fault[] | undefined = faultsOf(source);
  if (faults) for (const target of targets) for (const fault of faults) note(target, fault);
}

/** Finds the objects a plan's paths lead to. What it found is kept until something is merged. */
export class Locator {
  /** Whether an object may stand at several places. */
  isShared = false;
  private readonly root: Data;
  private readonly found = new Map<readonly string[], readonly Data[]>();

  constructor(root: Data) {
    this.root = root;
  }

  /** The objects at a path, each once, in order; `@` stands for every element of a list. */
  at(path: readonly string[]): readonly Data[] {
    let found = this.found.get(path);
    if (!found) {
      found = locate(this.root, path, this.isShared);
      this.found.set(path, found);
    }
    return found;
  }

  forget(): void {
    this.found.clear();
  }
}

/** While nothing is shared, each object is met once; to find that out for each would take longest of all. */
function locate(root: Data, path: readonly string[], isShared: boolean): readonly Data[] {
  let level: unknown[] = [root];
  for (const step of path) {
    const next: unknown[] = [];
    if (step === '@') {
      for (const value of level)
        if (Array.isArray(value)) for (const item of value) next.push(item);
        else next.push(value);
    } else {
      const isInherited = step in Object.prototype;
      // a list where the plan names a field: of its members
      for (const value of level)
        if (Array.isArray(value)) for (const item of membersOf(value)) next.push(own(item, step));
        else if (isObject(value)) next.push(isInherited ? own(value, step) : value[step]);
    }
    level = isShared ? [...new Set(next)] : next;
  }
  const found: Data[] = [];
  for (const value of level)
    if (Array.isArray(value)) found.push(...membersOf(value));
    else if (isObject(value)) found.push(value);
  return found;
}

/** The objects in a list, and in the lists in it. */
function membersOf(list: readonly unknown[]): Data[] {
  return list.flatMap((item) => (Array.isArray(item) ? membersOf(item) : isObject(item) ? [item] : []));
}
