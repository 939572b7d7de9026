import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ATLAS_SSO } from '../../../subgraphs/identity/providers/seed.ts';
import { openGatewayWorld } from '../../setup/gateway.ts';

let running: Awaited<ReturnType<typeof openGatewayWorld>>;
beforeAll(async () => {
  running = await openGatewayWorld({ TRUST_PROXY: 'true' });
}, 120_000);
afterAll(() => running?.close());

/** Comes back as from a provider, from an address the proxy in front of us names. */
const comeBack = (address: string) =>
  fetch(running.client.url.replace('/graphql', `/auth/callback/${ATLAS_SSO}?state=made-up&code=x`), {
    redirect: 'manual',
    headers: { 'x-forwarded-for': address },
  });

test('Returns from other providers have a rate of their own for each network; what is over it gets 429 and when to come again', async () => {
  const statuses: number[] = [];
  let limited: Response | undefined;
  for (let i = 0; i < 90 && !limited; i++) {
    const answer = await comeBack('2001:db8:7:1::1');
    statuses.push(answer.status);
    if (answer.status === 429) limited = answer;
  }
  expect(statuses.slice(0, 60)).toEqual(Array(60).fill(400));
  expect(limited?.headers.get('retry-after')).toBe('1');
  expect(await limited?.json()).toEqual({
    errors: [
      {
        message: 'You ask for too much at once. Please try again a little later.',
        extensions: { code: 'RATE_LIMITED', retryAfterMs: expect.any(Number), reason: 'CALLER' },
      },
    ],
  });
  expect((await comeBack('2001:db8:7:1:ffff::9')).status).toBe(429); // the same network
  expect((await comeBack('2001:db8:7:2::1')).status).toBe(400);
  const asked = await running.client.post('{ __typename }', {}, undefined, { 'x-forwarded-for': '2001:db8:7:1::1' });
  expect(asked.status).toBe(200); // the graph counts elsewhere
}, 60_000);
