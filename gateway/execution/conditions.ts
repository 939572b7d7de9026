import { type ASTNode, type DirectiveNode, type DocumentNode, Kind, type SelectionNode, type ValueNode, visit } from 'graphql';
import type { Data } from './faults.ts';

export const isConditional = ({ name }: DirectiveNode) => name.value === 'skip' || name.value === 'include';
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

/** Whether a selection stands, given the operation's variables. */
export type Includes = (node: { directives?: readonly DirectiveNode[] }) => boolean;

export function includesWith(variables: Data): Includes {
  return ({ directives = [] }) =>
    directives.filter(isConditional).every((directive) => {
      const condition = conditionOf(directive);
      const holds = condition?.kind === Kind.VARIABLE ? variables[condition.name.value] === true : condition?.kind === Kind.BOOLEAN && condition.value;
      return directive.name.value === 'include' ? holds : !holds;
    });
}

/**
 * Decides `@skip(if: true)` and the like for good. The planner would drop such a condition where a whole fetch depends on
 * another, and so ask for what is to be skipped.
 */
export function decideConstants(document: DocumentNode): DocumentNode {
  const isConstant = (node: DirectiveNode) => isConditional(node) && conditionOf(node)?.kind === Kind.BOOLEAN;
  const decide = (node: SelectionNode): SelectionNode | null | undefined => {
    const constants = node.directives?.filter(isConstant) ?? [];
    if (constants.length === 0) return undefined;
    return includesWith({})({ directives: constants }) ? { ...node, directives: node.directives?.filter((directive) => !isConstant(directive)) } : null;
  };
  return visit(document, {
    Field: decide,
    InlineFragment: decide,
    FragmentSpread: decide,
    SelectionSet: {
      leave: (node) => (node.selections.length > 0 ? undefined : { ...node, selections: [{ kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } }] }),
    },
  });
}
