import type { FetchNode, PlanNode, QueryPlanSelectionNode, SubscriptionNode } from '@apollo/query-planner';
import {
  type FieldDefinitionNode,
  getNamedType,
  isInterfaceType,
  isObjectType,
  Kind,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { ClientError } from '../../schema/errors.ts';
import type { Supergraph } from '../supergraph.ts';
import { fragmentsOf, operationOf, topFields } from './fields.ts';

/** What subgraphs need to be told for a field, or show along with it: field names by `subgraph/Type.field`. */
export interface Requirements {
  requires: ReadonlyMap<string, readonly string[]>;
  /** The same with the paths of all that is in it, a dot before every name. */
  requiredPaths: ReadonlyMap<string, readonly string[]>;
  provides: ReadonlyMap<string, readonly string[]>;
}

/** Reads `@requires` and `@provides` off a supergraph. */
export function readRequirements(sdl: string): Requirements {
  const document = parse(sdl, { noLocation: true });
  const requires = new Map<string, readonly string[]>();
  const requiredPaths = new Map<string, readonly string[]>();
  const provides = new Map<string, readonly string[]>();
  const names = new Map<string, string>();
  let type = '';
  const enter = (node: { name: { value: string } }) => {
    type = node.name.value;
  };
  visit(document, {
    EnumValueDefinition: (node) => {
      const name = node.directives
        ?.find((directive) => directive.name.value === 'join__graph')
        ?.arguments?.find((one) => one.name.value === 'name')?.value;
      if (name?.kind === Kind.STRING) names.set(node.name.value, name.value);
    },
  });
  visit(document, {
    ObjectTypeDefinition: { enter },
    InterfaceTypeDefinition: { enter },
    FieldDefinition: (node) => {
      for (const { graph, required, provided } of joinsOf(node)) {
        const place = `${type}.${node.name.value}`;
        const key = `${names.get(graph)}/${place}`;
        if (required) {
          const set = operationOf(parse(`{ ${required} }`)).selectionSet;
          requires.set(
            key,
            topFields(set, new Map()).map(({ name }) => name.value),
          );
          requiredPaths.set(key, pathsIn(set));
        }
        if (provided) provides.set(key, provided.match(/\w+/g) ?? []);
      }
    },
  });
  return { requires, requiredPaths, provides };
}

const pathsIn = (set: SelectionSetNode, above = ''): string[] =>
  topFields(set, new Map()).flatMap(({ name, selectionSet }) => {
    const path = `${above}.${name.value}`;
    return selectionSet ? [path, ...pathsIn(selectionSet, path)] : [path];
  });

function joinsOf({ directives = [] }: FieldDefinitionNode): { graph: string; required?: string; provided?: string }[] {
  return directives
    .filter(({ name }) => name.value === 'join__field')
    .map(({ arguments: given = [] }) => {
      const text = (argument: string) => {
        const value = given.find(({ name }) => name.value === argument)?.value;
        return value?.kind === Kind.STRING || value?.kind === Kind.ENUM ? value.value : undefined;
      };
      return {
        graph: text('graph') ?? '',
        required: text('requires'),
        provided: text('provides'),
      };
    });
}

/**
 * Refuses a plan that has a field worked out without what it requires. The planner makes such plans where a required
 * field itself requires something and its subgraph is asked anyway; the answer would be wrong, and nothing would tell.
 */
export function checkRequirements(
  { whole, requirements: { requires, provides } }: Supergraph,
  node: PlanNode | SubscriptionNode | undefined,
): void {
  if (requires.size > 0) fetchesOf(node).forEach(check);

  function check(fetch: FetchNode): void {
    const document = parse(fetch.operation, { noLocation: true });
    const fragments = fragmentsOf(document);
    const { selectionSet, operation } = operationOf(document);
    const walk = (
      set: SelectionSetNode,
      type: string,
      given: ReadonlySet<string>,
      provided: ReadonlySet<string>,
    ): void => {
      for (const selection of set.selections) {
        if (selection.kind !== Kind.FIELD) {
          const inner = selection.kind === Kind.FRAGMENT_SPREAD ? fragments.get(selection.name.value) : selection;
          if (inner) walk(inner.selectionSet, inner.typeCondition?.name.value ?? type, given, provided);
          continue;
        }
        const name = selection.name.value;
        const key = `${fetch.serviceName}/${type}.${name}`;
        if (requires.get(key)?.some((required) => !given.has(required))) {
          throw new ClientError(
            'INTERNAL',
            `${type}.${name} cannot be worked out for this operation. Ask for it in one of its own.`,
          );
        }
        const parent = whole.getType(type);
        const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
        const inner = name === '_entities' ? '_Entity' : field && getNamedType(field.type).name;
        const shown = new Set([...provided, ...(provides.get(key) ?? [])]);
        if (selection.selectionSet && inner)
          walk(selection.selectionSet, inner, name === '_entities' ? given : shown, shown);
      }
    };
    walk(selectionSet, whole.getRootType(operation)?.name ?? '', new Set(namesIn(fetch.requires ?? [])), new Set());
  }
}

function fetchesOf(node: PlanNode | SubscriptionNode | undefined): FetchNode[] {
  switch (node?.kind) {
    case 'Fetch':
      return [node];
    case 'Sequence':
    case 'Parallel':
      return node.nodes.flatMap(fetchesOf);
    case 'Flatten':
      return fetchesOf(node.node);
    case 'Condition':
      return [node.ifClause, node.elseClause].flatMap(fetchesOf);
    case 'Subscription':
      return [node.primary, ...fetchesOf(node.rest)];
    default:
      return [];
  }
}

const namesIn = (selections: readonly QueryPlanSelectionNode[]): string[] =>
  selections.flatMap((selection) => (selection.kind === 'Field' ? [selection.name] : namesIn(selection.selections)));
