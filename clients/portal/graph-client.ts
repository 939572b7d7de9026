export type Variables = Record<string, unknown>;

/** An operation as codegen types it: its text, and what goes in and comes out. */
export interface TypedDocument<T, V> {
  toString(): string;
  __apiType?: (variables: V) => T;
}

export interface GraphError {
  message: string;
  path?: readonly (string | number)[];
  extensions?: { code?: string; reason?: string; [key: string]: unknown };
}

export interface Answer<T> {
  data?: T | null;
  errors?: readonly GraphError[];
}

/** How a portal reaches the graph. Another transport than `httpGraph` serves as well. */
export interface GraphClient {
  /** Rejects when no answer came; what the graph refuses stands in the answer. */
  ask<T, V extends Variables>(document: TypedDocument<T, V>, variables: V, signal?: AbortSignal): Promise<Answer<T>>;
  /** The events of a subscription until it is complete. Throws when the line breaks. */
  follow<T, V extends Variables>(
    document: TypedDocument<T, V>,
    variables: V,
    signal: AbortSignal,
  ): AsyncIterable<Answer<T>>;
}

/** The graph said no, or broke; `reason` is the graph's own word. */
export class GraphFault extends Error {
  override readonly name = 'GraphFault';
  readonly code: string;
  readonly reason: string | undefined;

  constructor([first]: readonly GraphError[] = []) {
    super(first?.message ?? 'The graph gave no data.');
    this.code = first?.extensions?.code ?? 'INTERNAL';
    this.reason = first?.extensions?.reason;
  }
}

/** The data of an answer, whatever errors stand beside it; throws GraphFault when there is none. */
export function dataOf<T>({ data, errors }: Answer<T>): T {
  if (data === null || data === undefined) throw new GraphFault(errors);
  return data;
}
