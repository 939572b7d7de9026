import { randomUUID } from 'node:crypto';
import type { Config } from '../subgraphs/_kernel/config.ts';
import { seedApiKey, spelledTotpSecret } from '../subgraphs/_kernel/seed-world.ts';
import type { ExampleKey, Person } from '../subgraphs/_kernel/subgraph.ts';
import { ANONYMOUS } from './auth.ts';
import { dataOf, type Graph } from './graph.ts';

/** Who Sandbox is signed in as in development. */
const SANDBOX_EMAIL = 'ingrid@northwind.example';

/** An access token of five minutes for Sandbox's first query. Development only. */
export async function signInForSandbox(graph: Graph, config: Config): Promise<string | undefined> {
  const answer = await graph.execute({
    query: 'mutation($input: SignInInput!) { signIn(input: $input) { session { accessToken } } }',
    variables: { input: { email: SANDBOX_EMAIL, password: config.SEED_PASSWORD, transport: 'BODY' } },
    caller: ANONYMOUS,
    requestId: randomUUID(),
    address: '127.0.0.1',
  });
  const data = dataOf(answer) as { signIn?: { session?: { accessToken?: string } } } | undefined;
  return data?.signIn?.session?.accessToken;
}

/** Tells whoever started it where to go, whom to be, and one line that works when pasted. */
export function printBanner(
  config: Config,
  people: readonly Person[],
  keys: readonly ExampleKey[],
  port: number,
  tookMs: number,
): void {
  const base = `http://localhost:${port}`;
  const lines = [
    `DotMac Supergraph is ready after ${(tookMs / 1000).toFixed(1)} s.`,
    '',
    `  Graph      ${base}/graphql   (WebSocket at the same path)`,
  ];
  if (config.NODE_ENV === 'development') {
    const password = config.SEED_PASSWORD;
    lines.push(
      `  Sandbox    ${base}/graphql in a browser`,
      `  GraphiQL   ${base}/graphiql (needs no internet)`,
      `  Example    ${base}/examples/license, a portal that follows its licence`,
      '',
      `The people of the example world; the password of all is ${password}`,
    );
    const width = Math.max(...people.map(({ email }) => email.length));
    for (const { email, name, role, tenant } of people)
      lines.push(`  ${email.padEnd(width)}  ${name} · ${role} · ${tenant}`);
    lines.push('', 'Whose codes come from an authenticator app, with the secret to type into one:');
    for (const { email, userId, hasTotp } of people)
      if (hasTotp) lines.push(`  ${email.padEnd(width)}  ${spelledTotpSecret(String(password), userId)}`);
    lines.push('', 'The API keys of programs:');
    for (const { keyId, name, tenant, state } of keys)
      lines.push(`  ${seedApiKey(String(password), keyId)}  ${name} · ${tenant} · ${state}`);
    lines.push(
      '',
      'Sign in and ask, in one line:',
      `  TOKEN=$(curl -s ${base}/graphql -H 'content-type: application/json' -d '{"query":"mutation{signIn(input:{email:\\"${SANDBOX_EMAIL}\\",password:\\"${password}\\",transport:BODY}){session{accessToken}}}"}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/') && curl -s ${base}/graphql -H 'content-type: application/json' -H "authorization: Bearer $TOKEN" -d '{"query":"{me{user{displayName}} tenant{name license{version state enabledFeatures}}}"}'`,
    );
  }
  console.log(`\n${lines.join('\n')}\n`);
}
