import { mkdirSync, writeFileSync } from 'node:fs';
import { composeServices } from '@apollo/composition';
import { Supergraph } from '@apollo/federation-internals';
import { lexicographicSortSchema, parse, printSchema } from 'graphql';
import { defineSubgraph } from './_kernel/subgraph.ts';
import { SUBGRAPHS } from './index.ts';

const SCHEMA_DIR = new URL('../schema/', import.meta.url);

/** Every subgraph's SDL and the supergraph over them. Throws a list of everything that does not compose. */
export async function compose(): Promise<{ sdls: Map<string, string>; supergraph: string }> {
  const sdls = new Map<string, string>();
  for (const definition of SUBGRAPHS) sdls.set(definition.name, (await defineSubgraph(definition)).sdl);
  const { errors, supergraphSdl } = composeServices(
    [...sdls].map(([name, sdl]) => ({ name, typeDefs: parse(sdl), url: `http://${name}.invalid/graphql` })),
  );
  if (errors?.length)
    throw new Error(`The subgraphs do not compose:\n${errors.map((error) => `  - ${error.message}`).join('\n')}`);
  return { sdls, supergraph: `${supergraphSdl}\n` };
}

/** Writes what composition made into `schema/`, where it is reviewed and from where the gateway loads it. */
export async function writeSchema(): Promise<void> {
  const { sdls, supergraph } = await compose();
  mkdirSync(new URL('subgraphs/', SCHEMA_DIR), { recursive: true });
  for (const [name, sdl] of sdls) writeFileSync(new URL(`subgraphs/${name}.graphql`, SCHEMA_DIR), `${sdl}\n`);
  writeFileSync(new URL('supergraph.graphql', SCHEMA_DIR), supergraph);
}

/** Promises the present graph to clients: from now on a change that would break one of them fails a test. */
export async function writeReleased(): Promise<void> {
  const { supergraph } = await compose();
  const api = Supergraph.build(supergraph).apiSchema().toGraphQLJSSchema();
  writeFileSync(new URL('released.graphql', SCHEMA_DIR), `${printSchema(lexicographicSortSchema(api))}\n`);
}
