import { type ConstDirectiveNode, Kind, parse, valueFromASTUntyped, visit } from 'graphql';

/** How many entries a list holds: what `@listSize` says. */
export interface ListSize {
  assumedSize?: number;
  /** Arguments that ask for a number of entries. */
  slicingArguments?: readonly string[];
  /** Which fields of the object returned are the lists; without them it is the field itself. */
  sizedFields?: readonly string[];
  requireOneSlicingArgument?: boolean;
}

/** What a supergraph says about costs, by schema coordinate: `Type`, `Type.field`, `Type.field(argument:)`. */
export interface CostDirectives {
  weights: ReadonlyMap<string, number>;
  sizes: ReadonlyMap<string, ListSize>;
}

const COST_SPEC = /^https:\/\/specs\.apollo\.dev\/cost\//;

/** Reads `@cost` and `@listSize` off a supergraph, under whatever names it links them. */
export function readCostDirectives(sdl: string): CostDirectives {
  const weights = new Map<string, number>();
  const sizes = new Map<string, ListSize>();
  const document = parse(sdl, { noLocation: true });
  const links = document.definitions.flatMap((node) =>
    node.kind === Kind.SCHEMA_DEFINITION || node.kind === Kind.SCHEMA_EXTENSION ? (node.directives ?? []) : [],
  );
  const link = links.map(argumentsOf).find(({ url }) => COST_SPEC.test(String(url)));
  if (!link) return { weights, sizes };
  const costName = nameIn(link, 'cost');
  const listSizeName = nameIn(link, 'listSize');

  const read = (coordinate: string, directives: readonly ConstDirectiveNode[] = []) => {
    for (const directive of directives) {
      if (directive.name.value === costName) weights.set(coordinate, Number(argumentsOf(directive).weight));
      if (directive.name.value === listSizeName) sizes.set(coordinate, argumentsOf(directive));
    }
  };
  visit(document, {
    ObjectTypeDefinition: readType,
    InterfaceTypeDefinition: readType,
    InputObjectTypeDefinition: (node) => {
      read(node.name.value, node.directives);
      for (const field of node.fields ?? []) read(`${node.name.value}.${field.name.value}`, field.directives);
    },
    ScalarTypeDefinition: (node) => read(node.name.value, node.directives),
    EnumTypeDefinition: (node) => read(node.name.value, node.directives),
  });
  return { weights, sizes };

  function readType(type: {
    name: { value: string };
    directives?: readonly ConstDirectiveNode[];
    fields?: readonly import('graphql').FieldDefinitionNode[];
  }): void {
    read(type.name.value, type.directives);
    for (const field of type.fields ?? []) {
      const coordinate = `${type.name.value}.${field.name.value}`;
      read(coordinate, field.directives);
      for (const argument of field.arguments ?? []) read(`${coordinate}(${argument.name.value}:)`, argument.directives);
    }
  }
}

type Arguments = Record<string, unknown>;

const argumentsOf = (directive: ConstDirectiveNode): Arguments =>
  Object.fromEntries(
    (directive.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)] as const),
  );

/** What a linked specification's directive is called here: as imported, else with the specification's name before it. */
function nameIn({ as, import: imported }: Arguments, name: string): string {
  for (const element of Array.isArray(imported) ? imported : []) {
    if (element === `@${name}`) return name;
    if (element?.name === `@${name}`) return String(element.as ?? element.name).replace(/^@/, '');
  }
  const spec = String(as ?? 'cost');
  return name === 'cost' ? spec : `${spec}__${name}`;
}
