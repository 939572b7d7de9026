import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { badInput, ClientError, unauthenticated } from '../../schema/errors.ts';
import { FEATURES } from '../../schema/features.ts';
import { interruptible } from '../../subgraphs/_kernel/interruptible.ts';
import type { GraphResult, SubgraphStream } from '../../subgraphs/_kernel/subgraph.ts';
import { inSpan } from '../../subgraphs/_kernel/telemetry.ts';
import { type Answer, bodyOf, type ClientRequest, type Graph, type Standing } from '../graph.ts';
import { nextStepAfter } from '../licenses.ts';
import { checkEntries, checkVariables } from '../limits.ts';

interface SubscriptionNode {
  kind: 'Subscription';
  primary: FetchNode;
  rest?: PlanNode;
}

/** `setTimeout` cannot wait longer, milliseconds. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
/** How long opening a stream at its subgraph may take, milliseconds. */
const OPEN_MS = 30_000;

/**
 * Opens a subscription: follows the primary's stream at its subgraph and, for each event, runs the rest of the plan with
 * the event as the primary's answer. Rights are looked at again for every event, and whenever something about the
 * caller's session, tenant or licence changes: a stream that lost its right ends with one coded error.
 * Never throws: what goes wrong before the stream opens is an answer with errors.
 */
export async function openStream(graph: Graph, request: ClientRequest): Promise<AsyncGenerator<Answer> | Answer> {
  try {
    const operation = graph.prepare(request);
    const node = operation.plan.node as unknown as SubscriptionNode | undefined;
    if (operation.kind !== 'subscription' || node?.kind !== 'Subscription')
      throw badInput('This is not a subscription.');
    checkVariables(request.variables);
    const { values, errors } = operation.variables(request.variables ?? {});
    if (errors.length > 0) return { errors: graph.errorsOf(errors) };
    checkEntries(graph.supergraph.schema, operation.document, values);
    const standing = await graph.standingOf(request.caller);
    refuseIfLost(graph, request, standing);
    const source = graph.sourceOf(node.primary.serviceName);
    const body = bodyOf(node.primary, pick({ ...values, ...request.variables }, node.primary.variableUsages));
    const abort = new AbortController();
    const upstream = await source.subscribe(
      body,
      graph.seal(source.name, body, request, standing, Date.now() + OPEN_MS),
      abort.signal,
    );
    if (!(Symbol.asyncIterator in upstream)) return await refusedBySubgraph(graph, request, standing, node, upstream);
    const renew = (fresh: Standing) =>
      upstream.renew(graph.seal(source.name, body, request, fresh, Date.now() + OPEN_MS));
    return relay(graph, request, node, upstream, renew, standing, abort);
  } catch (error) {
    return { errors: await denied(graph, request, error) };
  }
}

const pick = (from: Record<string, unknown>, names: readonly string[] = []) =>
  Object.fromEntries(names.filter((name) => Object.hasOwn(from, name)).map((name) => [name, from[name]]));

async function denied(graph: Graph, request: ClientRequest, error: unknown): Promise<Answer['errors']> {
  const errors = graph.errorsOf(error);
  const standing = await graph.standingOf(request.caller).catch(() => undefined);
  return standing ? graph.withWayOut(errors, standing) : errors;
}

/** Throws FEATURE_NOT_LICENSED if the licence no longer opens what the stream is about. */
function refuseIfLost(graph: Graph, request: ClientRequest, standing: Standing): void {
  const lost = graph.lostFeature(graph.prepare(request), standing);
  if (!lost) return;
  if (standing.isLicenseUnknown)
    throw new ClientError('SUBGRAPH_UNAVAILABLE', 'The licence cannot be read right now. Please try again.');
  throw new ClientError('FEATURE_NOT_LICENSED', `Your plan does not include ${FEATURES[lost.feature].name}.`, {
    ...lost,
    licenseVersion: standing.license?.version ?? 0,
  });
}

async function refusedBySubgraph(
  graph: Graph,
  request: ClientRequest,
  standing: Standing,
  node: SubscriptionNode,
  result: GraphResult,
): Promise<Answer> {
  const { errors } = await graph.run(graph.prepare(request), request, standing, { primary: node.primary, result });
  return { errors };
}

/** What a subgraph decides by: when it changes, the stream there needs a fresh envelope. */
const rightsOf = ({ caller, features, core }: Standing) => JSON.stringify([caller.permissions.bits, features, core]);

/** Something timed that can be set anew; a wait longer than a timer can hold is taken in steps by whoever is called. */
function alarm(ring: () => void) {
  let timer: NodeJS.Timeout | undefined;
  return {
    clear: () => clearTimeout(timer),
    set(at: number) {
      clearTimeout(timer);
      if (Number.isFinite(at))
        timer = setTimeout(ring, Math.min(LONGEST_WAIT_MS, Math.max(0, at - Date.now()))).unref();
    },
  };
}

function relay(
  graph: Graph,
  request: ClientRequest,
  node: SubscriptionNode,
  upstream: SubgraphStream,
  renew: (standing: Standing) => Promise<void>,
  opened: Standing,
  abort: AbortController,
): AsyncGenerator<Answer> {
  const { auth, licenses, tenants } = graph.parts;
  const { caller } = request;
  let rights = rightsOf(opened);
  let over: { why: unknown } | undefined;
  const end = (why: unknown) => {
    over ??= { why };
    licenseStep.clear();
    tokenEnd.clear();
    for (const stop of stops) stop();
    abort.abort();
    void upstream.return(undefined);
  };

  const recheck = async () => {
    try {
      const standing = await graph.standingOf(caller);
      if (over) return;
      refuseIfLost(graph, request, standing);
      licenseStep.set(nextStepAfter(standing.license, new Date())?.getTime() ?? Number.POSITIVE_INFINITY);
      if (rightsOf(standing) === rights) return;
      rights = rightsOf(standing);
      await renew(standing);
    } catch (error) {
      end(error);
    }
  };
  const licenseStep = alarm(() => void recheck());
  const tokenEnd = alarm(() =>
    caller.expiresAt <= Date.now() ? end(unauthenticated('EXPIRED')) : tokenEnd.set(caller.expiresAt),
  );
  licenseStep.set(nextStepAfter(opened.license, new Date())?.getTime() ?? Number.POSITIVE_INFINITY);
  tokenEnd.set(caller.expiresAt);
  const heard = () => void recheck();
  const stops = [
    auth.onChange(caller, heard),
    ...(caller.tenantId ? [licenses.onChange(caller.tenantId, heard), tenants.onChange(caller.tenantId, heard)] : []),
  ];
  heard(); // of what changed while the stream was opened

  async function* answers(): AsyncGenerator<Answer> {
    try {
      while (!over) {
        const next = await upstream.next();
        if (over || next.done) break;
        yield await inSpan('event', {}, async () => {
          const standing = await graph.standingOf(caller);
          refuseIfLost(graph, request, standing);
          const event = { primary: node.primary, result: next.value, rest: node.rest };
          return graph.run(graph.prepare(request), request, standing, event);
        });
      }
      if (over?.why !== undefined) yield { errors: await denied(graph, request, over.why) };
    } catch (error) {
      yield { errors: await denied(graph, request, error) };
    } finally {
      end(undefined);
    }
  }
  return interruptible(answers(), () => end(undefined));
}
