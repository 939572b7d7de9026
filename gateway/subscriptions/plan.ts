import type { FetchNode, PlanNode } from '@apollo/query-planner';
import type { Operation } from '../execution/operation.ts';
import type { ClientRequest } from '../graph.ts';
import type { Position } from './position.ts';

/** A subscription as it is planned: what its subgraph is asked, and what is asked for each event besides. */
export interface Plan {
  operation: Operation;
  /** Its coerced variables. */
  values: Record<string, unknown>;
  primary: FetchNode;
  rest?: PlanNode;
  /** The text its subgraph is asked with. */
  body: string;
}

/** What sources have in common that can be one. */
export const sourceKey = ({ primary, body }: Plan, may: string, opens: string, person: string | undefined): string =>
  [primary.serviceName, may, opens, person ?? '', body].join('\n');

const ids = new WeakMap<Operation, number>();
let lastId = 0;

/** The same for readers whose answers are the same: one operation, as it was made ready, with the same variables. */
export function groupKey({ operation }: Plan, { variables }: ClientRequest): string {
  let id = ids.get(operation);
  if (!id) {
    id = ++lastId;
    ids.set(operation, id);
  }
  return `${id} ${JSON.stringify(variables ?? {})}`;
}

/** The request that is followed by its places, behind one or from how things are. */
export const followed = (body: string, at: Position | undefined): string =>
  `${body.slice(0, -1)},"extensions":{"following":${at ? `{"after":${at.after}}` : '{}'}}}`;
