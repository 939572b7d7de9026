import { type DocumentNode, type FieldNode, visit } from 'graphql';

/** GraphQL keeps names that begin with two underscores for itself, so no schema has such a field. */
const PREFIX = '__alias_';

/**
 * Key under which a field stands in the merged data. A field under an alias, or with arguments, could be mistaken for the
 * plain one where the planner adds keys and requirements (`{ order { id: legacyId total } }`), so it travels under a name
 * of its own and gets the client's back when the answer is written.
 */
export function travelName({ alias, name, arguments: given }: FieldNode): string {
  const key = alias?.value ?? name.value;
  return key === name.value && !given?.length ? key : `${PREFIX}${key}`;
}

/** Gives every field of a document the name it travels under. */
export function renameFields(document: DocumentNode): DocumentNode {
  return visit(document, {
    Field: (node) => {
      const value = travelName(node);
      return value === node.name.value ? undefined : { ...node, alias: { kind: node.name.kind, value } };
    },
  });
}
