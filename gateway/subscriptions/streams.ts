import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { badInput, ClientError, unauthenticated } from '../../schema/errors.ts';
import { FEATURES } from '../../schema/features.ts';
import { interruptible } from '../../subgraphs/_kernel/interruptible.ts';
import type { GraphResult } from '../../subgraphs/_kernel/subgraph.ts';
import { inSpan } from '../../subgraphs/_kernel/telemetry.ts';
import { type Answer, bodyOf, type ClientRequest, type Graph, type Standing } from '../graph.ts';
import { nextStepAfter } from '../licenses.ts';

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
    const { values, errors } = operation.variables(request.variables ?? {});
    if (errors.length > 0) return { errors: graph.errorsOf(errors) };
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
    if (!(Symbol.asyncIterator in upstream)) return refusedBySubgraph(graph, request, standing, node, upstream);
    return relay(graph, request, node, upstream, standing, abort);
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

function relay(
  graph: Graph,
  request: ClientRequest,
  node: SubscriptionNode,
  upstream: AsyncGenerator<GraphResult>,
  opened: Standing,
  abort: AbortController,
): AsyncGenerator<Answer> {
  const { auth, licenses, tenants } = graph.parts;
  const { caller } = request;
  let end: (why: unknown) => void = () => undefined;
  const ended = new Promise<{ why: unknown }>((resolve) => {
    end = (why) => resolve({ why });
  });

  let licenseTimer: NodeJS.Timeout | undefined;
  const waitForLicense = ({ license }: Standing) => {
    clearTimeout(licenseTimer);
    const next = nextStepAfter(license, new Date());
    if (next)
      licenseTimer = setTimeout(
        () => void recheck(),
        Math.min(LONGEST_WAIT_MS, next.getTime() - Date.now() + 1),
      ).unref();
  };
  const recheck = async () => {
    try {
      const standing = await graph.standingOf(caller);
      refuseIfLost(graph, request, standing);
      waitForLicense(standing);
    } catch (error) {
      end(error);
    }
  };
  let tokenTimer: NodeJS.Timeout | undefined;
  const waitForToken = () => {
    const left = caller.expiresAt - Date.now();
    if (left <= 0) end(unauthenticated('EXPIRED'));
    else if (Number.isFinite(left)) tokenTimer = setTimeout(waitForToken, Math.min(LONGEST_WAIT_MS, left)).unref();
  };
  waitForLicense(opened);
  waitForToken();
  const heard = () => void recheck();
  const stops = [
    auth.onChange(caller, heard),
    ...(caller.tenantId ? [licenses.onChange(caller.tenantId, heard), tenants.onChange(caller.tenantId, heard)] : []),
  ];

  async function* answers(): AsyncGenerator<Answer> {
    try {
      while (true) {
        const next = await Promise.race([upstream.next(), ended]);
        if ('why' in next) {
          if (next.why !== undefined) yield { errors: await denied(graph, request, next.why) };
          return;
        }
        if (next.done) return;
        const result = next.value;
        yield await inSpan('event', {}, async () => {
          const standing = await graph.standingOf(caller);
          refuseIfLost(graph, request, standing);
          return graph.run(graph.prepare(request), request, standing, {
            primary: node.primary,
            result,
            rest: node.rest,
          });
        });
      }
    } catch (error) {
      yield { errors: await denied(graph, request, error) };
    } finally {
      clearTimeout(licenseTimer);
      clearTimeout(tokenTimer);
      for (const stop of stops) stop();
      abort.abort();
      void upstream.return(undefined);
    }
  }
  return interruptible(answers(), () => end(undefined));
}
