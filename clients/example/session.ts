import { dataOf, type GraphClient, GraphFault } from '../portal/graph-client.ts';
import { httpGraph } from '../portal/http-graph.ts';
import {
  RefreshSessionDocument,
  SignInDocument,
  type SignInMutation,
  SignOutDocument,
  WhoAmIDocument,
} from './graphql/graphql.ts';

const GRAPH = '/graphql';
/** A token with less left is renewed before it is used, milliseconds. */
const SPARE_MS = 30_000;

type Tokens = NonNullable<SignInMutation['signIn']['session']>;

/** Somebody signed in: the graph as they see it, and what they and their organisation are called. */
export interface Session {
  graph: GraphClient;
  person: string;
  tenant: string;
  signOut(): Promise<void>;
}

const nobody = httpGraph({ url: GRAPH, token: async () => undefined });

/** Signs in; throws an error with a sentence for people. Tokens stay in memory: whoever reloads signs in again. */
export async function signIn(email: string, password: string): Promise<Session> {
  const answer = dataOf(await nobody.ask(SignInDocument, { input: { email, password, transport: 'BODY' } }));
  const graph = httpGraph({ url: GRAPH, token: keepFresh(tokensIn(answer.signIn)) });
  const { me, tenant } = dataOf(await graph.ask(WhoAmIDocument, {}));
  return {
    graph,
    person: me?.user.displayName ?? email,
    tenant: tenant?.name ?? 'no organisation',
    signOut: async () => void (await graph.ask(SignOutDocument, {})),
  };
}

/** Hands out the access token, and renews it in time: once for all who wait, and again after a failure. */
function keepFresh(first: Tokens): () => Promise<string> {
  let tokens = first;
  let renewal: Promise<Tokens> | undefined;
  const renew = async ({ refreshToken }: Tokens) =>
    tokensIn(dataOf(await nobody.ask(RefreshSessionDocument, { refreshToken: refreshToken ?? '' })).refreshSession);
  return async () => {
    if (Date.parse(tokens.expiresAt) - Date.now() < SPARE_MS) {
      renewal ??= renew(tokens).finally(() => {
        renewal = undefined;
      });
      tokens = await renewal;
    }
    return tokens.accessToken;
  };
}

/** Without tokens and without a fault there is a challenge, and this page has no field for codes. */
const NO_FACTOR = 'Please sign in as somebody without a second factor: this page asks for none.';

/** The tokens of a session; without one, the graph's sentence about why. */
function tokensIn({ session, userErrors }: SignInMutation['signIn']): Tokens {
  if (session) return session;
  throw new GraphFault([{ message: userErrors[0]?.message ?? NO_FACTOR, extensions: { code: 'UNAUTHENTICATED' } }]);
}
