import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import type { Owners } from './owners.ts';
import type { Principal } from './principals.ts';
import type { Watch } from './watch.ts';

/** What is followed: all that tells more than that a session ended. */
const FOLLOWED = [
  'licenseUpdated { kind version license { id state } }',
  'usageUpdated { __typename }',
  'tenantUpdated { id slug name }',
  'contactsChanged { cursor contact { id displayName points { value label } } }',
  'deviceStatusChanged { cursor device { id } }',
];
const AGAIN_MS = 1_000;

/** Follows, as an administrator, whatever can be followed in a tenant, and a ticket of its own, until it is stopped. */
export function followAll(url: string, who: Principal, owners: Owners, watch: Watch): () => Promise<void> {
  const [tenant] = who.tenants;
  const ticket = tenant && owners.nouns[tenant].get('ticket')?.[0];
  const asked = [
    ...FOLLOWED,
    ...(ticket ? [`ticketUpdated(ticketId: "${ticket}") { cursor ticket { id subject } }`] : []),
  ];
  let isOver = false;
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    shouldRetry: () => !isOver,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, AGAIN_MS)),
    connectionParams: () => ({ authorization: `Bearer ${who.token}` }),
  });
  const follow = (subscription: string): void => {
    if (isOver) return;
    const again = () => void setTimeout(() => follow(subscription), AGAIN_MS).unref();
    const where = `a stream of ${subscription} to ${who.name}`;
    client.subscribe(
      { query: `subscription { ${subscription} }` },
      {
        next: (result) => watch.event(JSON.stringify(result), who.tenants, where),
        error: (error) => {
          watch.event(JSON.stringify(error) ?? '', who.tenants, where);
          again();
        },
        complete: again,
      },
    );
  };
  for (const subscription of asked) follow(subscription);
  return async () => {
    isOver = true;
    await client.dispose();
  };
}
