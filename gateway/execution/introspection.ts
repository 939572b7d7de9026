import { executeSync, type FieldNode, type GraphQLSchema, Kind, type OperationDefinitionNode, visit } from 'graphql';
import { travelName } from './aliases.ts';
import type { Data } from './faults.ts';
import { type Fragments, withTopFields } from './fields.ts';

/** Whether a field is about the schema, which no subgraph is asked about. */
export const isIntrospective = ({ name }: FieldNode): boolean => name.value === '__schema' || name.value === '__type';

/** What an operation asks about the schema, under the names its fields travel under. */
export function introspect(schema: GraphQLSchema, definition: OperationDefinitionNode, fragments: Fragments, variables: Data): Data {
  const selectionSet = withTopFields(definition.selectionSet, fragments, isIntrospective, (field) => ({ ...field, alias: { kind: Kind.NAME, value: travelName(field) } }));
  const used = new Set<string>();
  visit({ kind: Kind.DOCUMENT, definitions: [{ ...definition, variableDefinitions: [], selectionSet }, ...fragments.values()] }, { Variable: ({ name }) => void used.add(name.value) });
  const variableDefinitions = definition.variableDefinitions?.filter(({ variable }) => used.has(variable.name.value));
  const document = { kind: Kind.DOCUMENT, definitions: [{ ...definition, directives: [], variableDefinitions, selectionSet }, ...fragments.values()] } as const;
  const { data } = executeSync({ schema, document, variableValues: variables });
  return { ...data };
}
