import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
} from 'graphql';
import { badInput } from '../../schema/errors.ts';
import { Context, type Machinery, type Reply } from './context.ts';
import { interruptible } from './interruptible.ts';
import { type Following, PlacedItem } from './live.ts';
import type { Envelope } from './signed-context.ts';
import type { GraphRequest, GraphResult, SubgraphStream } from './subgraph.ts';
import { continueTrace, inSpan } from './telemetry.ts';

/** How long the fields of one event may take, milliseconds. */
const EVENT_MS = 5_000;

export interface Subscribed {
  schema: GraphQLSchema;
  document: DocumentNode;
  request: GraphRequest;
  envelope: Envelope;
  machinery: Machinery;
  /** Answers an operation with an event as its root. */
  run(envelope: Envelope, rootValue: unknown): Promise<GraphResult>;
  format(result: ExecutionResult): GraphResult;
}

/**
 * Opens a subscription at its door; answers why it stays shut, or the stream. The rights are those of the envelope for as
 * long as it lasts: a gateway whose caller has others now asks anew, behind the place it has come to.
 */
export async function openSubgraphStream(subscribed: Subscribed): Promise<SubgraphStream | GraphResult> {
  const { schema, document, request, envelope, machinery, format } = subscribed;
  const door: Reply = {};
  const ctx = new Context(envelope, machinery, door);
  ctx.following = followingOf(request);
  // What the door read to let the caller in is over once it is open: a stream that waits holds no transaction.
  const opened = await createSourceEventStream({
    schema,
    document,
    contextValue: ctx,
    variableValues: request.variables ?? {},
    operationName: request.operationName ?? undefined,
  }).finally(() => ctx.end());
  if (!(Symbol.asyncIterator in opened)) return format(opened);
  const source = opened[Symbol.asyncIterator]();
  return interruptible(events(source, door, subscribed), () => void source.return?.());
}

async function* events(
  source: AsyncIterator<unknown>,
  door: Reply,
  { envelope, machinery, run, format }: Subscribed,
): AsyncGenerator<GraphResult> {
  const answer = (told: unknown) =>
    continueTrace(envelope.trace, () =>
      inSpan(`event ${machinery.name}`, {}, () => run({ ...envelope, deadline: Date.now() + EVENT_MS }, told)),
    );
  try {
    for (let next = await source.next(); !next.done; next = await source.next())
      yield next.value instanceof PlacedItem ? await placed(next.value, answer, door) : await answer(next.value);
  } catch (error) {
    const shown = error instanceof GraphQLError ? error : new GraphQLError('failed', { originalError: error as Error });
    yield format({ errors: [shown] });
  } finally {
    void source.return?.();
  }
}

/** The answer for an item of a stream, with its place and whether it is the reader's alone. */
async function placed(
  { place, told }: PlacedItem,
  answer: (told: unknown) => Promise<GraphResult>,
  door: Reply,
): Promise<GraphResult> {
  const result: GraphResult = told.length > 0 ? await answer(told[0]) : {};
  const { isPersonal, observed } = { ...door, ...(result.extensions?.reply as Reply | undefined) };
  const reply = isPersonal || observed ? { reply: { isPersonal, observed } } : {};
  return { ...result, extensions: { place, ...reply } };
}

/** How a gateway wants to follow a stream; one that does not say is not told of places. */
function followingOf({ extensions }: GraphRequest): Following | undefined {
  const { following } = extensions ?? {};
  if (!following) return undefined;
  const { after } = following;
  if (after !== undefined && !(Number.isSafeInteger(after) && after >= 0)) throw badInput('A place is a whole number.');
  return after === undefined ? {} : { after };
}
