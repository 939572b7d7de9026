import { type DocumentNode, type GraphQLSchema, isInterfaceType, isObjectType, visit } from 'graphql';

/** The prefix of aliases we rename on the way to subgraphs; no schema of ours has fields that begin so. */
const PREFIX = '__alias_';

/**
 * Key under which an aliased field stands in the merged data. An alias that is the name of another field could be
 * mistaken for it where the planner adds keys and requirements (`{ order { id: legacyId total } }`), so every alias that
 * differs from its field travels under a name of its own and gets the client's back when the answer is written.
 */
export function renamedAlias(alias: string, field: string): string {
  return alias === field ? alias : `${PREFIX}${alias}`;
}

/** Renames the aliases of a document that could collide with a field of the schema. */
export function renameAliases(document: DocumentNode): DocumentNode {
  return visit(document, {
    Field: (node) => {
      if (!node.alias) return undefined;
      const value = renamedAlias(node.alias.value, node.name.value);
      return value === node.alias.value ? undefined : { ...node, alias: { ...node.alias, value } };
    },
  });
}

/** Whether a schema has a field that begins with our prefix; such a supergraph is refused. */
export function collidesWithAliases(schema: GraphQLSchema): boolean {
  return Object.values(schema.getTypeMap()).some(
    (type) => (isObjectType(type) || isInterfaceType(type)) && Object.keys(type.getFields()).some((name) => name.startsWith(PREFIX)),
  );
}
