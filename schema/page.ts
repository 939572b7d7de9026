import { ArgsType, type ClassType, Directive, Field, Int, ObjectType } from 'type-graphql';
import { badInput } from './errors.ts';

export const MAX_PAGE = 100;

@ObjectType({ description: 'Where a page of a list stands (Relay).' })
@Directive('@shareable')
export class PageInfo {
  @Field(() => Boolean) hasNextPage!: boolean;
  @Field(() => Boolean) hasPreviousPage!: boolean;
  @Field(() => String, { nullable: true }) startCursor?: string | null;
  @Field(() => String, { nullable: true }) endCursor?: string | null;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { defaultValue: 25, description: 'At most 100.' }) first: number = 25;
  @Field(() => String, { nullable: true, description: 'The `endCursor` of the page before.' }) after?: string | null;
}

export interface Edge<T> {
  cursor: string;
  node: T;
}
export interface Connection<T> {
  edges: Edge<T>[];
  nodes: T[];
  pageInfo: PageInfo;
}

/** The connection type of a node: `connectionOf(Invoice)` is `InvoiceConnection`. */
export function connectionOf<T extends object>(node: ClassType<T>, name: string): ClassType<Connection<T>> {
  @ObjectType(`${name}Edge`)
  class NodeEdge {
    @Field(() => String) cursor!: string;
    @Field(() => node) node!: T;
  }
  @ObjectType(`${name}Connection`)
  class NodeConnection {
    @Field(() => [NodeEdge]) edges!: NodeEdge[];
    @Field(() => [node], { description: 'The nodes of `edges`, for whoever needs no cursors.' }) nodes!: T[];
    @Field(() => PageInfo) pageInfo!: PageInfo;
  }
  return NodeConnection as unknown as ClassType<Connection<T>>;
}

/** A keyset cursor: opaque to clients, the sort key of a row to us. */
export const encodeCursor = (key: readonly (string | number)[]) =>
  Buffer.from(JSON.stringify(key)).toString('base64url');

/** The sort key in a cursor, `length` parts of it, or BAD_USER_INPUT. */
export function decodeCursor(cursor: string, length: number): (string | number)[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (
      Array.isArray(key) &&
      key.length === length &&
      key.every((part) => typeof part === 'string' || typeof part === 'number')
    )
      return key;
  } catch {
    // falls through to the refusal
  }
  throw badInput('This cursor is not one of ours.');
}

/** Refuses a page over the cap: never a silent cut. */
export function checkPage(page: PageArgs): void {
  if (page.first < 1 || page.first > MAX_PAGE) throw badInput(`A page has 1 to ${MAX_PAGE} entries.`);
}

/** Makes the connection of rows fetched with `first + 1` as their limit. */
export function connect<T>(rows: T[], page: PageArgs, keyOf: (row: T) => readonly (string | number)[]): Connection<T> {
  const edges = rows.slice(0, page.first).map((node) => ({ cursor: encodeCursor(keyOf(node)), node }));
  return {
    edges,
    nodes: edges.map((edge) => edge.node),
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: Boolean(page.after),
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
