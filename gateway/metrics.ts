import type { GraphQLFormattedError } from 'graphql';
import { type ClientError, ERROR_CODES, type ErrorCode } from '../schema/errors.ts';
import { counter, gauge, histogram, resolvedOnce } from '../subgraphs/_kernel/metrics.ts';
import type { DataSource } from './data-sources.ts';
import type { Answer } from './graph.ts';

const CODES = new Set<unknown>(ERROR_CODES);
const isErrorCode = (code: unknown): code is ErrorCode => CODES.has(code);

export type OperationKind = 'query' | 'mutation' | 'subscription';
/** `refused`: the caller may not, or asked wrongly. `failed`: we could not. `partial`: something is missing. */
export type Outcome = 'ok' | 'partial' | 'refused' | 'failed';

const apiSeconds = histogram('dotmac_api_duration_seconds', 'Operations of clients, by kind and outcome.', [
  'kind',
  'outcome',
]);
const operations = counter('dotmac_gateway_operations_total', 'Operations of clients, by name.', [
  'operation',
  'kind',
  'outcome',
]);
const operationSeconds = histogram('dotmac_gateway_operation_duration_seconds', 'Operations of clients, by name.', [
  'operation',
]);

/** Operations that have figures of their own; all further ones share those of `other`. */
const MAX_NAMES = 200;
/** How many of them strangers may take, so that nobody's figures are pushed out by made-up names. */
const MAX_NAMES_OF_STRANGERS = 20;
/** A longer name is no name a team would look for; characters. */
const MAX_NAME = 80;

interface Meter {
  seconds: { observe(seconds: number): void };
  counts: (outcome: string) => { inc(): void };
}

const meterOf = resolvedOnce(
  (label): Meter => ({
    seconds: operationSeconds.labels(label.slice(label.indexOf(' ') + 1)),
    counts: resolvedOnce((outcome) => {
      const [kind = '', name = ''] = label.split(' ');
      return operations.labels(name, kind, outcome);
    }),
  }),
);
const apiMeterOf = resolvedOnce((label) => {
  const [kind = '', outcome = ''] = label.split(' ');
  return apiSeconds.labels(kind, outcome);
});

const named = new Set<string>();
let namedByStrangers = 0;

/** The name an operation is counted under. */
function nameOf(name: string | undefined, isStranger: boolean): string {
  if (!name || name.length > MAX_NAME) return 'other';
  if (named.has(name)) return name;
  if (named.size >= MAX_NAMES || (isStranger && namedByStrangers >= MAX_NAMES_OF_STRANGERS)) return 'other';
  named.add(name);
  if (isStranger) namedByStrangers += 1;
  return name;
}

/**
 * Counts one operation of a client, whatever door it came through.
 * @param isStranger nobody is signed in: the name may be made up.
 */
export function observeOperation(
  operation: { name?: string | undefined; kind: OperationKind },
  isStranger: boolean,
  outcome: Outcome,
  ms: number,
): void {
  const { kind } = operation;
  const meter = meterOf(`${kind} ${nameOf(operation.name, isStranger)}`);
  const seconds = ms / 1_000;
  apiMeterOf(`${kind} ${outcome}`).observe(seconds);
  meter.seconds.observe(seconds);
  meter.counts(outcome).inc();
}

const OUR_FAULT = new Set<unknown>([
  'SUBGRAPH_TIMEOUT',
  'SUBGRAPH_UNAVAILABLE',
  'OVERLOADED',
  'INTERNAL',
] satisfies ErrorCode[]);

/** How an answer counts: partial when it holds anything beside its errors. */
export function outcomeOf(
  data: Record<string, unknown> | null | undefined,
  errors: readonly GraphQLFormattedError[] | undefined,
): Outcome {
  if (!errors || errors.length === 0) return 'ok';
  for (const key in data) if (data[key] !== null && key !== '__typename') return 'partial';
  return errors.some((error) => OUR_FAULT.has(error.extensions?.code)) ? 'failed' : 'refused';
}

/**
 * Counts one answered operation of a client.
 * @param operation undefined when what was sent is none that could be run.
 */
export function observeAnswer(
  operation: { name?: string | undefined; kind: OperationKind } | undefined,
  isStranger: boolean,
  { text, data, errors }: Answer,
  ms: number,
): void {
  const outcome = text === undefined ? outcomeOf(data, errors) : 'ok';
  observeOperation(operation ?? UNKNOWN, isStranger, outcome, ms);
  if (outcome === 'refused' && data === undefined) observeRefusal(errors?.[0]?.extensions?.code);
}
const UNKNOWN = { kind: 'query' } as const;

const subgraphSeconds = histogram(
  'dotmac_gateway_subgraph_duration_seconds',
  'Calls of subgraphs as the gateway sees them, by outcome: ok, errors, timeout, unavailable.',
  ['subgraph', 'outcome'],
);
const subgraphMeterOf = resolvedOnce((subgraph) =>
  resolvedOnce((outcome) => subgraphSeconds.labels(subgraph, outcome)),
);

/** The same subgraph, every call of which is timed. */
export function timed(source: DataSource): DataSource {
  const meterOf = subgraphMeterOf(source.name);
  return {
    ...source,
    async execute(...asked) {
      const startedAt = performance.now();
      let outcome = 'unavailable';
      try {
        const result = await source.execute(...asked);
        outcome = result.errors ? 'errors' : 'ok';
        return result;
      } catch (error) {
        if ((error as ClientError).code === 'SUBGRAPH_TIMEOUT') outcome = 'timeout';
        throw error;
      } finally {
        meterOf(outcome).observe((performance.now() - startedAt) / 1_000);
      }
    },
  };
}

const refusals = counter('dotmac_gateway_refusals_total', 'Requests that were not let in, by code.', ['code']);
const refusalMeterOf = resolvedOnce((code) => refusals.labels(code));
/** Counts a request that was not let in. */
export const observeRefusal = (code: unknown): void => refusalMeterOf(isErrorCode(code) ? code : 'INTERNAL').inc();

const rateLimited = counter(
  'dotmac_gateway_rate_limited_total',
  'Requests refused for their rate, by whose bucket was empty: user, tenant, address.',
  ['scope'],
);
const rateLimitedMeterOf = resolvedOnce((scope) => rateLimited.labels(scope));
/** Counts a request refused for its rate. */
export const observeRateLimited = (scope: string): void => rateLimitedMeterOf(scope).inc();

export const shed = counter('dotmac_gateway_shed_total', 'Requests refused to keep the rest fast, by reason.', [
  'reason',
]);

export const requestsInFlight = gauge('dotmac_gateway_requests_in_flight', 'Operations that run now.');

export const circuitState = gauge(
  'dotmac_gateway_circuit_state',
  'Whether a subgraph is given a rest: 0 it is asked, 1 it is not.',
  ['subgraph'],
);

export const streamsOpen = gauge('dotmac_gateway_streams_open', 'Open subscriptions, by door.', ['door']);
export const streamEvents = counter('dotmac_gateway_stream_events_total', 'Events sent to subscribers, by door.', [
  'door',
]);
export const streamDrops = counter(
  'dotmac_gateway_stream_drops_total',
  'Events a slow reader did not get because a newer one took their place, by door.',
  ['door'],
);
export const streamEnds = counter('dotmac_gateway_stream_ends_total', 'Subscriptions that ended, by door and reason.', [
  'door',
  'reason',
]);
export const sourcesOpen = gauge('dotmac_gateway_sources_open', 'Upstream subscriptions that streams share.');

/** Operations looked for among those that are ready to run: `hit` or `miss`. */
const planLookups = counter(
  'dotmac_gateway_plan_cache_total',
  'Operations that were ready to run (hit) or not (miss).',
  ['result'],
);
export const planHits = planLookups.labels('hit');
export const planMisses = planLookups.labels('miss');
export const planSeconds = histogram(
  'dotmac_gateway_plan_duration_seconds',
  'Making an operation ready to run: parsing, checking, planning.',
);

const authentications = histogram(
  'dotmac_gateway_authentication_duration_seconds',
  'Finding out who asks, by what they show: known_token, new_token or key.',
  ['credential'],
  [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1],
);
export const authenticationSeconds = resolvedOnce((credential: string) => authentications.labels(credential));

export const supergraphLoads = counter(
  'dotmac_gateway_supergraph_loads_total',
  'Supergraphs offered, by outcome: taken or refused.',
  ['outcome'],
);

/** Names of licensing R25. */
export const licenseCacheRequests = counter('dotmac_license_cache_requests', 'Licences looked up.');
export const licenseCacheHits = counter(
  'dotmac_license_cache_hits',
  'Licences found in memory in a copy that was confirmed.',
);
const featureDenials = counter(
  'dotmac_feature_denials_total',
  'What licences denied, once per feature and answer; feature `core` is what a licence that has lapsed leaves shut.',
  ['feature', 'reason', 'plan'],
);
const featureObservations = counter(
  'dotmac_feature_observations_total',
  'What gates that only observe would have denied, once per feature and answer.',
  ['feature', 'plan'],
);

/** Counts one denial; `plan` is that of the licence that denied. */
export function countDenial(denied: {
  feature: string;
  reason: string;
  plan: string | undefined;
  wasObserved: boolean;
}): void {
  const { feature, reason, plan = 'none', wasObserved } = denied;
  if (wasObserved) featureObservations.inc({ feature, plan });
  else featureDenials.inc({ feature, reason, plan });
}

export const denialsLost = counter(
  'dotmac_feature_denials_lost_total',
  'Denials that were counted and told to clients, but of which no record could be kept.',
);
