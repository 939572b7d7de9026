import type { FetchDataRewrite } from '@apollo/query-planner';
import { type GraphQLSchema, isAbstractType } from 'graphql';

type Data = Record<string, unknown>;

const ON = '... on ';

/** Whether an object is of a type, by its `__typename`; one that says nothing is taken at its word. */
export function isOfType(schema: GraphQLSchema, object: Data, typeName: string): boolean {
  const named = object.__typename;
  if (named === undefined || named === typeName) return true;
  const [actual, wanted] = [schema.getType(String(named)), schema.getType(typeName)];
  return (
    isAbstractType(wanted) && actual !== undefined && 'getFields' in actual && schema.isSubType(wanted, actual as never)
  );
}

/** Applies the renamings and replacements a plan asks for, such as an `@interfaceObject`'s type name. In place. */
export function applyRewrites(
  schema: GraphQLSchema,
  rewrites: readonly FetchDataRewrite[] | undefined,
  value: unknown,
): void {
  for (const rewrite of rewrites ?? []) {
    const key = rewrite.path.at(-1) as string;
    visitPath(schema, value, rewrite.path.slice(0, -1), (object) => {
      if (rewrite.kind === 'ValueSetter') object[key] = rewrite.setValueTo;
      else if (object[key] !== undefined) {
        object[rewrite.renameKeyTo] = object[key];
        delete object[key];
      }
    });
  }
}

function visitPath(schema: GraphQLSchema, value: unknown, path: readonly string[], act: (object: Data) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visitPath(schema, item, path, act);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  const [first, ...rest] = path;
  if (first === undefined) act(value as Data);
  else if (first.startsWith(ON)) {
    if (isOfType(schema, value as Data, first.slice(ON.length))) visitPath(schema, value, rest, act);
  } else visitPath(schema, (value as Data)[first], rest, act);
}
