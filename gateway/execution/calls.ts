import type { FetchNode } from '@apollo/query-planner';
import { Kind, type OperationDefinitionNode, type OperationTypeNode, parse, print } from 'graphql';
import type { GraphResult } from '../../subgraphs/_kernel/subgraph.ts';
import { type Data, isObject } from './faults.ts';
import { bodyWriter, variablesText } from './fetch-body.ts';
import { operationOf } from './fields.ts';

/** One request to one subgraph. */
export interface SubgraphCall {
  subgraph: string;
  kind: OperationTypeNode | `${OperationTypeNode}`;
  /** The JSON text to send: what the envelope's hash is taken over. */
  body: string;
}

/** Sends a request to its subgraph. What it answers with is the executor's to keep and to change. */
export type SendCall = (call: SubgraphCall) => Promise<GraphResult>;

/** A question about entities: which fetch asks, about which ones. */
export interface EntityCall {
  fetch: FetchNode;
  /** JSON text of the list of representations. */
  representations: string;
}

interface Waiting extends EntityCall {
  resolve(result: Promise<GraphResult>): void;
}

/**
 * The calls of one run of a plan. Questions about entities that come up in the same turn for the same subgraph are sent
 * as one request, each under an alias of its own, so that none is taken for another's.
 */
export class Calls {
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly send: SendCall;
  private readonly variables: Data;
  private readonly mayMerge: boolean;

  constructor(send: SendCall, variables: Data, mayMerge: boolean) {
    this.send = send;
    this.variables = variables;
    this.mayMerge = mayMerge;
  }

  ask(fetch: FetchNode): Promise<GraphResult> {
    return this.send({
      subgraph: fetch.serviceName,
      kind: fetch.operationKind,
      body: bodyWriter(fetch)(this.variables),
    });
  }

  askEntities(call: EntityCall): Promise<GraphResult> {
    if (!this.mayMerge) return this.sendAlone(call);
    const { serviceName } = call.fetch;
    return new Promise((resolve) => {
      const held = this.waiting.get(serviceName);
      if (held) held.push({ ...call, resolve });
      else {
        this.waiting.set(serviceName, [{ ...call, resolve }]);
        setImmediate(() => this.flush(serviceName));
      }
    });
  }

  private flush(subgraph: string): void {
    const waiting = this.waiting.get(subgraph) ?? [];
    this.waiting.delete(subgraph);
    const merged = waiting.length > 1 ? mergedOperation(waiting.map(({ fetch }) => fetch)) : undefined;
    if (!merged) {
      for (const call of waiting) call.resolve(this.sendAlone(call));
      return;
    }
    const lists = waiting.map(({ representations }, i) => `"r${i}":${representations}`);
    const variables = [variablesText(merged.variables, this.variables), ...lists].filter(Boolean).join(',');
    const together = this.send({ subgraph, kind: 'query', body: `${merged.head}${variables}}}` });
    waiting.forEach((call, i) => {
      call.resolve(
        together.then((result) =>
          // `_entities` may not be null: what broke one of them took the answers of all
          result.data === null && waiting.length > 1 ? this.sendAlone(call) : partOf(result, `_e${i}`),
        ),
      );
    });
  }

  private sendAlone({ fetch, representations }: EntityCall): Promise<GraphResult> {
    const body = bodyWriter(fetch)(this.variables, representations);
    return this.send({ subgraph: fetch.serviceName, kind: 'query', body });
  }
}

/** What of the answer to a merged request is about one of the questions in it. */
function partOf({ data, errors }: GraphResult, alias: string): GraphResult {
  const entities = isObject(data) ? (data as Data)[alias] : undefined;
  const answer = entities === undefined ? {} : { data: { _entities: entities } };
  if (!Array.isArray(errors)) return answer;
  const mine = errors.flatMap((error) => {
    const [first, ...rest] = error?.path ?? [];
    if (first === undefined || !/^_e\d+$/.test(String(first))) return [error];
    return first === alias ? [{ ...error, path: ['_entities', ...rest] }] : [];
  });
  return mine.length > 0 ? { ...answer, errors: mine } : answer;
}

interface Merged {
  /** The request's JSON text up to its variables. */
  head: string;
  variables: readonly string[];
}

/** Merged operations kept; one for each set of fetches that were once sent together. */
const MAX_MERGED = 2_000;
const merged = new Map<string, Merged | null>();
const ids = new WeakMap<FetchNode, number>();
let lastId = 0;

function idOf(fetch: FetchNode): number {
  let id = ids.get(fetch);
  if (!id) {
    id = ++lastId;
    ids.set(fetch, id);
  }
  return id;
}

/** One operation that asks what several fetches ask; undefined if they mean different things by one variable. */
function mergedOperation(fetches: readonly FetchNode[]): Merged | undefined {
  const key = fetches.map(idOf).join(' ');
  let held = merged.get(key);
  if (held === undefined) {
    held = mergeOperations(fetches) ?? null;
    if (merged.size >= MAX_MERGED) merged.delete(merged.keys().next().value as string);
    merged.set(key, held);
  }
  return held ?? undefined;
}

function mergeOperations(fetches: readonly FetchNode[]): Merged | undefined {
  const definitions = new Map<string, string>();
  const selections: string[] = [];
  for (const [i, { operation }] of fetches.entries()) {
    const document = parse(operation, { noLocation: true });
    const { variableDefinitions = [], selectionSet, directives = [] }: OperationDefinitionNode = operationOf(document);
    const [entities, ...others] = selectionSet.selections;
    if (document.definitions.length > 1 || others.length > 0 || directives.length > 0) return undefined;
    if (entities?.kind !== Kind.FIELD || !entities.selectionSet) return undefined;
    for (const definition of variableDefinitions) {
      const name = definition.variable.name.value;
      if (name === 'representations') continue;
      const text = print(definition);
      if ((definitions.get(name) ?? text) !== text) return undefined;
      definitions.set(name, text);
    }
    definitions.set(`r${i}`, `$r${i}:[_Any!]!`);
    selections.push(`_e${i}:_entities(representations:$r${i})${print(entities.selectionSet)}`);
  }
  const query = `query(${[...definitions.values()].join(',')}){${selections.join(' ')}}`;
  const variables = [...new Set(fetches.flatMap(({ variableUsages = [] }) => variableUsages))];
  if (variables.some((name) => /^r\d+$/.test(name))) return undefined;
  return { head: `{"query":${JSON.stringify(query)},"variables":{`, variables };
}
