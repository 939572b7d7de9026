import type { FetchNode, PlanNode } from '@apollo/query-planner';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { badInput, ClientError, unauthenticated } from '../schema/errors.ts';
import { FEATURE_KEYS, type Feature } from '../schema/features.ts';
import { unpackPermissions } from '../schema/permissions.ts';
import type { Reply } from '../subgraphs/_kernel/context.ts';
import type { Envelope } from '../subgraphs/_kernel/signed-context.ts';
import type { GraphRequest, GraphResult } from '../subgraphs/_kernel/subgraph.ts';
import { inSpan, type Logger, traceParent } from '../subgraphs/_kernel/telemetry.ts';
import type { Mint } from './ask.ts';
import type { Authenticator, Caller } from './auth.ts';
import type { DataSource } from './data-sources.ts';
import { addWayOut, isDenial, maskError } from './denials.ts';
import { type Operation, prepareOperation } from './execution/operation.ts';
import { executePlan } from './execution/plan.ts';
import { entitlementsAt, type Licenses, type LicenseView } from './licenses.ts';
import { checkEntries, checkQueryText, checkVariables } from './limits.ts';
import type { Supergraph, SupergraphManager } from './supergraph.ts';
import type { Tenants } from './tenants.ts';

type Data = Record<string, unknown>;

/** One request of a client, over whatever door it came. */
export interface ClientRequest extends GraphRequest {
  caller: Caller;
  requestId: string;
  address: string;
  refreshCookie?: string;
}

/** What a client gets, and what the door does besides. */
export interface Answer {
  data?: Data | null;
  errors?: readonly GraphQLFormattedError[];
  /** Set or, with null, clear the cookie of the refresh token. */
  refreshCookie?: { value: string; maxAgeSeconds: number } | null;
}

/** What of an answer a client gets as its body. */
export const toBody = ({ data, errors }: Answer) => ({
  ...(data === undefined ? {} : { data }),
  ...(errors ? { errors } : {}),
});

export interface Parts {
  supergraph: SupergraphManager;
  sources: ReadonlyMap<string, DataSource>;
  mint: Mint;
  auth: Authenticator;
  licenses: Licenses;
  tenants: Tenants;
  subgraphTimeoutMs: number;
  log: Logger;
}

/** Everything a request may take, milliseconds. */
const REQUEST_MS = 10_000;
/** Operations kept ready. */
const MAX_OPERATIONS = 2_000;
/** What their texts may come to, characters; an operation ready to run takes a hundred times its text. */
const MAX_OPERATIONS_TEXT = 1_000_000;
/** A longer one is made ready anew each time, so that strangers cannot push out everybody's with a few of theirs. */
const MAX_KEPT_TEXT = 20_000;

/** Who asks and what their licence says, as it stands for one operation or one event of a stream. */
export interface Standing {
  caller: Caller;
  license: LicenseView | null;
  features: Envelope['features'];
  core: Envelope['core'];
  /** Licensing has been out of reach for too long: gated features are neither granted nor denied. */
  isLicenseUnknown: boolean;
}

/** The graph as its doors use it: makes operations ready, finds out who stands behind a request, runs plans. */
export class Graph {
  readonly parts: Parts;
  private readonly operations = new Map<string, Operation>();
  private operationsText = 0;

  constructor(parts: Parts) {
    this.parts = parts;
    parts.supergraph.onChange(() => {
      this.operations.clear();
      this.operationsText = 0;
    });
  }

  get supergraph(): Supergraph {
    return this.parts.supergraph.current();
  }

  /** The operation of a request, ready to run. Throws one error or several, each with a code. */
  prepare(request: GraphRequest): Operation {
    if (typeof request.query !== 'string' || request.query === '') throw badInput('A request has a query.');
    if (request.variables != null && (typeof request.variables !== 'object' || Array.isArray(request.variables)))
      throw badInput('Variables are an object.');
    const key = `${request.operationName ?? ''}\n${request.query}`;
    let operation = this.operations.get(key);
    if (!operation) {
      checkQueryText(request.query);
      operation = this.makeReady(request);
      if (key.length <= MAX_KEPT_TEXT) this.keep(key, operation);
    }
    return operation;
  }

  private makeReady({ query, operationName }: GraphRequest): Operation {
    try {
      return prepareOperation(this.supergraph, query, operationName);
    } catch (error) {
      if (error instanceof RangeError) throw new ClientError('OPERATION_LIMIT', 'The document is nested too deeply.'); // the parser's stack
      throw error;
    }
  }

  /** Keeps an operation ready in the place of the oldest ones. */
  private keep(key: string, operation: Operation): void {
    this.operations.set(key, operation);
    this.operationsText += key.length;
    for (const oldest of this.operations.keys()) {
      if (this.operations.size <= MAX_OPERATIONS && this.operationsText <= MAX_OPERATIONS_TEXT) break;
      this.operations.delete(oldest);
      this.operationsText -= oldest.length;
    }
  }

  /** Runs a query or mutation. Never throws: what goes wrong is an error in the answer. */
  async execute(request: ClientRequest): Promise<Answer> {
    try {
      const operation = this.prepare(request);
      if (operation.kind === 'subscription')
        throw badInput(
          'A subscription is opened over WebSocket, or with Accept: text/event-stream or multipart/mixed.',
        );
      return await inSpan(
        'graphql',
        { attributes: { 'graphql.operation.name': operation.name, 'graphql.operation.type': operation.kind } },
        async () => this.run(operation, request, await this.standingOf(request.caller)),
      );
    } catch (error) {
      return { errors: this.errorsOf(error) };
    }
  }

  /** What the caller's tenant and licence say now. Throws UNAUTHENTICATED when the caller or its tenant was stopped. */
  async standingOf(asked: Caller): Promise<Standing> {
    const { auth, licenses, tenants } = this.parts;
    const caller = await auth.renew(asked);
    if (!caller.tenantId) return { caller, license: null, features: {}, core: 'FULL', isLicenseUnknown: false };
    const tenant = await tenants.get(caller.tenantId);
    if (!tenant) throw unauthenticated('REVOKED');
    if (tenant.accessMode === 'BLOCKED') return blocked(caller);
    try {
      const license = await licenses.get(caller.tenantId);
      return { caller, license, ...entitlementsAt(license, new Date()), isLicenseUnknown: false };
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return { caller, license: null, features: {}, core: 'FULL', isLicenseUnknown: true };
    }
  }

  /** Runs an operation's plan and writes its answer. */
  async run(
    operation: Operation,
    request: ClientRequest,
    standing: Standing,
    event?: { primary: FetchNode; result: GraphResult; rest?: PlanNode },
  ): Promise<Answer> {
    checkVariables(request.variables);
    const { values, errors: faults } = operation.variables(request.variables ?? {});
    if (faults.length > 0) return { errors: this.errorsOf(faults) };
    checkEntries(this.supergraph.schema, operation.document, values);
    if (operation.isIntrospection && standing.caller.kind === 'ANONYMOUS' && !this.allowsAnonymousIntrospection)
      throw unauthenticated();
    const root: Data = {};
    const errors: GraphQLFormattedError[] = [];
    const reply: Pick<Answer, 'refreshCookie'> = {};
    const send = this.sender(request, standing, reply);
    const execution = {
      schema: this.supergraph.schema,
      variables: { ...values, ...request.variables },
      root,
      errors,
      send: event
        ? async (fetch: FetchNode, variables: Data) => (fetch === event.primary ? event.result : send(fetch, variables))
        : send,
    };
    const node = event
      ? ({ kind: 'Sequence', nodes: [event.primary, ...(event.rest ? [event.rest] : [])] } as PlanNode)
      : (operation.plan.node as PlanNode | undefined);
    if (node) await executePlan(node, execution);
    const explained = errors.map((error) => error.path ?? []);
    const completed = operation.complete({ ...root, ...operation.introspect(values) }, values, (path) =>
      explained.some((known) => isPrefix(known, path) || isPrefix(path, known)),
    );
    const all = [...errors.map(maskError), ...completed.errors.map((error) => maskError(error.toJSON()))];
    return {
      data: completed.data,
      ...(all.length > 0 ? { errors: await this.withWayOut(all, standing) } : {}),
      ...reply,
    };
  }

  /** How fetches of one request reach their subgraphs. */
  private sender(request: ClientRequest, standing: Standing, reply: Pick<Answer, 'refreshCookie'>) {
    const deadline = Date.now() + REQUEST_MS;
    return async (fetch: FetchNode, variables: Data): Promise<GraphResult> => {
      const source = this.sourceOf(fetch.serviceName);
      const left = Math.min(this.parts.subgraphTimeoutMs, deadline - Date.now());
      if (left <= 0) throw new ClientError('SUBGRAPH_TIMEOUT', 'This took too long. Please try again.');
      return inSpan(`fetch ${source.name}`, { attributes: { 'dotmac.subgraph': source.name } }, async () => {
        const body = bodyOf(fetch, variables);
        const result = await source.execute(
          body,
          this.seal(source.name, body, request, standing, Date.now() + left),
          left,
        );
        const said = (result.extensions?.reply ?? {}) as Reply;
        if (source.name === 'identity' && said.refreshCookie !== undefined) reply.refreshCookie = said.refreshCookie;
        await this.hear(said.told);
        return result;
      });
    };
  }

  /** Reads the feeds a mutation wrote to, so that its caller's next request here sees what it did. */
  private async hear(told: Reply['told'] = []): Promise<void> {
    const { licenses, auth, tenants } = this.parts;
    const feeds = { licenses, grants: auth, tenants };
    await Promise.allSettled(told.map((feed) => feeds[feed].refresh()));
  }

  sourceOf(name: string): DataSource {
    const source = this.parts.sources.get(name);
    if (!source)
      throw new ClientError(
        'SUBGRAPH_UNAVAILABLE',
        'A part of the answer is not available right now. Please try again.',
      );
    return source;
  }

  /** The signed envelope for one call to one subgraph. */
  seal(
    audience: string,
    body: string,
    request: ClientRequest,
    { caller, license, features, core }: Standing,
    deadline: number,
  ): string {
    const envelope: Envelope = {
      caller: { kind: caller.kind, id: caller.userId },
      tenantId: caller.tenantId,
      ...(caller.sessionId ? { sessionId: caller.sessionId } : {}),
      ...(caller.membershipId ? { membershipId: caller.membershipId } : {}),
      ...(caller.customerId ? { customerId: caller.customerId } : {}),
      ...(caller.strongAt ? { strongAt: caller.strongAt } : {}),
      permissions: caller.permissions,
      features,
      core,
      licenseVersion: license?.version ?? 0,
      deadline,
      trace: traceParent(),
      requestId: request.requestId,
      address: request.address,
      ...(audience === 'identity' && request.refreshCookie ? { refreshCookie: request.refreshCookie } : {}),
    };
    return this.parts.mint(envelope, audience, body);
  }

  /** Errors as clients may see them. */
  errorsOf(thrown: unknown): GraphQLFormattedError[] {
    return [thrown].flat().map((error) => {
      if (error instanceof GraphQLError) {
        const shown = error.extensions.code
          ? error.toJSON()
          : { ...error.toJSON(), extensions: { code: 'BAD_USER_INPUT' } };
        return maskError(shown);
      }
      this.parts.log.error({ err: error }, 'unexpected error');
      return maskError({ message: '' });
    });
  }

  /** What a denial's client should know beyond the denial. */
  async withWayOut(
    errors: readonly GraphQLFormattedError[],
    standing: Standing,
  ): Promise<readonly GraphQLFormattedError[]> {
    if (!errors.some(isDenial)) return errors;
    if (standing.isLicenseUnknown) {
      const unknown = new ClientError(
        'SUBGRAPH_UNAVAILABLE',
        'The licence cannot be read right now. Please try again.',
      ).toJSON();
      return errors.map((error) =>
        isDenial(error) ? { ...unknown, ...(error.path ? { path: error.path } : {}) } : error,
      );
    }
    const offers = await this.parts.licenses.offers().catch(() => undefined);
    return offers ? errors.map((error) => addWayOut(error, offers, standing.license?.plan)) : errors;
  }

  /** The first feature a stream needs that the licence does not open now, with the reason. */
  lostFeature(operation: Operation, standing: Standing): { feature: Feature; reason: string } | undefined {
    for (const feature of operation.rootFeatures) {
      const held = standing.features[feature];
      if (!held || held.access === 'NONE')
        return { feature, reason: held?.reason ?? (standing.license ? 'NOT_IN_PLAN' : 'NO_LICENSE') };
    }
    return undefined;
  }

  /** Set in development, so that codegen and explorers need no token. */
  allowsAnonymousIntrospection = false;
}

/** The text of a subgraph request: what the envelope's hash is taken over. */
export function bodyOf(fetch: FetchNode, variables: Data): string {
  return JSON.stringify({
    query: fetch.operation,
    variables,
    ...(fetch.operationName ? { operationName: fetch.operationName } : {}),
  });
}

/** In a suspended tenant only those who can pay its licence get in, and they may look. */
function blocked(caller: Caller): Standing {
  if (!unpackPermissions(caller.permissions)('licensing.license.change')) throw unauthenticated('REVOKED');
  const features = Object.fromEntries(
    FEATURE_KEYS.map((feature) => [feature, { access: 'NONE', reason: 'SUSPENDED' }]),
  ) as Standing['features'];
  return { caller, license: null, features, core: 'READ', isLicenseUnknown: false };
}

const isPrefix = (short: readonly (string | number)[], long: readonly (string | number)[]) =>
  short.length <= long.length && short.every((part, i) => part === long[i]);
