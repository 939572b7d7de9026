import { type ConstDirectiveNode, Kind, parse, print, visit } from 'graphql';
import { nameRequired, type Stands } from './required-arguments.ts';

/** A supergraph as the planner is given it. */
export interface PreparedSupergraph {
  sdl: string;
  /** Fields that are only there for the planner. */
  stands: Stands;
}

/** Writes a supergraph in a form that the planner answers rightly where it would mistake the one it was composed in. */
export function prepareSupergraph(sdl: string): PreparedSupergraph {
  return nameRequired(resolvableKeysFirst(sdl));
}

/**
 * To come back to a subgraph with what a field of it requires, the planner takes the first key of a type, even one by
 * which the subgraph resolves nothing.
 */
function resolvableKeysFirst(sdl: string): string {
  if (!/resolvable: *false/.test(sdl)) return sdl;
  const isUnresolvable = ({ name, arguments: given = [] }: ConstDirectiveNode) =>
    name.value === 'join__type' &&
    given.some(
      ({ name: { value }, value: told }) => value === 'resolvable' && told.kind === Kind.BOOLEAN && !told.value,
    );
  const order = <T extends { directives?: readonly ConstDirectiveNode[] }>(node: T): T => ({
    ...node,
    directives: [
      ...(node.directives ?? []).filter((one) => !isUnresolvable(one)),
      ...(node.directives ?? []).filter(isUnresolvable),
    ],
  });
  return print(
    visit(parse(sdl, { noLocation: true }), { ObjectTypeDefinition: order, InterfaceTypeDefinition: order }),
  );
}
