import { request as httpRequest } from 'node:http';
import { createMint } from '../../subgraphs/_kernel/signed-context.ts';
import { serveOverHttp } from '../../subgraphs/_kernel/subgraph-server.ts';
import { type GraphError, openGatewayWorld, type Person, rawSocket } from '../setup/gateway.ts';

const WHO = '{ tenant { slug } }';

describe('What bad input gets', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let wren: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    wren = await running.client.signIn('wren@kestrel.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());

  const send = async (body: string | Buffer, headers: Record<string, string> = {}) => {
    const response = await fetch(running.client.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: body as never,
    });
    return { status: response.status, body: (await response.json()) as { data?: unknown; errors?: GraphError[] } };
  };
  const codeOf = ({ body }: { body: { errors?: GraphError[] } }) => body.errors?.[0]?.extensions.code;

  test('no token is UNAUTHENTICATED', async () => {
    const answer = await running.client.post(WHO);
    expect(answer.status).toBe(401);
    expect(answer.errors).toEqual([
      { message: 'Please sign in.', path: ['tenant'], extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  });

  test('a forged, altered, foreign or malformed token gets the same, with no detail', async () => {
    const [header, claims, signature] = wren.token.split('.') as [string, string, string];
    const other = Buffer.from(
      JSON.stringify({
        ...JSON.parse(Buffer.from(claims, 'base64url').toString()),
        tid: '01990000-0000-7000-8000-000000000a02',
      }),
    ).toString('base64url');
    const mint = createMint(running.world.config.ENVELOPE_PRIVATE_KEY);
    const envelope = mint({ caller: { kind: 'USER', id: null } } as never, 'isp-graph', '');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`;
    for (const token of [
      `${header}.${other}.${signature}`,
      `${header}.${claims}.${signature.slice(0, -4)}AAAA`,
      envelope,
      none,
      'x',
      'a.b.c',
      'x'.repeat(5_000),
    ]) {
      const answer = await running.client.post(WHO, {}, token);
      expect({ status: answer.status, errors: answer.errors }).toEqual({
        status: 401,
        errors: [{ message: 'Please sign in.', extensions: { code: 'UNAUTHENTICATED' } }],
      });
    }
    expect(codeOf(await send(JSON.stringify({ query: WHO }), { authorization: `Basic ${wren.token}` }))).toBe(
      'UNAUTHENTICATED',
    );
  });

  test('a signed-out token is refused within a second', async () => {
    const ada = await running.client.signIn('ada@kestrel.example', running.password);
    expect((await ada.ask(WHO)).status).toBe(200);
    await ada.ask('mutation { signOut { userErrors { code } } }');
    const answer = await ada.ask(WHO);
    expect(answer.status).toBe(401);
    expect(answer.errors?.[0]?.extensions).toEqual({ code: 'UNAUTHENTICATED', reason: 'REVOKED' });
  });

  test('a header never names the tenant', async () => {
    for (const name of [
      'x-tenant-id',
      'x-tenant',
      'tenant-id',
      'x-organization-id',
      'x-hasura-tenant-id',
      'x-feature',
      'feature-override',
      'isp-envelope',
    ]) {
      const answer = await running.client.post<{ tenant: { slug: string } }>(WHO, {}, wren.token, {
        [name]: '01990000-0000-7000-8000-000000000a02',
      });
      expect(answer.data).toEqual({ tenant: { slug: 'kestrel' } });
    }
  });

  test('malformed requests are 4xx with a code, and the process stays healthy', async () => {
    const authorization = `Bearer ${wren.token}`;
    const cases: [string, string | Buffer][] = [
      ['malformed JSON', '{"query": "{ tenant { slug } }"'],
      ['no JSON', 'hello'],
      ['an array', `[{"query":"${WHO}"},{"query":"${WHO}"}]`],
      ['null', 'null'],
      ['a number', '7'],
      ['no query', '{}'],
      ['an empty query', '{"query":""}'],
      ['a query that is a number', '{"query":7}'],
      ['variables that are an array', JSON.stringify({ query: WHO, variables: [] })],
      ['a syntax error', '{"query":"{ tenant { slug "}'],
      ['an unknown field', '{"query":"{ tenant { secret } }"}'],
      ['an unknown argument', '{"query":"{ tenant(x: 1) { slug } }"}'],
      ['an operation named by a number', '{"query":"query A { tenant { slug } }","operationName":7}'],
      [
        'an operation named by a deep list',
        `{"query":"query A { tenant { slug } }","operationName":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
      ],
      [
        'variables 5,000 levels deep',
        `{"query":"query($x: ID!) { customer(id: $x) { name } }","variables":{"x":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`,
      ],
      ['an object asked for without fields', '{"query":"{ tenant { license } }"}'],
      [
        'a misspelt field of an input object',
        JSON.stringify({
          query: 'query($f: CustomerFilter) { customers(filter: $f) { nodes { id } } }',
          variables: { f: { txet: 'a' } },
        }),
      ],
      ['an id of an operation that is a number', '{"id":7}'],
      [
        'an operation nobody persisted',
        `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"${'a'.repeat(64)}"}}}`,
      ],
      ['a query given twice', `{"query":"${WHO}","query":7}`],
      ['an unknown operation', '{"query":"query A { tenant { slug } }","operationName":"B"}'],
      [
        'a wrong variable',
        JSON.stringify({ query: 'query($id: ID!) { customer(id: $id) { name } }', variables: { id: { a: 1 } } }),
      ],
      ['a missing variable', '{"query":"query($id: ID!) { customer(id: $id) { name } }"}'],
      ['a variable nobody declared', '{"query":"{ customer(id: $id) { name } }"}'],
      [
        'NUL in a variable',
        JSON.stringify({
          query: 'query($t: String) { customers(filter: { text: $t }) { nodes { name } } }',
          variables: { t: 'a\u0000b' },
        }),
      ],
      ['NUL in the document', '{"query":"{ customers(filter: { text: \\"a\\\\u0000b\\" }) { nodes { name } } }"}'],
      [
        'a lone surrogate',
        '{"query":"query($t: String) { customers(filter: { text: $t }) { nodes { name } } }","variables":{"t":"\\ud800"}}',
      ],
      [
        'a key that reaches the prototype',
        '{"query":"query($id: ID!) { customer(id: $id) { name } }","variables":{"id":"x","__proto__":{"a":1}}}',
      ],
      ['a page over the cap', '{"query":"{ customers(first: 101) { nodes { name } } }"}'],
      ['a cursor that is none of ours', '{"query":"{ customers(after: \\"nonsense\\") { nodes { name } } }"}'],
      ['internal doors', '{"query":"{ licenseFeed(afterSeq: 0, first: 10) { head } }"}'],
      ['entities', '{"query":"{ _entities(representations: []) { __typename } }"}'],
      ['the service', '{"query":"{ _service { sdl } }"}'],
      ['a subscription over HTTP', '{"query":"subscription { tenantUpdated { slug } }"}'],
      [
        'a circle of fragments',
        '{"query":"{ tenant { ...a } } fragment a on Tenant { ...b } fragment b on Tenant { ...a }"}',
      ],
      [
        'too many aliases',
        `{"query":"{ tenant { ${Array.from({ length: 31 }, (_, i) => `a${i}: slug`).join(' ')} } }"}`,
      ],
      [
        'ten thousand aliases',
        `{"query":"{ tenant { ${Array.from({ length: 10_000 }, (_, i) => `a${i}: slug`).join(' ')} } }"}`,
      ],
      [
        'too many root fields',
        `{"query":"{ ${Array.from({ length: 21 }, (_, i) => `a${i}: __typename`).join(' ')} }"}`,
      ],
      ['a large body', JSON.stringify({ query: WHO, variables: { x: 'x'.repeat(300_000) } })],
      ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d])],
    ];
    const seen: Record<string, string> = {};
    for (const [name, body] of cases) {
      const answer = await send(body, { authorization });
      seen[name] = `${answer.status} ${codeOf(answer)}`;
      const text = JSON.stringify(answer.body);
      expect(text).not.toMatch(/node_modules|\.ts\b|select |insert |127\.0\.0\.1|postgres|Did you mean|at \w+ \(/i);
    }
    for (const [name, outcome] of Object.entries(seen))
      expect({ name, outcome }).toEqual({
        name,
        outcome: expect.stringMatching(/^4\d\d (BAD_USER_INPUT|OPERATION_LIMIT)$/),
      });
    expect((await wren.ask(WHO)).status).toBe(200);
  });

  test('a form, a plain text and a GET that mutates are refused', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
      expect((await send(JSON.stringify({ query: WHO }), { 'content-type': type })).status).toBe(400);
    const get = (query: string, headers = {}) =>
      fetch(`${running.client.url}?query=${encodeURIComponent(query)}`, {
        headers: { authorization: `Bearer ${wren.token}`, ...headers },
      });
    expect((await get(WHO)).status).toBe(400); // no header that a plain form could not send
    expect((await get(WHO, { 'apollo-require-preflight': '1' })).status).toBe(200);
    const mutation = await get('mutation { signOut { userErrors { code } } }', { 'apollo-require-preflight': '1' });
    expect(mutation.status).toBe(405);
    expect((await wren.ask(WHO)).status).toBe(200);
  });

  test('a body that never ends and a header that lies about its length harm nobody', async () => {
    const { port } = new URL(running.client.url);
    const request = httpRequest({
      port,
      path: '/graphql',
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '1000' },
    });
    request.on('error', () => undefined);
    request.write('{"query":');
    await new Promise((resolve) => setTimeout(resolve, 50));
    request.destroy();
    expect((await wren.ask(WHO)).status).toBe(200);
  });

  test('on every door nothing is suggested, and a batch, an unknown field and a mutation that fails get a code', async () => {
    const bodies = [
      { query: '{ tenant { license } }' },
      { query: '{ tenant { slg } }' },
      {
        query: 'query($f: CustomerFilter) { customers(filter: $f) { nodes { id } } }',
        variables: { f: { txet: 'a' } },
      },
      { query: 'mutation { recordPayment }' },
      { query: 'subscription { tenantUpdated { slg } }' },
    ];
    const leaks = /Did you mean|slug|"text"|node_modules|\.ts\b/;
    for (const accept of ['application/json', 'text/event-stream', 'multipart/mixed;subscriptionSpec="1.0"'])
      for (const body of bodies) {
        const response = await fetch(running.client.url, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${wren.token}` },
          body: JSON.stringify(body),
        });
        const text = await response.text();
        expect({ accept, text }).toEqual({ accept, text: expect.stringMatching(/"code":"BAD_USER_INPUT"/) });
        expect(text).not.toMatch(leaks);
      }
    for (const accept of ['text/event-stream', 'multipart/mixed;subscriptionSpec="1.0"'])
      expect((await send(`[{"query":"${WHO}"}]`, { accept, authorization: `Bearer ${wren.token}` })).status).toBe(400);
    const socket = await rawSocket(running.client.url);
    const errors: string[] = [];
    await new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        const { type, payload } = JSON.parse(String(data));
        if (type === 'connection_ack') {
          for (const [id, payload] of bodies.entries())
            socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload }));
        } else if (payload) errors.push(JSON.stringify(payload));
        if (errors.length === bodies.length) resolve();
      });
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${wren.token}` } }));
    });
    socket.close();
    for (const text of errors) {
      expect(text).toMatch(/"code":"BAD_USER_INPUT"/);
      expect(text).not.toMatch(leaks);
    }
  });

  test('outside development the schema is shown to staff who have signed in, on every door, and to nobody else', async () => {
    const query = '{ __schema { queryType { name } } }';
    const lena = await running.client.signIn('lena@northwind.example', running.password, { realm: 'northwind' });
    running.gateway.graph.allowsAnonymousIntrospection = false;
    try {
      for (const accept of ['application/json', 'text/event-stream', 'multipart/mixed;subscriptionSpec="1.0"'])
        for (const [token, outcome] of [
          [undefined, 'UNAUTHENTICATED'],
          [lena.token, 'FORBIDDEN'],
          [wren.token, '"queryType":{"name":"Query"}'],
        ]) {
          const response = await fetch(running.client.url, {
            method: 'POST',
            headers: {
              'content-type': 'application/json',
              accept,
              ...(token ? { authorization: `Bearer ${token}` } : {}),
            },
            body: JSON.stringify({ query }),
          });
          expect(await response.text()).toContain(outcome);
        }
    } finally {
      running.gateway.graph.allowsAnonymousIntrospection = true;
    }
  });

  test('a subgraph asked directly without envelope answers 401, entities included', async () => {
    for (const running_ of running.world.serving.subgraphs) {
      const server = await serveOverHttp(running_, { host: '127.0.0.1', port: 0 });
      try {
        for (const query of [
          '{ __typename }',
          '{ _service { sdl } }',
          'query { _entities(representations: [{__typename: "Customer", id: "x"}]) { __typename } }',
        ]) {
          for (const headers of [
            {},
            { 'isp-envelope': wren.token },
            { authorization: `Bearer ${wren.token}` },
          ] as Record<string, string>[]) {
            const response = await fetch(server.url, {
              method: 'POST',
              headers: { 'content-type': 'application/json', ...headers },
              body: JSON.stringify({ query }),
            });
            expect(response.status).toBe(401);
            expect(await response.json()).toEqual({
              errors: [{ message: 'Please sign in.', extensions: { code: 'UNAUTHENTICATED' } }],
            });
          }
        }
      } finally {
        await server.stop();
      }
    }
  });
});
