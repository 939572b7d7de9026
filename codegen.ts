import { readFileSync } from 'node:fs';
import { Supergraph } from '@apollo/federation-internals';
import type { CodegenConfig } from '@graphql-codegen/cli';
import { printSchema } from 'graphql';

/** The graph as clients see it: without what only the gateway may ask. */
const api = printSchema(
  Supergraph.build(readFileSync('schema/supergraph.graphql', 'utf8')).apiSchema().toGraphQLJSSchema(),
);

/** Typed documents for every operation written as `graphql(...)` in tests and benches. */
export default {
  schema: api,
  documents: ['tests/**/*.ts', 'bench/**/*.ts', '!tests/setup/graphql/**'],
  generates: {
    'tests/setup/graphql/': {
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
    },
  },
  ignoreNoDocuments: true,
} satisfies CodegenConfig;
