import { randomUUID } from 'node:crypto';
import type { AccessClaims } from '../../subgraphs/_kernel/access-token.ts';
import type { GatewayClient } from '../../tests/setup/gateway.ts';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  deviceMark: string;
  tenant: { slug: string } | null;
}

/** What an access token says. */
export const claimsOf = (token: string): AccessClaims =>
  JSON.parse(Buffer.from(String(token.split('.')[1]), 'base64url').toString());

/** A new API key of an administrator's tenant. */
export async function makeKey(client: GatewayClient, token: string): Promise<string> {
  const input = {
    name: 'Bench',
    scopes: ['billing.customer.read'],
    requestsPerSecond: 100,
    idempotencyKey: randomUUID(),
  };
  const { data, errors } = await client.post<{ createApiKey: { key: string | null } }, object>(
    'mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { key userErrors { message } } }',
    { input },
    token,
  );
  if (!data?.createApiKey.key) throw new Error(JSON.stringify([data, errors]));
  return data.createApiKey.key;
}
