import 'reflect-metadata';
import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Query, Resolver, Root, Subscription } from 'type-graphql';
import { SignedIn } from '../../schema/directives.ts';
import type { Context } from '../../subgraphs/_kernel/context.ts';
import { follow } from '../../subgraphs/_kernel/live.ts';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { createMint, createVerifier, type Envelope } from '../../subgraphs/_kernel/signed-context.ts';
import { defineSubgraph, runSubgraph } from '../../subgraphs/_kernel/subgraph.ts';
import { type SubgraphServer, serveOverHttp } from '../../subgraphs/_kernel/subgraph-server.ts';
import { type Asker, NGOZI, openWorld, type World, WREN } from '../setup/world.ts';
import { until } from './by-hand.ts';

let world: World;
let server: SubgraphServer;
beforeAll(async () => {
  world = await openWorld();
  server = await serveOverHttp(world.subgraph('tenancy'), { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server?.stop();
  await world.close();
});

/** The envelope the gateway would send with a body. */
async function sign(body: string, who: Asker = WREN, more: Partial<Envelope> = {}): Promise<string> {
  const { envelope } = await world.context(who, 'tenancy');
  return createMint(world.config.ENVELOPE_PRIVATE_KEY)({ ...envelope, ...more }, 'tenancy', body);
}

async function post(body: string, envelope?: string, headers: Record<string, string> = {}) {
  const response = await fetch(server.url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...(envelope ? { 'isp-envelope': envelope } : {}), ...headers },
  });
  return { status: response.status, answer: await response.json() };
}
const asked = (query: string, variables = {}) => JSON.stringify({ query, variables });
const codesOf = (answer: { errors?: { extensions: { code: string } }[] }) =>
  answer.errors?.map(({ extensions }) => extensions.code);

describe('without an envelope nobody is answered', () => {
  const OPERATIONS: Record<string, string> = {
    'a query': asked('{ tenant { id } }'),
    'a mutation': asked('mutation { updateTenantProfile(input: { name: "Mallory" }) { tenant { id } } }'),
    'a look-up of entities': asked('query($r: [_Any!]!) { _entities(representations: $r) { __typename } }', {
      r: [{ __typename: 'Tenant', id: seedId('0a01') }],
    }),
    'the schema': asked('{ _service { sdl } }'),
    'an introspection': asked('{ __schema { types { name } } }'),
    'a name': asked('{ __typename }'),
    'an internal door': asked('{ tenantFeed(afterSeq: 0, first: 1) { head } }'),
    'what is no JSON': '{',
    nothing: '',
  };

  test.each(Object.keys(OPERATIONS))('%s', async (name) => {
    const body = OPERATIONS[name] as string;
    const refusal = {
      status: 401,
      answer: { errors: [{ message: 'Please sign in.', extensions: { code: 'UNAUTHENTICATED' } }] },
    };
    expect(await post(body)).toEqual(refusal);
    expect(await post(body, 'an.envelope.of-ours')).toEqual(refusal);
    expect(await post(body, await sign(`${body} `))).toEqual(refusal);
    expect(await post(body, undefined, { authorization: 'Bearer x', 'x-tenant-id': seedId('0a01') })).toEqual(refusal);
  });

  test('a subscription, which is not even begun', async () => {
    const { status, answer } = await post(asked('subscription { tenantUpdated { id } }'), undefined, {
      accept: 'text/event-stream',
    });
    expect([status, codesOf(answer)]).toEqual([401, ['UNAUTHENTICATED']]);
    expect(world.serving.fanOut.listeners()).toBe(0);
  });
});

describe('with an envelope', () => {
  test('a query is answered for whom it says', async () => {
    const body = asked('{ tenant { slug } }');
    expect(await post(body, await sign(body))).toEqual({
      status: 200,
      answer: { data: { tenant: { slug: 'kestrel' } } },
    });
  });

  test('an internal door opens to the gateway alone', async () => {
    const body = asked('{ tenantFeed(afterSeq: 0, first: 1) { head } }');
    const stranger = await post(body, await sign(body, NGOZI));
    expect([stranger.status, codesOf(stranger.answer)]).toEqual([200, ['UNAUTHENTICATED']]);
    const gateway = await post(
      body,
      await sign(body, NGOZI, { caller: { kind: 'GATEWAY', id: null }, tenantId: null }),
    );
    expect(gateway.answer).toEqual({ data: { tenantFeed: { head: expect.any(Number) } } });
  });

  test('that nobody waits for any more, nothing is begun', async () => {
    const body = asked('{ tenant { slug } }');
    const { answer } = await post(body, await sign(body, WREN, { deadline: Date.now() - 1 }));
    expect(codesOf(answer)).toEqual(['SUBGRAPH_TIMEOUT']);
  });

  test.each([
    ['half an object', '{"query":'],
    ['a text', '"{ tenant { id } }"'],
    ['nothing', 'null'],
    ['a list, for batches are off', '[{"query":"{ __typename }"}]'],
    ['an object without a query', '{"variables":{}}'],
    ['a query that is a number', '{"query":5}'],
    ['variables that are a text', '{"query":"{ __typename }","variables":"x"}'],
    ['a name that is a number', '{"query":"{ __typename }","operationName":5}'],
  ])('a request that is %s is a bad one', async (_name, body) => {
    const { status, answer } = await post(body, await sign(body));
    expect([status, codesOf(answer)]).toEqual([400, ['BAD_USER_INPUT']]);
    const stream = await post(body, await sign(body), { accept: 'text/event-stream' });
    expect([stream.status, codesOf(stream.answer)]).toEqual([400, ['BAD_USER_INPUT']]);
  });

  test('a query is not taken for a subscription, nor a subscription for a query', async () => {
    const query = asked('{ tenant { id } }');
    const { answer } = await post(query, await sign(query), { accept: 'text/event-stream' });
    expect(codesOf(answer)).toEqual(['BAD_USER_INPUT']);
    const subscription = asked('subscription { tenantUpdated { id } }');
    const wrong = await post(subscription, await sign(subscription));
    expect([wrong.status, codesOf(wrong.answer)]).toEqual([200, ['BAD_USER_INPUT']]);
  });

  test('a request over four megabytes is refused, and the next on the connection is answered', async () => {
    const body = asked('{ __typename }', { filler: 'x'.repeat(5 * 1024 * 1024) });
    const refusal = {
      status: 413,
      answer: { errors: [{ message: 'The request is too large.', extensions: { code: 'OPERATION_LIMIT' } }] },
    };
    for (let i = 0; i < 3; i++) expect(await post(body, await sign(body))).toEqual(refusal);
    const small = asked('{ tenant { slug } }');
    expect((await post(small, await sign(small))).status).toBe(200);
  });

  test('a request without an end is cut off', async () => {
    const endless = open({ 'transfer-encoding': 'chunked' });
    const cut = once(endless, 'error');
    let sent = 0;
    const write = () => {
      while (!endless.destroyed && endless.write('x'.repeat(64 * 1024))) sent += 64;
      endless.once('drain', write);
    };
    write();
    await cut;
    expect(sent).toBeLessThan(64 * 1024);
  });

  test('a request just under it is read', async () => {
    const body = asked('{ tenant { slug } }', { filler: 'x'.repeat(4 * 1024 * 1024 - 200) });
    expect((await post(body, await sign(body))).status).toBe(200);
  });
});

describe('entities', () => {
  const look = async (representations: object[], who: Asker = WREN, more: Partial<Envelope> = {}) => {
    const body = asked('query($r: [_Any!]!) { _entities(representations: $r) { ... on Tenant { slug } } }', {
      r: representations,
    });
    return (await post(body, await sign(body, who, more))).answer;
  };

  test('that are unknown and those of others are the same nothing', async () => {
    const tenants = [seedId('0a01'), seedId('0a02'), seedId('ffff')].map((id) => ({ __typename: 'Tenant', id }));
    expect(await look(tenants)).toEqual({ data: { _entities: [{ slug: 'kestrel' }, null, null] } });
  });

  test('are nothing at all to somebody who has not signed in', async () => {
    const tenants = [{ __typename: 'Tenant', id: seedId('0a01') }];
    expect(await look(tenants, WREN, { caller: { kind: 'ANONYMOUS', id: null }, tenantId: null })).toEqual({
      data: { _entities: [null] },
    });
  });

  test.each([
    [
      'of a type nobody has',
      [
        { __typename: 'Tenant', id: seedId('0a01') },
        { __typename: 'Nobody', id: '1' },
      ],
    ],
    ['of a type that is no entity', [{ __typename: 'PageInfo', hasNextPage: true }]],
    ['of no type', [{ id: seedId('0a01') }]],
    ['that are no objects', ['Tenant']],
  ])('%s are refused, and nothing else is looked for', async (_name, representations) => {
    const answer = await look(representations as object[]);
    expect([answer.data, codesOf(answer)]).toEqual([null, ['BAD_USER_INPUT']]);
  });

  test('are at most a thousand at once', async () => {
    const tenants = (count: number) =>
      Array.from({ length: count }, () => ({ __typename: 'Tenant', id: seedId('0a01') }));
    expect((await look(tenants(1_000))).data._entities).toHaveLength(1_000);
    expect(codesOf(await look(tenants(1_001)))).toEqual(['BAD_USER_INPUT']);
  });
});

test('elsewhere there is nothing, but the two words on its health', async () => {
  const at = async (path: string, method = 'GET') => {
    const response = await fetch(new URL(path, server.url), { method });
    return [response.status, await response.json()];
  };
  expect(await at('/health/live')).toEqual([200, { status: 'live' }]);
  expect(await at('/health/ready')).toEqual([200, { subgraph: 'tenancy' }]);
  for (const [path, method] of [
    ['/', 'GET'],
    ['/graphql', 'GET'],
    ['/health/ready', 'POST'],
    ['/../etc/passwd', 'GET'],
    ['/graphql', 'PUT'],
  ] as const)
    expect(await at(path, method)).toEqual([
      404,
      { errors: [expect.objectContaining({ message: 'There is nothing here.' })] },
    ]);
});

/** A request the test writes and reads by hand. */
function open(headers: Record<string, string>, at = server.url): ClientRequest {
  return httpRequest(at, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } });
}

let asking = 0;

/** Doors that take their time to open. */
@Resolver()
class SlowResolver {
  @Query(() => String)
  @SignedIn()
  async slowly() {
    await takeTime();
    return 'done';
  }

  @Subscription(() => String, { subscribe: ({ context }) => opening(context as Context) as never })
  @SignedIn()
  slow(@Root() word: string) {
    return word;
  }
}

async function takeTime() {
  asking += 1;
  await sleep(300);
  asking -= 1;
}

async function opening(ctx: Context) {
  await takeTime();
  return follow(
    ctx,
    async () => ({ upTo: 0, first: ['open'] }),
    () => [],
  );
}

async function serveSlowly(): Promise<SubgraphServer> {
  const slow = await defineSubgraph({ name: 'tenancy', resolvers: [SlowResolver], entities: [] });
  const running = runSubgraph(
    slow,
    world.subgraph('tenancy').machinery,
    createVerifier(world.config.ENVELOPE_PUBLIC_KEYS),
  );
  return serveOverHttp(running, { host: '127.0.0.1', port: 0 });
}

describe('a stream', () => {
  const body = asked('subscription { tenantUpdated { name } }');
  const listeners = () => world.serving.fanOut.listeners();
  const rename = (name: string) =>
    world.ask(
      WREN,
      'tenancy',
      `mutation { updateTenantProfile(input: { name: "${name}" }) { userErrors { message } } }`,
    );

  async function subscribe(at: string = server.url) {
    const request = httpRequest(at, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'isp-envelope': await sign(body) },
    });
    request.on('error', () => undefined).end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    response
      .setEncoding('utf8')
      .on('data', (chunk) => (text += chunk))
      .on('error', () => undefined);
    const events = () =>
      [...text.matchAll(/^event: next\ndata: (.*)\n\n/gm)].map(
        ([, data]) => JSON.parse(String(data)).data.tenantUpdated.name,
      );
    return { request, response, events, text: () => text };
  }

  test('tells what is and what changes', async () => {
    const { request, response, events, text } = await subscribe();
    expect([response.statusCode, response.headers['content-type'], response.headers['cache-control']]).toEqual([
      200,
      'text/event-stream',
      'no-store',
    ]);
    await until('the first event', () => events().length === 1);
    await rename('Kestrel');
    await until('the second event', () => events().length === 2);
    await rename('Kestrel Wireless');
    await until('the third event', () => events().length === 3);
    expect(events()).toEqual(['Kestrel Wireless', 'Kestrel', 'Kestrel Wireless']);
    expect(text().startsWith(':\n\n')).toBe(true);
    request.destroy();
    await until('nobody listens', () => listeners() === 0);
  });

  test('whose reader goes away is ended at its source at once', async () => {
    const streams = await Promise.all(Array.from({ length: 10 }, () => subscribe()));
    await until('they have begun', () => streams.every(({ events }) => events().length === 1));
    expect(listeners()).toBe(1);
    for (const { request } of streams) request.destroy();
    await until('nobody listens', () => listeners() === 0, 3_000);
  });

  test('whose reader goes away before it has begun leaves nothing behind', async () => {
    const other = await serveSlowly();
    const probe = asked('subscription { slow }');
    const request = open({ accept: 'text/event-stream', 'isp-envelope': await sign(probe) }, other.url);
    request.on('error', () => undefined).end(probe);
    await until('the door is asked', () => asking === 1);
    request.destroy();
    await until('the door has opened', () => asking === 0);
    await sleep(50);
    expect(listeners()).toBe(0);
    await other.stop();
  });

  test('does not keep the server from stopping, nor does what happens meanwhile', async () => {
    const other = await serveOverHttp(world.subgraph('tenancy'), { host: '127.0.0.1', port: 0 });
    const streams = await Promise.all(Array.from({ length: 5 }, () => subscribe(other.url)));
    await until('they have begun', () => streams.every(({ events }) => events().length === 1));
    const begun = Date.now();
    await Promise.all([other.stop(), rename('Kestrel'), rename('Kestrel Wireless')]);
    expect(Date.now() - begun).toBeLessThan(3_000);
    await until('nobody listens', () => listeners() === 0);
    expect(streams.map(({ text }) => text().includes('event: complete'))).toEqual(streams.map(() => false));
    await expect(fetch(other.url, { method: 'POST' })).rejects.toThrow();
  });
});

test('a server that stops answers what it has begun', async () => {
  const other = await serveSlowly();
  const body = asked('{ slowly }');
  const answers = Promise.all(
    Array.from({ length: 5 }, async () =>
      fetch(other.url, { method: 'POST', body, headers: { 'isp-envelope': await sign(body) } }).then((response) =>
        response.json(),
      ),
    ),
  );
  await until('all are begun', () => asking === 5);
  const begun = Date.now();
  await other.stop();
  expect(Date.now() - begun).toBeLessThan(3_000);
  expect(await answers).toEqual(Array.from({ length: 5 }, () => ({ data: { slowly: 'done' } })));
});
