import { type DirectiveNode, type FieldNode, Kind, type OperationDefinitionNode, type SelectionNode, type SelectionSetNode, type VariableDefinitionNode } from 'graphql';
import { includesWith, isConditional } from './conditions.ts';
import type { Data } from './faults.ts';
import type { Fragments } from './fields.ts';

/** A root field of a mutation where it stands, and everything that decides whether it does. */
interface Step {
  field: FieldNode;
  conditions: readonly DirectiveNode[];
  /** The variable that tells whether it stands; none if it always does. */
  stands?: string;
}

export interface Steps {
  definition: OperationDefinitionNode;
  /** The variables the definition has been given beside its own, worked out from those. */
  decide(variables: Data): Data;
}

/**
 * Spells out the root fields of a mutation in the order they are to run, each once. The planner would put fields before
 * conditional fragments, and run a field twice that stands twice under different conditions.
 */
export function spellOutSteps(definition: OperationDefinitionNode, fragments: Fragments): Steps {
  const steps = stepsOf(definition.selectionSet, fragments, []).map((step, i): Step => (step.conditions.length > 0 ? { ...step, stands: `__stands${i}` } : step));
  const runs: { name: string; step: Step; earlier: readonly Step[] }[] = [];
  const selections = steps.flatMap((step, i): SelectionNode[] => {
    const isSame = (other: Step) => keyOf(other) === keyOf(step);
    const earlier = steps.slice(0, i).filter(isSame);
    if (earlier.some(({ stands }) => !stands)) return [];
    const { field } = step;
    const later = steps.slice(i + 1).filter(isSame);
    const set = field.selectionSet && { ...field.selectionSet, selections: [...field.selectionSet.selections, ...later.flatMap(selectionsOf)] };
    const name = earlier.length > 0 ? `__runs${i}` : step.stands;
    if (name) runs.push({ name, step, earlier });
    return [{ ...field, selectionSet: set, directives: name ? [include(name)] : [] }];
  });
  const holds = ({ conditions }: Step, variables: Data) => includesWith(variables)({ directives: conditions });
  const conditional = steps.filter(({ stands }) => stands);
  return {
    definition: {
      ...definition,
      selectionSet: { kind: Kind.SELECTION_SET, selections },
      variableDefinitions: [...(definition.variableDefinitions ?? []), ...new Set([...conditional.map(({ stands }) => stands as string), ...runs.map(({ name }) => name)])].map((known) =>
        typeof known === 'string' ? declare(known) : known,
      ),
    },
    decide: (variables) =>
      Object.fromEntries([
        ...conditional.map((step) => [step.stands, holds(step, variables)]),
        ...runs.map(({ name, step, earlier }) => [name, holds(step, variables) && !earlier.some((one) => holds(one, variables))]),
      ]),
  };
}

function stepsOf(set: SelectionSetNode, fragments: Fragments, above: readonly DirectiveNode[]): Step[] {
  return set.selections.flatMap((node) => {
    const conditions = [...above, ...(node.directives?.filter(isConditional) ?? [])];
    if (node.kind === Kind.FIELD) return [{ field: node, conditions }];
    const inner = node.kind === Kind.FRAGMENT_SPREAD ? fragments.get(node.name.value) : node;
    return inner ? stepsOf(inner.selectionSet, fragments, conditions) : [];
  });
}

const keyOf = ({ field }: Step) => field.alias?.value ?? field.name.value;

function selectionsOf({ field, stands }: Step): readonly SelectionNode[] {
  if (!field.selectionSet) return [];
  return stands ? [{ kind: Kind.INLINE_FRAGMENT, directives: [include(stands)], selectionSet: field.selectionSet }] : field.selectionSet.selections;
}

const name = (value: string) => ({ kind: Kind.NAME, value }) as const;

const include = (variable: string): DirectiveNode => ({
  kind: Kind.DIRECTIVE,
  name: name('include'),
  arguments: [{ kind: Kind.ARGUMENT, name: name('if'), value: { kind: Kind.VARIABLE, name: name(variable) } }],
});

const declare = (variable: string): VariableDefinitionNode => ({
  kind: Kind.VARIABLE_DEFINITION,
  variable: { kind: Kind.VARIABLE, name: name(variable) },
  type: { kind: Kind.NON_NULL_TYPE, type: { kind: Kind.NAMED_TYPE, name: name('Boolean') } },
});
