import {
  type ASTNode,
  type DirectiveNode,
  type DocumentNode,
  Kind,
  type SelectionNode,
  type ValueNode,
  visit,
} from 'graphql';
import type { Data } from './faults.ts';

const isConditional = ({ name }: DirectiveNode) => name.value === 'skip' || name.value === 'include';
const conditionOf = ({ arguments: given }: DirectiveNode): ValueNode | undefined => given?.[0]?.value;

/** The variables that decide what of an operation is asked for, in order. */
export function conditionVariables(document: ASTNode): string[] {
  const names = new Set<string>();
  visit(document, {
    Directive: (node) => {
      const condition = conditionOf(node);
      if (isConditional(node) && condition?.kind === Kind.VARIABLE) names.add(condition.name.value);
    },
  });
  return [...names].sort();
}

/** A document without its `@skip`s and `@include`s, and without what they leave out; selection sets may become empty. */
export function decide(document: DocumentNode, variables: Data): DocumentNode {
  const stands = (directive: DirectiveNode): boolean => {
    const condition = conditionOf(directive);
    const holds =
      condition?.kind === Kind.VARIABLE
        ? variables[condition.name.value] === true
        : condition?.kind === Kind.BOOLEAN && condition.value;
    return holds === (directive.name.value === 'include');
  };
  const decideOne = (node: SelectionNode): SelectionNode | null | undefined => {
    const conditions = node.directives?.filter(isConditional) ?? [];
    if (conditions.length === 0) return undefined;
    return conditions.every(stands)
      ? { ...node, directives: node.directives?.filter((directive) => !isConditional(directive)) }
      : null;
  };
  return visit(document, { Field: decideOne, InlineFragment: decideOne, FragmentSpread: decideOne });
}

/** A document in which no selection set is empty: one that was asks for the type's name. */
export function withoutEmptySets(document: DocumentNode): DocumentNode {
  const typeName = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } } as const;
  return visit(document, {
    SelectionSet: { leave: (node) => (node.selections.length > 0 ? undefined : { ...node, selections: [typeName] }) },
  });
}
