import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

export function fragmentsOf(document: DocumentNode): Fragments {
  return new Map(
    document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])),
  );
}

const isOperation = (node: { kind: string }): node is OperationDefinitionNode =>
  node.kind === Kind.OPERATION_DEFINITION;

/** The operation of a document that has one. */
export const operationOf = (document: DocumentNode) =>
  document.definitions.find(isOperation) as OperationDefinitionNode;

/** Whether a field is about the schema, which no subgraph is asked about. */
export const isIntrospective = ({ name }: FieldNode): boolean => name.value === '__schema' || name.value === '__type';

/** The fields at the top of a selection set, fragments opened. */
export function topFields(set: SelectionSetNode, fragments: Fragments): FieldNode[] {
  return set.selections.flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node];
    const inner = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
    return inner ? topFields(inner.selectionSet, fragments) : [];
  });
}

/** A document with only those of its root fields that pass, changed as they do. They come to stand in no fragment. */
export function withTopFields(
  document: DocumentNode,
  change: (field: FieldNode) => readonly FieldNode[],
): DocumentNode {
  const fields = topFields(operationOf(document).selectionSet, fragmentsOf(document)).flatMap(change);
  return {
    ...document,
    definitions: document.definitions.map((node) =>
      isOperation(node) ? { ...node, selectionSet: { kind: Kind.SELECTION_SET, selections: fields } } : node,
    ),
  };
}
