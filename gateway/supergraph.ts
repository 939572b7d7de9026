import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Schema, SchemaRootKind } from '@apollo/federation-internals';
import { ApolloGateway } from '@apollo/gateway';
import type { QueryPlanner, QueryPlannerConfig } from '@apollo/query-planner';
import { type GraphQLObjectType, type GraphQLSchema, getNamedType, parse, visit } from 'graphql';
import type { Feature } from '../schema/features.ts';
import { QUEUED } from '../schema/tags.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import { type CostDirectives, readCostDirectives } from './cost-directives.ts';
import { type PreparedSupergraph, prepareSupergraph } from './execution/prepare-supergraph.ts';
import type { Stands } from './execution/required-arguments.ts';
import { type Requirements, readRequirements } from './execution/requirements.ts';
import { supergraphLoads } from './metrics.ts';

/** One loaded supergraph: what clients see, and the planner over what subgraphs offer. */
export interface Supergraph {
  id: number;
  sdl: string;
  /** The schema as clients see it. */
  schema: GraphQLSchema;
  /** The schema with what is hidden from clients, by which subgraphs know each other's types. */
  whole: GraphQLSchema;
  apiSchema: Schema;
  planner: QueryPlanner;
  requirements: Requirements;
  /** Fields that are only there for the planner: what they stand for. */
  stands: Stands;
  costs: CostDirectives;
  /** The subgraphs it was composed of, each with the address it gave. */
  subgraphs: readonly { name: string; url: string }[];
  /** The features of the named root fields if every one of them is gated, else none. */
  rootFeatures(operation: string, fields: readonly string[]): readonly Feature[];
  /** Those of the named root fields whose work waits in queues of their own (`Queued`). */
  queuedFields(operation: SchemaRootKind, fields: readonly string[]): readonly string[];
}

/** The planner would write a mutation's fields in another order where it uses a query's fragments again for a subgraph. */
export const PLANNING: QueryPlannerConfig = { reuseQueryFragments: false, debug: { pathsLimit: 1_000 } };

/** How often the file is looked at, milliseconds. */
const WATCH_MS = 1_000;

export interface SupergraphManager {
  current(): Supergraph;
  /** Loads the file again; a broken one is refused and the last good one stays. */
  reload(): Promise<boolean>;
  /** Calls `prepare` with each new supergraph, and waits for it, before it takes the place of the last one. */
  beforeChange(prepare: (next: Supergraph) => Promise<void>): void;
  onChange(heard: (supergraph: Supergraph) => void): void;
  close(): Promise<void>;
}

/**
 * Loads a supergraph from its file and keeps it fresh. `@apollo/gateway` manages it (load, update, fall back); plans come
 * from its planner, and execution is ours.
 */
export async function manageSupergraph(file: string, log: Logger): Promise<SupergraphManager> {
  let update: (sdl: string) => void = () => undefined;
  let prepared = prepareSupergraph(await readFile(file, 'utf8'));
  let current: Supergraph;
  let next: Supergraph | undefined;
  let count = 0;
  const preparations: ((next: Supergraph) => Promise<void>)[] = [];
  const listeners: ((supergraph: Supergraph) => void)[] = [];
  const quiet = {
    debug: () => undefined,
    info: () => undefined,
    warn: (m: string) => log.debug(m),
    error: (m: string) => log.error(m),
  };
  // The package would ask cloud vendors' metadata servers about this machine and send figures to its maker.
  process.env.APOLLO_TELEMETRY_DISABLED = 'true';
  const manager = new ApolloGateway({
    logger: quiet,
    queryPlannerConfig: PLANNING,
    supergraphSdl: async (options) => {
      update = options.update;
      return { supergraphSdl: prepared.sdl };
    },
    buildService: () => ({ process: () => Promise.reject(new Error('Plans are executed by our own executor.')) }),
  });
  let refusal: unknown;
  manager.onSchemaLoadOrUpdate(({ coreSupergraphSdl: sdl }) => {
    const planner = manager.__testing().queryPlanner as QueryPlanner;
    try {
      next = readSupergraph({ ...prepared, sdl }, planner, ++count);
    } catch (error) {
      refusal = error; // the manager would not pass it on
    }
  });
  await manager.load({ apollo: { key: undefined, keyHash: undefined, graphRef: undefined } as never });
  if (!next) throw refusal;
  current = next;

  const load = async (): Promise<boolean> => {
    next = undefined;
    refusal = undefined;
    try {
      prepared = prepareSupergraph(await readFile(file, 'utf8'));
      update(prepared.sdl);
      if (refusal) throw refusal;
      const taken = next as Supergraph | undefined;
      if (!taken) return false; // nothing in it is new
      for (const prepare of preparations) await prepare(taken);
      current = taken;
      for (const heard of listeners) heard(current);
      supergraphLoads.inc({ outcome: 'taken' });
      return true;
    } catch (error) {
      supergraphLoads.inc({ outcome: 'refused' });
      log.error({ error: (error as Error).message }, 'the new supergraph is refused; the last good one stays');
      return false;
    }
  };
  let loading: Promise<boolean> = Promise.resolve(true);
  const reload = () => {
    loading = loading.then(load); // one after the other, or one would be taken for another
    return loading;
  };
  const changed = () => void reload();
  watchFile(file, { interval: WATCH_MS, persistent: false }, changed);
  return {
    current: () => current,
    reload,
    beforeChange: (prepare) => void preparations.push(prepare),
    onChange: (heard) => void listeners.push(heard),
    close: async () => {
      unwatchFile(file, changed);
      await manager.stop();
    },
  };
}

/** What the gateway needs to know of a supergraph. Throws for one it could not answer rightly. */
export function readSupergraph({ sdl, stands }: PreparedSupergraph, planner: QueryPlanner, id = 1): Supergraph {
  const apiSchema = planner.supergraph.apiSchema();
  const schema = apiSchema.toGraphQLJSSchema();
  return {
    id,
    sdl,
    schema,
    whole: planner.supergraph.schema.toGraphQLJSSchema(),
    apiSchema,
    planner,
    requirements: readRequirements(sdl),
    stands,
    costs: readCostDirectives(sdl),
    rootFeatures: gatesOf(sdl, schema),
    queuedFields: queuesOf(planner.supergraph.schema),
    subgraphs: planner.supergraph
      .subgraphs()
      .values()
      .map(({ name, url }) => ({ name, url })),
  };
}

/** Reads `@requiresFeature` off the supergraph: by field, or by the type a field returns. */
function gatesOf(sdl: string, schema: GraphQLSchema): Supergraph['rootFeatures'] {
  const gates = new Map<string, Feature>();
  const featureOf = (
    directives: readonly { name: { value: string }; arguments?: readonly { value: unknown }[] }[] | undefined,
  ) =>
    (
      directives?.find(({ name }) => name.value.endsWith('requiresFeature'))?.arguments?.[0]?.value as
        | { value?: Feature }
        | undefined
    )?.value;
  let type = '';
  visit(parse(sdl, { noLocation: true }), {
    ObjectTypeDefinition: {
      enter: (node) => {
        type = node.name.value;
        const feature = featureOf(node.directives);
        if (feature) gates.set(type, feature);
      },
    },
    FieldDefinition: (node) => {
      const feature = featureOf(node.directives);
      if (feature) gates.set(`${type}.${node.name.value}`, feature);
    },
  });
  return (operation, fields) => {
    const root = schema.getRootType(operation as never) as GraphQLObjectType | undefined;
    const found = new Set<Feature>();
    for (const name of fields) {
      const field = root?.getFields()[name];
      const feature = field && (gates.get(`${root?.name}.${name}`) ?? gates.get(getNamedType(field.type).name));
      if (!feature) return [];
      found.add(feature);
    }
    return [...found];
  };
}

/** Reads off the supergraph which root fields are tagged as waiting in queues of their own. */
function queuesOf(schema: Schema): Supergraph['queuedFields'] {
  return (operation, fields) => {
    const root = schema.schemaDefinition.rootType(operation);
    const isQueued = (name: string) =>
      root
        ?.field(name)
        ?.appliedDirectivesOf('tag')
        .some((tag) => tag.arguments().name === QUEUED);
    return fields.filter(isQueued);
  };
}
