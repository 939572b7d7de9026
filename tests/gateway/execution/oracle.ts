import { buildASTSchema, execute, type GraphQLSchema, parse, printSchema, visit } from 'graphql';
import type { Answer, Data, Request, Thing, World } from './federation.ts';

type Path = readonly (string | number)[];

/** Fields whose only subgraph is away, as the merged graph would tell it. */
export type IsAway = (type: string, field: string) => boolean;

const isThing = (value: unknown): value is Thing => typeof (value as Thing | null)?.read === 'function';

/** Answers a request by graphql-js, over one merged schema, straight from a world's facts. */
export async function oracleAnswer(
  world: World,
  schema: GraphQLSchema,
  request: Request,
  isAway: IsAway = () => false,
): Promise<Answer> {
  world.restart?.();
  const show = (value: unknown): unknown => {
    if (value instanceof Error) throw value;
    return Array.isArray(value) ? value.map((item) => (item instanceof Error ? item : show(item))) : value;
  };
  const { data, errors = [] } = await execute({
    schema,
    document: parse(request.query),
    rootValue: undefined,
    variableValues: request.variables,
    fieldResolver: (source: Thing | undefined, args: Data, _ctx, info) => {
      const thing = source ?? world.root(info.operation.operation);
      if (isAway(thing.type, info.fieldName)) throw new Error('away');
      const input = (name: string): unknown => thing.read(name, {}, input);
      return show(thing.read(info.fieldName, args, input));
    },
    typeResolver: (value) => (isThing(value) ? value.type : undefined),
  });
  return { ...(data === undefined ? {} : { data }), errors: errors.map((error) => error.toJSON()) };
}

/** The same schema with every output nullable, so that each fault stands alone at its own place. */
export function nullableSchema(schema: GraphQLSchema): GraphQLSchema {
  const document = visit(parse(printSchema(schema)), {
    FieldDefinition: (node) => ({ ...node, type: visit(node.type, { NonNullType: { leave: ({ type }) => type } }) }),
  });
  return buildASTSchema(document, { assumeValid: true });
}

/** What is wrong with an answer, compared with that of the oracle; nothing if it is right. */
export async function faultsOf(
  ours: Answer,
  world: World,
  schema: GraphQLSchema,
  request: Request,
  isAway?: IsAway,
): Promise<string[]> {
  const theirs = await oracleAnswer(world, schema, request, isAway);
  const faults: string[] = [];
  const [given, expected] = [JSON.stringify(ours.data), JSON.stringify(theirs.data)];
  if (given !== expected) faults.push(`data\n  is      ${given}\n  must be ${expected}`);
  faults.push(...ownFaults(ours));
  if (faults.length > 0 || (ours.errors.length === 0 && theirs.errors.length === 0)) return faults;

  const [nulledHere, nulledThere] = [nulledPlaces(ours), nulledPlaces(theirs)];
  for (const place of nulledThere) if (!nulledHere.has(place)) faults.push(`no error explains the null at ${place}`);
  for (const place of nulledHere)
    if (!nulledThere.has(place)) faults.push(`an error stands at ${place}, where the oracle has none`);
  const everyFault = await possibleFaults(world, schema, request, isAway);
  for (const { path, message } of ours.errors) {
    if (!path) faults.push(`an error has no path: ${message}`);
    else if (!everyFault.has(JSON.stringify(path)))
      faults.push(
        `an error's path ${JSON.stringify(path)} is none where anything is wrong (${[...everyFault].join(' ')})`,
      );
  }
  return faults;
}

/** What an answer tells against itself: errors must be at nulls, and each null has at most one. */
export function ownFaults({ data, errors }: Answer): string[] {
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const { path } of errors) {
    if (!path) continue;
    const text = JSON.stringify(nullAt(data, path));
    if (!text) faults.push(`an error stands at ${JSON.stringify(path)}, which is not null`);
    else if (seen.has(text)) faults.push(`two errors speak of the null at ${text}`);
    seen.add(text);
  }
  return faults;
}

/** The place of the null a path leads to, or undefined when it leads to none. */
function nullAt(data: unknown, path: Path): Path | undefined {
  let value = data;
  for (let i = 0; i < path.length; i++) {
    if (value === null) return path.slice(0, i);
    value =
      typeof value === 'object' && Object.hasOwn(value as object, path[i] as string)
        ? (value as Data)[path[i] as string]
        : undefined;
  }
  return value === null ? path : undefined;
}

const nulledPlaces = ({ data, errors }: Answer) =>
  new Set(errors.map(({ path }) => JSON.stringify(path && nullAt(data, path))));

/** Every place at which something is wrong, whether or not it can be seen in the answer. */
async function possibleFaults(
  world: World,
  schema: GraphQLSchema,
  request: Request,
  isAway?: IsAway,
): Promise<Set<string>> {
  const nullable = await oracleAnswer(world, nullableSchema(schema), request, isAway);
  const places = new Set(nullable.errors.map(({ path }) => JSON.stringify(path)));
  const walk = (value: unknown, path: Path) => {
    if (value === null) places.add(JSON.stringify(path));
    else if (typeof value === 'object')
      for (const [key, inner] of Object.entries(value))
        walk(inner, [...path, Array.isArray(value) ? Number(key) : key]);
  };
  walk(nullable.data, []);
  return places;
}
