import { readFileSync } from 'node:fs';
import { Supergraph } from '@apollo/federation-internals';
import type { CodegenConfig } from '@graphql-codegen/cli';
import { printSchema } from 'graphql';

/** The graph as clients see it: without what only the gateway may ask. */
const api = printSchema(
  Supergraph.build(readFileSync('schema/supergraph.graphql', 'utf8')).apiSchema().toGraphQLJSSchema(),
);

/** What turns operations into typed documents that are plain strings. */
const typed = {
  preset: 'client',
  presetConfig: { fragmentMasking: false },
  config: {
    documentMode: 'string',
    importExtension: '.ts',
    emitLegacyCommonJSImports: false,
    useTypeImports: true,
    enumsAsTypes: true,
    defaultScalarType: 'string', // every scalar of ours is a string on the wire
  },
} as const;

/** Typed documents for every operation written as `graphql(...)` in tests and benches, and for those of the clients. */
export default {
  schema: api,
  generates: {
    'tests/setup/graphql/': {
      ...typed,
      documents: ['tests/**/*.ts', 'bench/**/*.ts', '!bench/gateway/peers/**', '!tests/setup/graphql/**'],
    },
    'clients/portal/graphql/': { ...typed, documents: ['clients/portal/*.graphql'] },
    'clients/example/graphql/': { ...typed, documents: ['clients/example/*.graphql'] },
  },
  ignoreNoDocuments: true,
} satisfies CodegenConfig;
