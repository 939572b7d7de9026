import {
  type DocumentNode,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql';

type Field = GraphQLField<unknown, unknown>;
type Directives = readonly { name: { value: string }; arguments?: readonly { value: unknown }[] }[] | undefined;

/** The feature of every gated coordinate, `Type.field`: by its own mark, its type's, or that of the type it returns. */
export function gatesIn(sdl: string, schema: GraphQLSchema): Map<string, string> {
  const marks = new Map<string, string>();
  const note = (coordinate: string, directives: Directives) => {
    const mark = directives?.find(({ name }) => name.value.endsWith('requiresFeature'));
    const value = mark?.arguments?.[0]?.value as { value?: string } | undefined;
    if (value?.value) marks.set(coordinate, value.value);
  };
  visit(parse(sdl, { noLocation: true }), {
    ObjectTypeDefinition(node) {
      note(node.name.value, node.directives);
      for (const field of node.fields ?? []) note(`${node.name.value}.${field.name.value}`, field.directives);
    },
  });
  const gates = new Map<string, string>();
  for (const type of Object.values(schema.getTypeMap()).filter(isObjectType))
    for (const field of Object.values(type.getFields())) {
      const coordinate = `${type.name}.${field.name}`;
      const feature = marks.get(coordinate) ?? marks.get(type.name) ?? marks.get(getNamedType(field.type).name);
      if (feature) gates.set(coordinate, feature);
    }
  return gates;
}

/** Ids to ask with, by the noun they are of. */
export type Ids = ReadonlyMap<string, readonly string[]>;

/** One way into the graph: fields from a root on, the last of which is gated or leads to what is. */
type Path = readonly { parent: GraphQLObjectType; field: Field }[];

/** How deep paths go, fields; an operation may have twelve, and the last shows what it returns. */
const MAX_DEPTH = 9;
/** Ways from one root that are asked for in one operation. */
const PATHS_AT_ONCE = 4;

/**
 * Every distinct edge below a root field that is gated or leads to a type with gated fields, each by the shortest way
 * to it.
 */
function pathsFrom(
  schema: GraphQLSchema,
  root: GraphQLObjectType,
  field: Field,
  gates: ReadonlyMap<string, string>,
  depth: number,
): Path[] {
  const found: Path[] = [];
  const queue: Path[] = [];
  const seen = new Set<string>();
  const step = (path: Path) => {
    const { parent, field: last } = path.at(-1) as Path[number];
    const types = objectsOf(schema, last);
    const isWay = types.some((type) => fieldsOf(type).some(({ name }) => gates.has(`${type.name}.${name}`)));
    if (gates.has(`${parent.name}.${last.name}`) || isWay) found.push(path);
    if (path.length >= depth || types.every(({ name }) => seen.has(name))) return;
    for (const { name } of types) seen.add(name);
    queue.push(path);
  };
  step([{ parent: root, field }]);
  for (let path = queue.shift(); path; path = queue.shift())
    for (const parent of objectsOf(schema, (path.at(-1) as Path[number]).field))
      for (const next of fieldsOf(parent))
        if (!isLeafType(getNamedType(next.type))) step([...path, { parent, field: next }]);
  return found;
}

const fieldsOf = (type: GraphQLObjectType): Field[] => Object.values(type.getFields());

function objectsOf(schema: GraphQLSchema, field: Field): readonly GraphQLObjectType[] {
  const named = getNamedType(field.type);
  if (isLeafType(named) || isInputObjectType(named)) return [];
  return isObjectType(named) ? [named] : schema.getPossibleTypes(named);
}

/** What is selected on a type, by the text of each field. */
interface Selection {
  type?: GraphQLObjectType;
  fields: Map<string, Selection>;
}

/** An operation that goes several ways from one root. */
export interface Walk {
  kind: 'query' | 'mutation' | 'subscription';
  root: string;
  paths: number;
  /** The same in plain words, and behind aliases, fragments and conditions. */
  plain: string;
  disguised: string;
}

/** Operations over every root field: by every distinct edge to each gated coordinate, with up to `variants` sets of ids. */
export function walksOf(schema: GraphQLSchema, gates: ReadonlyMap<string, string>, ids: Ids, variants = 3): Walk[] {
  const walks: Walk[] = [];
  for (const kind of ['query', 'mutation', 'subscription'] as const) {
    const root = schema.getRootType(kind as never);
    for (const field of root ? fieldsOf(root) : []) {
      if (ENDS_THE_WALK.test(field.name)) continue;
      const paths = pathsFrom(schema, root as GraphQLObjectType, field, gates, kind === 'mutation' ? 4 : MAX_DEPTH);
      const times = kind === 'query' && field.args.some((arg) => isId(arg)) ? variants : 1;
      for (let start = 0; start < paths.length; start += PATHS_AT_ONCE)
        for (let variant = 0; variant < times; variant++) {
          const some = paths.slice(start, start + PATHS_AT_ONCE);
          const selection: Selection = { fields: new Map() };
          for (const path of some) select(schema, selection, path, gates, ids, variant);
          walks.push({ kind, root: field.name, paths: some.length, ...printed(kind, root?.name ?? '', selection) });
        }
    }
  }
  return walks;
}

/** A request for one entity of a subgraph as the gateway makes it, with every gated way the subgraph itself knows. */
export function entityQuery(schema: GraphQLSchema, gates: ReadonlyMap<string, string>, name: string, ids: Ids): string {
  const type = schema.getType(name) as GraphQLObjectType;
  const whole: Selection = { type, fields: new Map() };
  for (const field of fieldsOf(type)) {
    if (isLeafType(getNamedType(field.type))) below(whole, textOf(field, ids, 0));
    else for (const path of pathsFrom(schema, type, field, gates, 3)) select(schema, whole, path, gates, ids, 0);
  }
  return `query($r: [_Any!]!) { _entities(representations: $r) { ... on ${name} ${plainly(whole)} } }`;
}

/** A selection in plain words. */
const plainly = ({ fields }: Selection): string =>
  ` { ${['__typename', ...[...fields].map(([text, inner]) => text + (inner.type ? plainly(inner) : ''))].join(' ')} }`;

/** What ends the session of who walks, moves them elsewhere, or brings them the feature they shall lack. */
const ENDS_THE_WALK = /signOut|refreshSession|endOtherSessions|endSession|switchTenant|startFeatureTrial|moveTenant/;

function select(
  schema: GraphQLSchema,
  whole: Selection,
  path: Path,
  gates: ReadonlyMap<string, string>,
  ids: Ids,
  variant: number,
): void {
  let at = whole;
  for (const { parent, field } of path) {
    at.type = parent;
    at = below(at, textOf(field, ids, variant));
  }
  for (const type of objectsOf(schema, (path.at(-1) as Path[number]).field)) {
    at.type = type;
    for (const field of fieldsOf(type)) {
      if (field.args.some((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined)) continue;
      if (isLeafType(getNamedType(field.type))) below(at, field.name);
      else if (gates.has(`${type.name}.${field.name}`)) {
        const inner = below(at, textOf(field, ids, variant));
        for (const shown of objectsOf(schema, field)) {
          inner.type = shown;
          for (const leaf of fieldsOf(shown))
            if (isLeafType(getNamedType(leaf.type)) && leaf.args.length === 0) below(inner, leaf.name);
        }
      }
    }
  }
}

function below(selection: Selection, text: string): Selection {
  const held = selection.fields.get(text) ?? { fields: new Map() };
  selection.fields.set(text, held);
  return held;
}

function printed(kind: string, root: string, selection: Selection): { plain: string; disguised: string } {
  let aliases = 0;
  const hiding = ({ type, fields }: Selection): string => {
    const told = [...fields].map(([text, inner]) =>
      inner.type ? `${aliases++ < 25 ? `a${aliases}: ` : ''}${text}${hiding(inner)}` : text,
    );
    return ` { ... on ${type?.name} @include(if: true) { ${told.join(' ') || '__typename'} } }`;
  };
  // A subscription has one root field, and nothing beside it.
  if (kind === 'subscription')
    return {
      plain: `subscription${plainly(selection).replace('{ __typename', '{')}`,
      disguised: `subscription Hidden { ...Walk } fragment Walk on ${root}${hiding(selection)}`,
    };
  return {
    plain: `${kind}${plainly(selection)}`,
    disguised: `${kind} Hidden { ...Walk } fragment Walk on ${root}${hiding(selection)}`,
  };
}

const isId = (arg: GraphQLArgument) => getNamedType(arg.type).name === 'ID';

/** A field with what it must be given, and a short page where it has pages. */
function textOf(field: Field, ids: Ids, variant: number): string {
  const noun = getNamedType(field.type).name.replace(/(Connection|Payload|Update|Change)$/, '');
  const given = field.args.flatMap((arg) => {
    const isNeeded =
      (isNonNullType(arg.type) && arg.defaultValue === undefined) || isInputObjectType(getNamedType(arg.type));
    if (arg.name === 'first') return ['first: 2'];
    if (arg.name === 'filter' || (!isNeeded && arg.name !== 'id')) return [];
    return [`${arg.name}: ${valueFor(arg.type, arg.name === 'id' ? `${noun}Id` : arg.name, ids, variant)}`];
  });
  return field.name + (given.length > 0 ? `(${given.join(', ')})` : '');
}

function valueFor(type: GraphQLInputType, name: string, ids: Ids, variant: number): string {
  if (isNonNullType(type)) return valueFor(type.ofType, name, ids, variant);
  if (isListType(type)) return `[${valueFor(type.ofType, name, ids, variant)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name ?? 'null';
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      (field) => isNonNullType(field.type) && field.defaultValue === undefined,
    );
    return `{ ${fields.map((field) => `${field.name}: ${valueFor(field.type, field.name, ids, variant)}`).join(', ')} }`;
  }
  const known = ids.get(name.replace(/Ids?$/, '').toLowerCase()) ?? [];
  const plain: Record<string, string> = {
    ...{ ID: JSON.stringify(known[variant % Math.max(1, known.length)] ?? '01990000-0000-7000-8000-00000000ffff') },
    ...{ Int: '1', Float: '1.5', Boolean: 'true', DateTime: '"2027-03-17T16:15:30Z"', Date: '"2027-03-17"' },
    ...{
      CurrencyCode: '"EUR"',
      FeatureKey: '"crm"',
      QuotaKey: '"tickets"',
      Quantity: '"1"',
      AmountMinor: '"1"',
      Decimal: '"1"',
    },
  };
  return plain[type.name] ?? JSON.stringify(name === 'email' ? 'walk@example.com' : `walk ${name}`);
}

/** The gated coordinates at which an answer holds anything but null. */
export function valuesAt(
  schema: GraphQLSchema,
  gates: ReadonlyMap<string, string>,
  text: string,
  data: object | null | undefined,
): Set<string> {
  const document: DocumentNode = parse(text);
  const found = new Set<string>();
  const fragments = new Map(
    document.definitions.flatMap((one) =>
      one.kind === Kind.FRAGMENT_DEFINITION ? [[one.name.value, one.selectionSet]] : [],
    ),
  );
  const look = (type: GraphQLObjectType, { selections }: SelectionSetNode, value: Record<string, unknown>): void => {
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD)
        look(type, fragments.get(selection.name.value) as SelectionSetNode, value);
      else if (selection.kind === Kind.INLINE_FRAGMENT) look(type, selection.selectionSet, value);
      else {
        const held = value[selection.alias?.value ?? selection.name.value];
        const field = type.getFields()[selection.name.value];
        if (held === null || held === undefined || !field) continue;
        const coordinate = `${type.name}.${field.name}`;
        if (gates.has(coordinate)) found.add(coordinate);
        for (const item of [held].flat(3)) {
          const named = getNamedType(field.type);
          const inner = isObjectType(named)
            ? named
            : schema.getType(String((item as Record<string, unknown>)?.__typename));
          if (selection.selectionSet && item && isObjectType(inner))
            look(inner, selection.selectionSet, item as Record<string, unknown>);
        }
      }
    }
  };
  const [operation] = document.definitions;
  const root = operation?.kind === Kind.OPERATION_DEFINITION ? schema.getRootType(operation.operation) : undefined;
  if (root && data && operation?.kind === Kind.OPERATION_DEFINITION)
    look(root, operation.selectionSet, data as Record<string, unknown>);
  return found;
}
