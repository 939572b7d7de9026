import { type Data, faultsOf, isObject, note, own, type Path } from './faults.ts';

/** Merges what a subgraph answered into what is there; lists element by element. What is there is never lost to a null. */
export function merge(target: Data, source: Data): void {
  for (const key of Object.keys(source)) {
    if (key === '__proto__') continue;
    const [held, given] = [own(target, key), source[key]];
    if (isObject(held) && isObject(given)) merge(held, given);
    else if (held === undefined || held === null) target[key] = given;
  }
  for (const fault of faultsOf(source) ?? []) note(target, fault);
}

/** The objects a plan's path leads to, in order; `@` stands for every element of a list. */
export function locate(value: unknown, path: Path, from = 0): Data[] {
  if (!isObject(value)) return [];
  if (Array.isArray(value)) return value.flatMap((item) => locate(item, path, path[from] === '@' ? from + 1 : from));
  if (from === path.length) return [value];
  return locate(own(value, path[from] as string), path, from + 1);
}
