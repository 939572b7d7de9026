/* The developer's page: signs in, keeps the access token fresh in memory, and runs operations over HTTP and WebSocket. */
/* global React, ReactDOM, GraphiQL, graphqlWs */
const GRAPH = '/graphql';
const SESSION = 'session { accessToken expiresAt refreshToken } userErrors { message }';

let session;
let refreshing;
const who = document.getElementById('who');
const form = document.getElementById('sign-in');
const signOutButton = document.getElementById('sign-out');

async function post(body, token) {
  const response = await fetch(GRAPH, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify(body),
  });
  return response.json();
}

/** A token with at least half a minute left, or none. */
async function freshToken() {
  if (!session) return undefined;
  if (new Date(session.expiresAt) - Date.now() > 30_000) return session.accessToken;
  refreshing ??= post({
    query: `mutation($token: String) { refreshSession(input: { refreshToken: $token }) { ${SESSION} } }`,
    variables: { token: session.refreshToken },
  }).finally(() => {
    refreshing = undefined;
  });
  await accept((await refreshing).data?.refreshSession);
  return session?.accessToken;
}

async function accept(payload) {
  session = payload?.session ?? undefined;
  signOutButton.hidden = !session;
  socket.dispose(); // the next stream opens a socket with the new credentials
  socket = openSocket();
  if (!session) {
    who.textContent = payload?.userErrors?.[0]?.message ?? 'Not signed in: only open doors answer.';
    return;
  }
  const { data } = await post({ query: '{ me { user { displayName } } tenant { name } }' }, session.accessToken);
  who.textContent = `${data?.me?.user?.displayName ?? 'Signed in'} · ${data?.tenant?.name ?? 'no tenant'}`;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { email, password, code, tenant } = Object.fromEntries(new FormData(form));
  const { data, errors } = await post({
    query: `mutation($input: SignInInput!) { signIn(input: $input) { challenge { token } ${SESSION} } }`,
    variables: { input: { email, password, transport: 'BODY', ...(tenant ? { tenant } : {}) } },
  });
  const challenge = data?.signIn?.challenge;
  await accept(challenge ? await answered(challenge.token, code) : (data?.signIn ?? { userErrors: errors }));
});

/** What comes of the second half of a sign-in, for whoever has an authenticator app. */
async function answered(token, code) {
  if (!code) return { userErrors: [{ message: 'Type the code of your authenticator app, and sign in again.' }] };
  const { data, errors } = await post({
    query: `mutation($input: AnswerChallengeInput!) { answerChallenge(input: $input) { ${SESSION} } }`,
    variables: { input: { token, code } },
  });
  return data?.answerChallenge ?? { userErrors: errors };
}

signOutButton.addEventListener('click', async () => {
  await post({ query: 'mutation { signOut { userErrors { message } } }' }, await freshToken());
  await accept(undefined);
});

function openSocket() {
  return graphqlWs.createClient({
    url: new URL(GRAPH, location.href.replace(/^http/, 'ws')).href,
    connectionParams: async () => {
      const token = await freshToken();
      return token ? { authorization: `Bearer ${token}` } : {};
    },
  });
}
let socket = openSocket();

/** GraphiQL keeps one client; the present socket stands behind it. */
const presentSocket = {
  subscribe: (...args) => socket.subscribe(...args),
  on: (...args) => socket.on(...args),
  dispose: () => {},
};

const fetcher = async (parameters, options) => {
  const token = await freshToken();
  const send = GraphiQL.createFetcher({
    url: GRAPH,
    wsClient: presentSocket,
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
  return send(parameters, options);
};

const FIRST = `# Sign in above; the people of the example world were printed at the start.
query Hello {
  me { user { displayName } roles { key } }
  tenant { name license { version state enabledFeatures } }
}

subscription LicenseChanges {
  licenseUpdated { kind version changedKeys license { state enabledFeatures } }
}
`;

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher,
    defaultQuery: FIRST,
    shouldPersistHeaders: false,
    defaultEditorToolsVisibility: true,
  }),
);
