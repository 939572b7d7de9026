import { type DocumentNode, type FieldNode, type FragmentDefinitionNode, Kind, type OperationDefinitionNode, type SelectionNode, type SelectionSetNode } from 'graphql';
import type { Includes } from './conditions.ts';

export type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

export function fragmentsOf(document: DocumentNode): Fragments {
  return new Map(document.definitions.flatMap((node) => (node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node]] : [])));
}

/** The operation of a document that has one. */
export const operationOf = (document: DocumentNode) => document.definitions.find((node): node is OperationDefinitionNode => node.kind === Kind.OPERATION_DEFINITION) as OperationDefinitionNode;

/** The fields at the top of a selection set, fragments opened. */
export function topFields(set: SelectionSetNode, fragments: Fragments, includes: Includes = () => true): FieldNode[] {
  return set.selections.filter(includes).flatMap((node) => {
    if (node.kind === Kind.FIELD) return [node];
    const inner = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
    return inner ? topFields(inner.selectionSet, fragments, includes) : [];
  });
}

/** A selection set with only those of its top fields that pass; fragments are opened where they are spread. */
export function withTopFields(set: SelectionSetNode, fragments: Fragments, passes: (field: FieldNode) => boolean, change: (field: FieldNode) => FieldNode = (field) => field): SelectionSetNode {
  const selections = set.selections.flatMap((node): SelectionNode[] => {
    if (node.kind === Kind.FIELD) return passes(node) ? [change(node)] : [];
    const inner = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
    if (!inner) return [];
    const selectionSet = withTopFields(inner.selectionSet, fragments, passes, change);
    return selectionSet.selections.length > 0 ? [{ kind: Kind.INLINE_FRAGMENT, typeCondition: inner.typeCondition, directives: node.directives, selectionSet }] : [];
  });
  return { kind: Kind.SELECTION_SET, selections };
}
