import { openGatewayWorld } from '../../tests/setup/gateway.ts';
import { answerOrders } from './orders.ts';

/** The product in a process of its own: one tenant that everybody follows. */
const { world, client, password, close } = await openGatewayWorld({
  SOCKETS_PER_ADDRESS: '1000000',
  SOCKETS_PER_USER: '1000000',
  STREAMS_PER_USER: '1000000',
});
const wren = await client.signIn('wren@kestrel.example', password);
answerOrders({
  port: Number(new URL(client.url).port),
  token: wren.token,
  async publish(name) {
    const { data, errors } = await wren.ask<{ updateTenantProfile: { userErrors: object[] } }, object>(
      'mutation($input: TenantProfileInput!) { updateTenantProfile(input: $input) { userErrors { message } } }',
      { input: { name } },
    );
    if (errors || data?.updateTenantProfile.userErrors.length) throw new Error(JSON.stringify(errors ?? data));
  },
  async publishedAt() {
    const [row] = await world.sql(
      `select extract(epoch from committed_at) * 1000 as at from kernel.event where name = 'tenancy.tenant.updated' order by committed_at desc limit 1`,
    );
    return Number(row.at);
  },
  close,
});
