import { buildSubgraphSchema } from '@apollo/subgraph';
import { printSchemaWithDirectives } from '@graphql-tools/utils';
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLFormattedError,
  type GraphQLObjectType,
  type GraphQLSchema,
  type GraphQLUnionType,
  getNamedType,
  getOperationAST,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import { buildSchema, createResolversMap, type NonEmptyArray } from 'type-graphql';
import { DIRECTIVE_DEFINITIONS, type DoorMarks, LICENSING_SPEC } from '../../schema/directives.ts';
import { badInput, ClientError } from '../../schema/errors.ts';
import type { EventName, LoggedEvent } from '../../schema/events.ts';
import type { Feature } from '../../schema/features.ts';
import { DateTime } from '../../schema/scalars.ts';
import { Context, type Machinery, type Reply } from './context.ts';
import { formatError } from './format-error.ts';
import { enter, gateSchema } from './gate.ts';
import { inTime } from './in-time.ts';
import type { Following } from './live.ts';
import { subgraphSeconds } from './metrics.ts';
import type { SeedWorld } from './seed-world.ts';
import type { Envelope, Verifier } from './signed-context.ts';
import { openSubgraphStream } from './subgraph-stream.ts';
import { continueTrace, inSpan } from './telemetry.ts';

type Class = new (...args: never[]) => object;

/** Resolves an entity another subgraph points at; null for unknown and foreign alike. */
export type ResolveReference = (
  ctx: Context,
  reference: Record<string, unknown> & { id: string },
) => Promise<object | null> | object | null;

/** Hears one kind of event, in a transaction and a tenant of its own, exactly once per event id. */
export type Subscriber<N extends EventName = EventName> = Hearing & {
  event: N;
  hear: (ctx: Context, event: LoggedEvent<N>) => Promise<void>;
};

/** How a subscriber hears. */
export interface Hearing {
  /** Runs even where the licence does not open the domain's feature. */
  isAlwaysOn?: boolean;
  /** Hears the platform's log alone: the same event in an ISP's says nothing to it, and no job is enqueued. */
  isPlatformOnly?: boolean;
  /** Hears what is told while its tenant is suspended; of any other, no job is enqueued. */
  isWhileSuspended?: boolean;
  /** Its jobs go before all others that wait. */
  isUrgent?: boolean;
}

/** Somebody of the example world to sign in as. */
export interface Person {
  userId: string;
  email: string;
  name: string;
  role: string;
  tenant: string;
  /** Whether codes of an authenticator app are asked of them too. */
  hasTotp?: boolean;
}

/** An API key of the example world to ask with. */
export interface ExampleKey {
  keyId: string;
  name: string;
  tenant: string;
  state: string;
}

export interface SubgraphDefinition {
  name: string;
  /** What its background work needs; a job of an unlicensed module does not run. */
  feature?: Feature;
  resolvers: NonEmptyArray<Class>;
  /** Object types no field of this subgraph returns, and nodes of other domains it adds fields to. */
  types?: Class[];
  entities: Class[];
  references?: Record<string, ResolveReference>;
  /** By use case: `{ keepPrimaryContact: hears('billing.customer.created', ...) }`. */
  subscribers?: Record<string, Subscriber>;
  /** Repeated work by use case: when (a cron pattern, UTC) and what, in the platform's tenant, by one process at a time. */
  crons?: Record<string, { pattern: string; run: (ctx: Context) => Promise<void> }>;
  /** Work at an instant by use case, in the tenant that set it with `setTimer`. */
  timers?: Record<string, (ctx: Context) => Promise<unknown>>;
  /** Runs before it serves, in the platform's tenant. */
  onStart?: (ctx: Context) => Promise<void>;
  /** Its rows live at the home of their tenant, and move with it; those of the other domains stay at the control plane. */
  isAtHome?: boolean;
  /** All its doors stay open to those who may settle the affairs of a suspended tenant. */
  isOpenWhileSuspended?: boolean;
  /** Part of the control plane: may enter a tenant it names and read across tenants. */
  isControlPlane?: boolean;
  /** The people of the example world, for the domain that knows them. */
  people?: readonly Person[];
  /** Its API keys, likewise. */
  keys?: readonly ExampleKey[];
  /** Its part of the example world; subgraphs are seeded in the order of `subgraphs/index.ts`. */
  seed?: (world: SeedWorld) => Promise<void>;
  /** What is done once all parts stand; not for tests, which copy one database for each of theirs, and no home beside it. */
  seedLast?: (world: SeedWorld) => Promise<void>;
}

export function hears<N extends EventName>(event: N, hear: Subscriber<N>['hear'], hearing: Hearing = {}): Subscriber {
  return { event, hear, ...hearing } as unknown as Subscriber;
}

export interface GraphRequest {
  query: string;
  variables?: Record<string, unknown> | null;
  operationName?: string | null;
  extensions?: { following?: Following; [name: string]: unknown } | null;
}

function isRequest(value: unknown): value is GraphRequest {
  const isObject = (part: unknown) => typeof part === 'object' && !Array.isArray(part);
  if (!value || !isObject(value)) return false;
  const { query, variables, operationName } = value as Record<string, unknown>;
  return (
    typeof query === 'string' &&
    (variables === undefined || isObject(variables)) &&
    (operationName == null || typeof operationName === 'string')
  );
}

/** An answer, errors already in the form clients may see. */
export interface GraphResult {
  data?: Record<string, unknown> | null;
  errors?: readonly GraphQLFormattedError[];
  extensions?: Record<string, unknown>;
}

export interface Subgraph {
  readonly definition: SubgraphDefinition;
  readonly name: string;
  readonly sdl: string;
  readonly schema: GraphQLSchema;
  /** The schema before federation, whose types and fields still carry their marks. */
  readonly marked: GraphQLSchema;
  /** Types of other domains it adds fields to. */
  readonly foreign: ReadonlySet<string>;
}

const FEDERATION_LINK = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@provides", "@requires", "@override", "@inaccessible", "@tag", "@interfaceObject", "@composeDirective", "@cost", "@listSize"])`;
const LICENSING_LINK = `
  @link(url: "${LICENSING_SPEC}", import: ["@requiresFeature", "@continuity"])
  @composeDirective(name: "@requiresFeature")
  @composeDirective(name: "@continuity")`;

/** type-graphql demands one; our streams bring their own `subscribe`, over the event log. */
const NO_PUB_SUB = {
  publish: () => {
    throw new Error('Events are emitted in a transaction, not published.');
  },
  subscribe: () => {
    throw new Error('A subscription follows the event log.');
  },
};

/** Representations `_entities` takes at once. */
const MAX_REPRESENTATIONS = 1_000;

/**
 * Builds a domain's schema: gated, federated, executable. Throws at start for a door without permission.
 * Definitions are plain data, so the same one serves one process with all subgraphs and a process of its own.
 */
export async function defineSubgraph(definition: SubgraphDefinition): Promise<Subgraph> {
  const marked = await buildSchema({
    resolvers: definition.resolvers as unknown as NonEmptyArray<() => unknown>,
    orphanedTypes: (definition.types ?? []) as never[],
    scalarsMap: [{ type: Date, scalar: DateTime }],
    skipCheck: true,
    validate: false,
    pubSub: NO_PUB_SUB,
    authChecker: () => false, // doors use our own marks; a stray @Authorized lets nobody in
  });
  sizeLists(marked);
  const sdl = `${FEDERATION_LINK}${LICENSING_LINK}\n\n${DIRECTIVE_DEFINITIONS}\n${printTypes(marked)}`;
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: createResolversMap(marked) as never }]);
  attachReferences(schema, marked, definition);
  const foreign = new Set((definition.types ?? []).map(graphName(marked)).filter((name) => name !== undefined));
  gateSchema(schema, marked, foreign, definition.isOpenWhileSuspended ? { whileSuspended: true } : {});
  return { definition, name: definition.name, sdl, schema, marked, foreign };
}

/**
 * Says how long the lists are that look alike everywhere, so that an operation can be priced: a connection's page holds as
 * many entries as `first` asks for, and a mutation is refused for one reason as a rule.
 */
function sizeLists(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap()).filter(isObjectType))
    for (const field of Object.values(type.getFields())) {
      const { name } = getNamedType(field.type);
      const isPaged = name.endsWith('Connection') && field.args.some((argument) => argument.name === 'first');
      const listSize = isPaged ? PAGE_SIZE : name === 'UserError' ? ONE : undefined;
      if (listSize) field.extensions = { ...field.extensions, directives: { listSize } };
    }
}
const PAGE_SIZE = { slicingArguments: ['first'], sizedFields: ['edges', 'nodes'] };
const ONE = { assumedSize: 1 };

/** The SDL of the types with the permission of each door in its description. */
function printTypes(marked: GraphQLSchema): string {
  const copy = printSchemaWithDirectives(marked, { assumeValid: true });
  return copy.replace(/^schema \{[^}]*\}\n*/m, '');
}

const graphName = (schema: GraphQLSchema) => (type: Class) =>
  Object.values(schema.getTypeMap()).find(
    (known) =>
      isObjectType(known) && (known.name === type.name || (known.extensions as { class?: Class }).class === type),
  )?.name;

function attachReferences(schema: GraphQLSchema, marked: GraphQLSchema, { references = {} }: SubgraphDefinition): void {
  for (const [name, resolve] of Object.entries(references)) {
    const type = schema.getType(name) as (GraphQLObjectType & { resolveReference?: unknown }) | undefined;
    if (!type) throw new Error(`There is no type ${name} to resolve references of.`);
    const marks = (marked.getType(name)?.extensions ?? {}) as DoorMarks;
    const resolveReference = async (reference: Record<string, unknown> & { id: string }, ctx: Context) => {
      if (marks.feature) enter(ctx, { feature: marks.feature, signedIn: true }, false, `${name}.id`);
      return resolve(ctx, reference);
    };
    type.resolveReference = resolveReference;
    (type.extensions as Record<string, unknown>).apollo = {
      ...(type.extensions.apollo as object),
      subgraph: { resolveReference },
    };
  }
  const entities = schema.getQueryType()?.getFields()._entities;
  if (!entities) return;
  const resolve = entities.resolve as GraphQLFieldResolver<unknown, Context>;
  const known = new Set((schema.getType('_Entity') as GraphQLUnionType).getTypes().map((type) => type.name));
  entities.resolve = (source, args, ctx, info) => {
    const representations = args.representations as { __typename?: string }[];
    if (ctx.envelope.caller.kind === 'ANONYMOUS' && !ctx.envelope.tenantId) return representations.map(() => null);
    if (representations.length > MAX_REPRESENTATIONS) throw badInput(`At most ${MAX_REPRESENTATIONS} representations.`);
    // Refused before any is looked for: a failure half-way would leave the others without anybody who waits for them.
    if (!representations.every(({ __typename }) => known.has(String(__typename))))
      throw badInput('There is no such entity.');
    return resolve(source, args, ctx, info);
  };
}

interface Prepared {
  document: DocumentNode;
  errors: readonly GraphQLError[];
}

/** Operations remembered per subgraph; the gateway's planner writes few different ones. */
const MAX_PREPARED = 2_000;
/** A longer document is prepared each time, so that what is remembered stays small; characters. */
const MAX_KEPT_LENGTH = 20_000;
const prepared = new WeakMap<Subgraph, Map<string, Prepared>>();

function prepare(subgraph: Subgraph, query: string): Prepared {
  const held = prepared.get(subgraph) ?? new Map<string, Prepared>();
  prepared.set(subgraph, held);
  const known = held.get(query);
  if (known) return known;
  let made: Prepared;
  try {
    const document = parse(query, { maxTokens: 20_000 });
    made = { document, errors: validate(subgraph.schema, document) };
  } catch (error) {
    made = { document: { kind: 'Document', definitions: [] } as never, errors: [error as GraphQLError] };
  }
  if (query.length > MAX_KEPT_LENGTH) return made;
  if (held.size >= MAX_PREPARED) held.delete(held.keys().next().value as string);
  held.set(query, made);
  return made;
}

/** A subscription at its subgraph. */
export type SubgraphStream = AsyncGenerator<GraphResult>;

/** A subgraph with its database and keys: what answers requests. */
export interface RunningSubgraph {
  readonly name: string;
  readonly subgraph: Subgraph;
  readonly machinery: Machinery;
  /**
   * `body` is the JSON text the envelope is bound to. A query whose asker went away, as `signal` says, is stopped; a
   * mutation runs to its end within its deadline, for its asker may come back with its key to hear what became of it.
   */
  execute(body: string, envelope: string | undefined, signal?: AbortSignal): Promise<GraphResult>;
  subscribe(body: string, envelope: string | undefined): Promise<SubgraphStream | GraphResult>;
  /** Whether its database answers. */
  isReady(): Promise<boolean>;
}

export function runSubgraph(subgraph: Subgraph, machinery: Machinery, verify: Verifier): RunningSubgraph {
  const admit = (body: string, token: string | undefined) => {
    const envelope = verify(token, subgraph.name, body);
    const request: unknown = JSON.parse(body);
    if (!isRequest(request)) throw badInput('A request is an object with a query.');
    return { envelope, request, ...prepare(subgraph, request.query) };
  };
  const format = (result: ExecutionResult): GraphResult => ({
    ...(result.data === undefined ? {} : { data: result.data as Record<string, unknown> | null }),
    ...(result.errors ? { errors: result.errors.map((error) => formatError(error, machinery.log)) } : {}),
  });
  const refuse = (errors: readonly GraphQLError[]) => format({ errors });
  const timers = {
    ok: subgraphSeconds.labels(subgraph.name, 'ok'),
    errors: subgraphSeconds.labels(subgraph.name, 'errors'),
  };

  const late = () => refuse([new ClientError('SUBGRAPH_TIMEOUT', 'This took too long. Please try again.')]);

  const runOperation = (
    envelope: Envelope,
    request: GraphRequest,
    document: DocumentNode,
    rootValue?: unknown,
    signal?: AbortSignal,
  ): Promise<GraphResult> => {
    const ctx = new Context(envelope, machinery);
    return inTime(ctx, signal, () => answer(ctx, request, document, rootValue), late);
  };

  const answer = async (
    ctx: Context,
    request: GraphRequest,
    document: DocumentNode,
    rootValue: unknown,
  ): Promise<GraphResult> => {
    const startedAt = performance.now();
    let outcome: 'ok' | 'errors' = 'errors';
    try {
      const executed = (await execute({
        schema: subgraph.schema,
        document,
        rootValue,
        contextValue: ctx,
        variableValues: request.variables ?? {},
        operationName: request.operationName ?? undefined,
      })) as ExecutionResult;
      if (ctx.isCancelled) return {}; // its errors are of our making, and nobody hears them
      const result = format(executed);
      if (!result.errors) outcome = 'ok';
      const reply = replyOf(ctx, getOperationAST(document, request.operationName)?.operation === 'mutation');
      return reply ? { ...result, extensions: { reply } } : result;
    } finally {
      await ctx.close();
      timers[outcome].observe((performance.now() - startedAt) / 1_000);
    }
  };

  return {
    name: subgraph.name,
    subgraph,
    machinery,
    isReady: () =>
      machinery.db.orm.em
        .fork()
        .execute('select 1')
        .then(
          () => true,
          () => false,
        ),
    async execute(body, token, signal) {
      const { envelope, request, document, errors } = admit(body, token);
      if (errors.length > 0) return refuse(errors);
      const kind = getOperationAST(document, request.operationName)?.operation;
      if (kind === 'subscription') return refuse([badInput('A subscription is asked for as a stream.')]);
      if (envelope.deadline <= Date.now()) return late();
      return continueTrace(envelope.trace, () =>
        inSpan(
          `subgraph ${subgraph.name}`,
          { attributes: { 'graphql.operation.name': request.operationName ?? '' } },
          () => runOperation(envelope, request, document, undefined, kind === 'query' ? signal : undefined),
        ),
      );
    },
    async subscribe(body, token) {
      const { envelope, request, document, errors } = admit(body, token);
      if (errors.length > 0) return refuse(errors);
      if (getOperationAST(document, request.operationName)?.operation !== 'subscription')
        return refuse([badInput('This is not a subscription.')]);
      return openSubgraphStream({
        schema: subgraph.schema,
        document,
        request,
        envelope,
        machinery,
        run: (held, rootValue) => runOperation(held, request, document, rootValue),
        format,
      });
    },
  };
}

/** What goes back to the gateway beside an answer; that of a mutation is its caller's, whatever it looked at. */
function replyOf({ reply }: Context, isMutation: boolean): Reply | undefined {
  if (isMutation) reply.isPersonal = undefined;
  return Object.values(reply).some((value) => value !== undefined) ? reply : undefined;
}
