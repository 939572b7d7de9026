import type { FetchNode, PlanNode } from '@apollo/query-planner';
import type { GraphQLFormattedError } from 'graphql';
import { badInput, ClientError, forbidden, unauthenticated } from '../schema/errors.ts';
import type { Reply } from '../subgraphs/_kernel/context.ts';
import type { Envelope } from '../subgraphs/_kernel/signed-context.ts';
import type { GraphRequest, GraphResult } from '../subgraphs/_kernel/subgraph.ts';
import { inSpan, type Logger, traceParent } from '../subgraphs/_kernel/telemetry.ts';
import { type Admission, createAdmission } from './admission.ts';
import type { ApiCalls } from './api-calls.ts';
import type { Mint } from './ask.ts';
import { type Authenticator, type Caller, principalOf } from './auth.ts';
import type { DataSource } from './data-sources.ts';
import type { DenialLog } from './denial-log.ts';
import type { SendCall } from './execution/calls.ts';
import { bodyWriter } from './execution/fetch-body.ts';
import { type Operation, prepareOperation } from './execution/operation.ts';
import { acceptEvent, type Execution, executePlan } from './execution/plan.ts';
import { FullDoors } from './full-doors.ts';
import type { Hosts } from './hosts.ts';
import type { Licenses } from './licenses.ts';
import { checkQueryText, type Limits } from './limits.ts';
import { observeAnswer, planHits, planMisses, planSeconds, requestsInFlight } from './metrics.ts';
import type { Pacing } from './pacing.ts';
import { type OperationReference, type PersistedOperations, type Warm, warm } from './persisted-operations.ts';
import type { Rates } from './rates.ts';
import { Refusals } from './refusals.ts';
import type { Shedding, Turn } from './shedding.ts';
import { type Standing, standingOf } from './standing.ts';
import type { Supergraph, SupergraphManager } from './supergraph.ts';
import type { Tenants } from './tenants.ts';

type Data = Record<string, unknown>;

/** One request of a client, over whatever door it came. */
export interface ClientRequest extends GraphRequest, Pick<OperationReference, 'id' | 'documentId'> {
  caller: Caller;
  requestId: string;
  address: string;
  /** The portal it comes from, if it is one of those we allow. */
  origin?: string;
  /** What program the client says it is. */
  agent?: string;
  refreshCookie?: string;
  /** Headers passed on to foreign subgraphs: names and values in turn. */
  forwarded?: readonly string[];
  /** Aborted when the client went away; what is still being asked for it is stopped. */
  signal?: AbortSignal;
}

/** What subgraphs said beside their answers, for one answer of ours. */
type Heard = Pick<Answer, 'refreshCookie' | 'isPersonal'> & Pick<Reply, 'observed' | 'isFull'>;

/** What a client gets, and what the door does besides. */
export interface Answer {
  /** The JSON text of its data, when nothing is wrong with it; then there is no other `data`. */
  text?: string;
  data?: Data | null;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Data;
  /** Set or, with null, clear the cookie of the refresh token. */
  refreshCookie?: { value: string; maxAgeSeconds: number } | null;
  /** It may hang on who asked, and not alone on what they may. */
  isPersonal?: true;
}

/** The data of an answer, however it holds them. */
export const dataOf = ({ text, data }: Answer): Data | null | undefined =>
  text === undefined ? data : (JSON.parse(text) as Data);

/** What a client gets as the body of an answer: JSON text, the same on every door. */
export function bodyText({ text, data, errors, extensions }: Answer): string {
  let body = text ?? (data === undefined ? undefined : JSON.stringify(data));
  body = body === undefined ? '' : `"data":${body}`;
  if (errors) body += `${body && ','}"errors":${JSON.stringify(errors)}`;
  if (extensions) body += `${body && ','}"extensions":${JSON.stringify(extensions)}`;
  return `{${body}}`;
}

export interface Parts {
  supergraph: SupergraphManager;
  sources: ReadonlyMap<string, DataSource>;
  /** Signs what is sent to subgraphs; without it they are foreign, and get nothing signed. */
  mint?: Mint;
  auth: Authenticator;
  licenses: Licenses;
  tenants: Tenants;
  /** Whose the names are under which clients come; without it all are everybody's. */
  hosts?: Hosts;
  subgraphTimeoutMs: number;
  /** What one operation may ask; by default what ours may. */
  limits?: Limits;
  /** Charges operations to who sends them; without it nobody is charged. */
  rates?: Rates;
  /** Counts what machines ask; without it nothing is counted. */
  apiCalls?: ApiCalls;
  /** Turns away what is too much to finish; without it everything is begun. */
  shedding?: Shedding;
  /** Begins operations no faster than it pays; for a gateway that turns nobody away. */
  pacing?: Pacing;
  /** Operations known by their id. */
  persisted?: PersistedOperations;
  /** Keeps what the licence denied; without it nobody does. */
  denials?: DenialLog;
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

/** The graph as its doors use it: makes operations ready, finds out who stands behind a request, runs plans. */
export class Graph {
  readonly parts: Parts;
  readonly admission: Admission;
  readonly refusals: Refusals;
  private readonly fullDoors = new FullDoors();
  /** Persisted operations by their id, over each supergraph they were made ready for. */
  private readonly warmed = new WeakMap<Supergraph, Warm['ready']>();
  private readonly operations = new Map<string, Operation>();
  private operationsText = 0;

  constructor(parts: Parts) {
    this.parts = parts;
    this.admission = createAdmission(parts.rates, parts.limits);
    this.refusals = new Refusals(parts);
    parts.supergraph.onChange(() => {
      this.operations.clear();
      this.operationsText = 0;
    });
  }

  get supergraph(): Supergraph {
    return this.parts.supergraph.current();
  }

  /** Makes persisted operations ready over a supergraph, be it one that is not served yet; logs which it cannot answer. */
  async warmUp(supergraph = this.supergraph): Promise<void> {
    const { ready, refused } = await warm(supergraph, this.parts.persisted?.all() ?? [], this.admission.limits);
    this.warmed.set(supergraph, ready);
    if (refused.size > 0)
      this.parts.log.warn({ refused: Object.fromEntries(refused) }, 'persisted operations cannot run');
  }

  /**
   * The operation of a request, admitted but not planned. Throws one error or several, each with a code. Whoever sends
   * a text that is refused is charged for the work.
   */
  prepare(request: ClientRequest): Operation {
    if (request.variables != null && (typeof request.variables !== 'object' || Array.isArray(request.variables)))
      throw badInput('Variables are an object.');
    if (request.operationName != null && typeof request.operationName !== 'string')
      throw badInput('The name of an operation is a text.');
    const { query, persisted } = this.textOf(request);
    const held = persisted && this.warmed.get(this.supergraph)?.get(persisted.id);
    if (held) {
      planHits.inc();
      return held;
    }
    const operationName = persisted?.name || request.operationName;
    const key = `${operationName ?? ''}\n${query}`;
    let operation = this.operations.get(key);
    if (operation) planHits.inc();
    else {
      planMisses.inc();
      const startedAt = performance.now();
      this.admission.refuseIfEmpty(request);
      try {
        checkQueryText(query);
        operation = this.makeReady(query, operationName);
      } catch (error) {
        this.admission.chargeRefusal(request);
        throw error;
      }
      planSeconds.observe((performance.now() - startedAt) / 1_000);
      if (key.length <= MAX_KEPT_TEXT) this.keep(key, operation);
    }
    return operation;
  }

  /** The text a request sends, or the one that its id stands for. */
  private textOf(request: ClientRequest): ReturnType<PersistedOperations['resolve']> {
    if (this.parts.persisted) return this.parts.persisted.resolve(request, request.caller);
    if (typeof request.query !== 'string' || request.query === '') throw badInput('A request has a query.');
    return { query: request.query };
  }

  private makeReady(query: string, operationName: string | null | undefined): Operation {
    try {
      return prepareOperation(this.supergraph, query, operationName, this.admission.limits);
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
    const startedAt = performance.now();
    requestsInFlight.inc();
    let operation: Operation | undefined;
    const answer = await this.tryToExecute(request, (found) => {
      operation = found;
    });
    requestsInFlight.dec();
    observeAnswer(operation, request.caller.kind === 'ANONYMOUS', answer, performance.now() - startedAt);
    return answer;
  }

  private async tryToExecute(request: ClientRequest, found: (operation: Operation) => void): Promise<Answer> {
    let turn: Turn | undefined;
    let isRun = false;
    try {
      const entered = (this.parts.shedding ?? this.parts.pacing)?.enter(request);
      turn = entered instanceof Promise ? await entered : entered;
      const operation = this.prepare(request);
      found(operation);
      this.fullDoors.refuseIfShut(operation);
      if (operation.kind === 'subscription')
        throw badInput(
          'A subscription is opened over WebSocket, or with Accept: text/event-stream or multipart/mixed.',
        );
      return await inSpan(
        'graphql',
        { attributes: { 'graphql.operation.name': operation.name, 'graphql.operation.type': operation.kind } },
        async () => {
          const admitted = await this.admission.admit(operation, request);
          if (admitted.errors) return this.refusals.answerTo(admitted);
          const standing = await standingOf(this.parts, request.caller);
          const refused = await this.countCall(standing);
          if (refused) return refused;
          isRun = true;
          if (operation.isQueued) turn = void turn?.end(false); // it waits elsewhere
          const answer = await this.run(operation, request, standing, undefined, admitted.values);
          if (admitted.extensions) answer.extensions = admitted.extensions;
          return answer;
        },
      );
    } catch (error) {
      return { errors: this.refusals.errorsOf(error) };
    } finally {
      turn?.end(isRun);
    }
  }

  /** Counts an accepted operation where its caller's are counted; the answer to one the licence leaves no room for. */
  async countCall(standing: Standing): Promise<Answer | undefined> {
    try {
      await this.parts.rates?.takeTurn(standing.caller);
      await this.parts.apiCalls?.take(standing.caller);
      return undefined;
    } catch (error) {
      return { errors: await this.refusals.withWayOut(this.refusals.errorsOf(error), standing) };
    }
  }

  /** Runs an admitted operation's plan and writes its answer. Without its coerced variables it makes them anew. */
  async run(
    operation: Operation,
    request: ClientRequest,
    standing: Standing,
    event?: { primary: FetchNode; result: GraphResult; rest?: PlanNode },
    values: Data = operation.variables(request.variables ?? {}).values,
  ): Promise<Answer> {
    if (operation.isIntrospection && !this.allowsAnonymousIntrospection) refuseStrangers(standing.caller);
    const errors: GraphQLFormattedError[] = [];
    const reply: Heard = {};
    const execution: Execution = {
      schema: operation.schema,
      variables: request.variables ? { ...values, ...request.variables } : values,
      root: operation.isIntrospection ? operation.introspect(values) : {},
      errors,
      send: this.sender(request, standing, reply),
    };
    if (event) {
      acceptEvent(event.primary, event.result, execution);
      reply.observed = (event.result.extensions?.reply as Reply | undefined)?.observed;
    }
    const node = event ? event.rest : (operation.plan.node as PlanNode | undefined);
    if (node) await executePlan(node, execution);
    const { observed, isFull, ...heard } = reply;
    if (observed) this.parts.denials?.noteObserved(observed, standing, event ? operation.rootFeatures : []);
    if (isFull) this.fullDoors.shut(operation);
    const text = execution.isFaulty ? undefined : operation.write(execution.root, values);
    if (text !== undefined) return { text, ...heard };
    const completed = operation.complete(execution.root, values);
    const all = [...errors, ...completed.errors.map((error) => error.toJSON())].map((error) =>
      this.refusals.mask(error),
    );
    return {
      data: completed.data,
      ...(all.length > 0 ? { errors: await this.refusals.withWayOut(all, standing) } : {}),
      ...heard,
    };
  }

  /** How the requests of one operation reach their subgraphs. */
  private sender(request: ClientRequest, standing: Standing, reply: Heard): SendCall {
    const deadline = Date.now() + REQUEST_MS;
    return async ({ subgraph, kind, body }) => {
      const source = this.sourceOf(subgraph);
      const timeoutMs = Math.min(this.parts.subgraphTimeoutMs, deadline - Date.now());
      if (timeoutMs <= 0) throw new ClientError('SUBGRAPH_TIMEOUT', 'This took too long. Please try again.');
      return inSpan(`fetch ${subgraph}`, { attributes: { 'dotmac.subgraph': subgraph } }, async () => {
        const envelope = this.seal(subgraph, body, request, standing, Date.now() + timeoutMs);
        const result = await source.execute(body, envelope, {
          timeoutMs,
          isMutation: kind === 'mutation',
          headers: request.forwarded,
          signal: request.signal,
        });
        const said = result.extensions?.reply as Reply | undefined;
        if (!said || !envelope) return result;
        if (said.isPersonal) reply.isPersonal = true;
        if (said.isFull) reply.isFull = true;
        if (said.observed) reply.observed = { ...said.observed, ...reply.observed };
        if (subgraph === 'identity' && said.refreshCookie !== undefined) reply.refreshCookie = said.refreshCookie;
        if (said.told) await this.hear(said.told);
        return result;
      });
    };
  }

  /** Reads the feeds a mutation wrote to, so that its caller's next request here sees what it did. */
  private async hear(told: NonNullable<Reply['told']>): Promise<void> {
    const { licenses, auth, tenants, hosts } = this.parts;
    const feeds = { licenses, grants: auth, tenants, hosts };
    await Promise.allSettled(told.map((feed) => feeds[feed]?.refresh()));
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
    standing: Standing,
    deadline: number,
  ): string | undefined {
    if (!this.parts.mint) return undefined;
    const { caller, license, features, core, coreReason, observed } = standing;
    const { isReadOnly, placementVersion, suspended } = standing;
    const envelope: Envelope = {
      caller: { kind: caller.kind, id: principalOf(caller) ?? null },
      tenantId: caller.tenantId,
      ...(caller.actingFor ? { actingFor: caller.actingFor } : {}),
      // An impersonation is nobody's session: whoever acts changes none.
      ...(caller.sessionId && !caller.actingFor ? { sessionId: caller.sessionId } : {}),
      ...(caller.membershipId ? { membershipId: caller.membershipId } : {}),
      ...(caller.customerId ? { customerId: caller.customerId } : {}),
      ...(caller.strongAt ? { strongAt: caller.strongAt } : {}),
      ...(caller.proofs.length > 0 ? { proofs: caller.proofs } : {}),
      ...(caller.mustDo.length > 0 ? { mustDo: caller.mustDo } : {}),
      permissions: caller.permissions,
      features,
      core,
      ...(coreReason ? { coreReason } : {}),
      ...(observed ? { observed } : {}),
      licenseVersion: license?.version ?? 0,
      ...(isReadOnly ? { isReadOnly } : {}),
      ...(placementVersion ? { placementVersion } : {}),
      ...(suspended ? { suspended } : {}),
      deadline,
      trace: traceParent(),
      requestId: request.requestId,
      address: request.address,
      ...(audience === 'tenancy' && caller.provedMail ? { provedMail: caller.provedMail } : {}),
      ...(audience === 'identity'
        ? { origin: request.origin, agent: request.agent, refreshCookie: request.refreshCookie }
        : {}),
    };
    return this.parts.mint(envelope, audience, body);
  }

  /** Set in development, so that codegen and explorers need no token. */
  allowsAnonymousIntrospection = false;
}

/** The text of a subgraph request: what the envelope's hash is taken over. */
export const bodyOf = (fetch: FetchNode, variables: Data): string => bodyWriter(fetch)(variables);

/** The schema is shown to developers who have signed in, and to no subscriber of theirs. */
function refuseStrangers({ kind, customerId }: Caller): void {
  if (kind === 'ANONYMOUS') throw unauthenticated();
  if (customerId !== null) throw forbidden('The schema is not shown here.');
}
