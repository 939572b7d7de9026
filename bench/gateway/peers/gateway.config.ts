import { defineConfig } from '@graphql-hive/gateway';

/** Hive Gateway as it comes, passing one header on. */
export const gatewayConfig = defineConfig({
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') ?? '' }),
  },
  logging: false,
});
