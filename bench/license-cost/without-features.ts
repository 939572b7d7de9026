import { type GraphQLFieldResolver, type GraphQLObjectType, isObjectType } from 'graphql';
import { createResolversMap } from 'type-graphql';
import { localSubgraph } from '../../gateway/data-sources.ts';
import { type Gateway, startGateway } from '../../gateway/start.ts';
import { gateSchema } from '../../subgraphs/_kernel/gate.ts';
import { createVerifier } from '../../subgraphs/_kernel/signed-context.ts';
import {
  defineSubgraph,
  runSubgraph,
  type Subgraph,
  type SubgraphDefinition,
} from '../../subgraphs/_kernel/subgraph.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import type { World } from '../../tests/setup/world.ts';

type Resolvers = Record<string, Record<string, GraphQLFieldResolver<unknown, unknown>> | undefined>;

/**
 * The same product on the same database with nothing licensed in it: no `@requiresFeature`, so that doors ask for sign-in
 * and permission alone, and a gateway that looks up no licence.
 */
export async function startWithoutFeatures({ config, serving }: World): Promise<Gateway> {
  const verify = createVerifier(config.ENVELOPE_PUBLIC_KEYS);
  const sources = await Promise.all(
    serving.subgraphs.map(async ({ name, subgraph, machinery }) => {
      const ungated = await withoutFeatures(subgraph.definition);
      return [name, localSubgraph(runSubgraph(ungated, machinery, verify))] as const;
    }),
  );
  const gateway = await startGateway(config, new Map(sources), serving.fanOut, createLog(config, 'gateway'));
  Object.assign(gateway.graph.parts.licenses, { get: async () => null, peek: () => null });
  return gateway;
}

/** A subgraph whose gates were set without its features. */
async function withoutFeatures(definition: SubgraphDefinition): Promise<Subgraph> {
  const subgraph = await defineSubgraph(definition);
  const { schema, marked, foreign } = subgraph;
  const resolvers = createResolversMap(marked) as unknown as Resolvers;
  for (const type of Object.values(marked.getTypeMap()).filter(isObjectType)) {
    const served = schema.getType(type.name) as GraphQLObjectType | undefined;
    type.extensions = { ...type.extensions, feature: undefined };
    for (const field of Object.values(type.getFields())) {
      field.extensions = { ...field.extensions, feature: undefined };
      const door = served?.getFields()[field.name];
      if (door) door.resolve = resolvers[type.name]?.[field.name];
    }
  }
  gateSchema(schema, marked, foreign);
  return subgraph;
}
