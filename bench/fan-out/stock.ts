import { EventEmitter, on } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSchema } from 'graphql';
import { useServer as serveProtocol } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { answerOrders } from './orders.ts';

/** Stock graphql-ws over a publisher in memory, with the same field: what most servers on Node run. */
const schema = buildSchema(
  'type Query { tenant: Tenant } type Tenant { id: ID! slug: String! name: String! } type Subscription { tenantUpdated: Tenant! }',
);
const news = new EventEmitter().setMaxListeners(0);
const tenant = { id: '01990000-0000-7000-8000-000000000a01', slug: 'kestrel', name: 'Kestrel Wireless' };

async function* tenantUpdated() {
  const events = on(news, 'renamed');
  yield { tenantUpdated: tenant };
  for await (const [name] of events) yield { tenantUpdated: { ...tenant, name } };
}

const server = createServer();
let at = 0;
serveProtocol(
  { schema, roots: { subscription: { tenantUpdated } } },
  new WebSocketServer({ server, path: '/graphql' }),
);
server.listen(0, '127.0.0.1', () =>
  answerOrders({
    port: (server.address() as AddressInfo).port,
    token: 'nobody looks',
    async publish(name) {
      at = performance.timeOrigin + performance.now();
      news.emit('renamed', name);
    },
    publishedAt: async () => at,
    close: async () => process.exit(0),
  }),
);
