import type { FetchNode } from '@apollo/query-planner';
import type { Data } from './faults.ts';

/** Writes the JSON text of a request to a subgraph. `representations` is JSON text, too. */
export type WriteBody = (variables: Data, representations?: string) => string;

const known = new WeakMap<FetchNode, WriteBody>();

/** How a fetch's request is written: everything but the variables is written once. */
export function bodyWriter(fetch: FetchNode): WriteBody {
  let writer = known.get(fetch);
  if (!writer) {
    writer = compile(fetch);
    known.set(fetch, writer);
  }
  return writer;
}

function compile({ operation, operationName, variableUsages = [] }: FetchNode): WriteBody {
  const head = `{"query":${JSON.stringify(operation)},"variables":{`;
  const tail = operationName ? `},"operationName":${JSON.stringify(operationName)}}` : '}}';
  return (variables, representations) => {
    const given = variablesText(variableUsages, variables);
    if (representations === undefined) return head + given + tail;
    return `${head}${given}${given && ','}"representations":${representations}${tail}`;
  };
}

/** The members of a JSON object that holds those of the variables that were given. */
export function variablesText(names: readonly string[], variables: Data): string {
  let text = '';
  for (const name of names) {
    const value = Object.hasOwn(variables, name) ? JSON.stringify(variables[name]) : undefined;
    if (value !== undefined) text += `${text && ','}${JSON.stringify(name)}:${value}`;
  }
  return text;
}
