import { randomUUID } from 'node:crypto';
import { ClientError } from '../schema/errors.ts';
import { anonymousEnvelope, type Envelope } from '../subgraphs/_kernel/signed-context.ts';
import { traceParent } from '../subgraphs/_kernel/telemetry.ts';
import type { DataSource } from './data-sources.ts';

export type Mint = (envelope: Envelope, audience: string, body: string) => string;

/** Asks a subgraph something for the gateway itself, through doors no client can reach. */
export type Ask = <T>(
  subgraph: string,
  query: string,
  variables?: Record<string, unknown>,
  timeoutMs?: number,
) => Promise<T>;

const TIMEOUT_MS = 3_000;

export function createAsk(sources: ReadonlyMap<string, DataSource>, mint: Mint): Ask {
  return async <T>(
    subgraph: string,
    query: string,
    variables: Record<string, unknown> = {},
    timeoutMs = TIMEOUT_MS,
  ) => {
    const source = sources.get(subgraph);
    if (!source)
      throw new ClientError('SUBGRAPH_UNAVAILABLE', 'This part is not available right now. Please try again.');
    const body = JSON.stringify({ query, variables });
    const envelope: Envelope = {
      ...anonymousEnvelope(),
      caller: { kind: 'GATEWAY', id: null },
      deadline: Date.now() + timeoutMs,
      trace: traceParent(),
      requestId: randomUUID(),
    };
    const { data, errors } = await source.execute(body, mint(envelope, subgraph, body), { timeoutMs });
    if (errors?.length || !data)
      throw new ClientError(
        'SUBGRAPH_UNAVAILABLE',
        errors?.[0]?.message ?? 'This part is not available right now. Please try again.',
      );
    return data as T;
  };
}

/** Tells identity that a holder of grants in this gateway has everything up to a place in their feed. */
export async function confirmGrants(ask: Ask, nodeId: string, seq: number): Promise<void> {
  await ask('identity', 'mutation($nodeId: String!, $seq: Int!) { confirmGrants(nodeId: $nodeId, seq: $seq) }', {
    nodeId,
    seq,
  });
}
