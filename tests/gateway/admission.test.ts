import { LIMITS } from '../../gateway/limits.ts';
import { type GraphError, openGatewayWorld, type Person, rawSocket } from '../setup/gateway.ts';

interface CostReport {
  requested: number;
  max: number;
  bucket?: { capacity: number; remaining: number; restoredPerSecond: number };
}
interface Outcome {
  status?: number;
  retryAfter?: string | null;
  data?: unknown;
  errors?: GraphError[];
  extensions?: { cost: CostReport };
}
type Door = (url: string, token: string, body: object) => Promise<Outcome>;

const overHttp =
  (headers: Record<string, string> = {}): Door =>
  async (url, token, body) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify(body),
    });
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      ...((await response.json()) as Outcome),
    };
  };

const overSocket: Door = async (url, token, body) => {
  const socket = await rawSocket(url);
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      socket.on('message', (data) => {
        const { type, payload } = JSON.parse(String(data));
        if (type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: body }));
        else if (type === 'error') resolve({ errors: payload });
        else if (type === 'next') resolve(payload);
      });
      socket.on('close', () => reject(new Error('The socket was closed.')));
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    });
  } finally {
    socket.close();
  }
};

/** All ways a request comes in. The streaming ones answer with plain JSON what is refused before a stream is open. */
const DOORS: Record<string, Door> = {
  HTTP: overHttp(),
  'server-sent events': overHttp({ accept: 'text/event-stream' }),
  multipart: overHttp({ accept: 'multipart/mixed;subscriptionSpec="1.0"' }),
  'a socket': overSocket,
};

const many = (count: number, write: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => write(i)).join(' ');
const nested = (levels: number) => `${'followUpOf { '.repeat(levels - 3)}id${' }'.repeat(levels - 3)}`;

/** What goes beyond each limit by one, written as a subscription so that every door takes it the same way. */
const BEYOND: Record<string, [document: string, message: string]> = {
  tokens: [
    `subscription { tenantUpdated { ${many(5_000, () => 'slug name')} } }`,
    'A document has at most 10000 tokens.',
  ],
  depth: [
    `subscription { ticketUpdated(ticketId: "x") { ticket { ${nested(13)} } } }`,
    'An operation is at most 12 levels deep.',
  ],
  aliases: [
    `subscription { tenantUpdated { ${many(31, (i) => `a${i}: __typename`)} } }`,
    'An operation has at most 30 aliases.',
  ],
  fields: [
    `subscription { ...F } fragment F on Subscription { tenantUpdated { ...A ...A ...A ...A ...A ...A } }
     fragment A on Tenant { ...B ...B ...B ...B ...B ...B ...B ...B } fragment B on Tenant { ${many(25, () => 'id')} }`,
    'The same field is asked for at most 50 times.',
  ],
  'fields of fragments': [
    `query Q { ${many(20, (i) => `a${i}: tenant { ...A }`)} }
     fragment A on Tenant { ${many(25, () => 'id')} ${many(25, () => 'name')} }`,
    'An operation asks for at most 1000 fields.',
  ],
  selections: [
    `subscription { tenantUpdated { id ...A } } fragment A on Tenant { ${many(12, () => '...B')} }
     fragment B on Tenant { ${many(12, () => '...C')} } fragment C on Tenant { ${many(15, () => '... { ... { __typename @skip(if: true) } }')} }`,
    'An operation has at most 2000 selections.',
  ],
  'root fields': [
    `query { ${many(21, (i) => (i === 0 ? 'me { user { id } }' : `a${i}: __typename`))} }`,
    'An operation has at most 20 root fields.',
  ],
  fragments: [
    `{ tenant { ${many(201, (i) => `...F${i}`)} } } ${many(201, (i) => `fragment F${i} on Tenant { ${i % 5 ? 'id' : 'name'} }`)}`,
    'A document has at most 200 fragments.',
  ],
  directives: [
    `subscription { tenantUpdated { id ${many(9, () => '@include(if: true)')} } }`,
    'At most 8 directives stand at one place.',
  ],
  'directives of an operation': [
    `subscription ${many(9, () => '@skip(if: true)')} { tenantUpdated { id } }`,
    'At most 8 directives stand at one place.',
  ],
  operations: [`${many(21, (i) => `query Q${i} { __typename }`)}`, 'A document has at most 20 operations.'],
  cost: [
    `subscription S { ticketUpdated(ticketId: "x") { ticket { customer { ...Dear } } } }
     query Q { customer(id: "x") { ...Dear } }
     fragment Dear on Customer { tickets(first: 100) { nodes { messages(first: 100) { nodes { id } } } } }`,
    'This operation costs 1',
  ],
};

describe('What an operation may ask', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let ingrid: Person;
  beforeAll(async () => {
    running = await openGatewayWorld();
    ingrid = await running.client.signIn('ingrid@northwind.example', running.password);
  }, 60_000);
  afterAll(() => running?.close());

  const BEYOND_SELECTIONS = /2000 selections|50 times/;

  test.each(
    Object.keys(BEYOND),
  )('more %s than allowed is OPERATION_LIMIT at every door, and says which limit', async (what) => {
    const [query, message] = BEYOND[what] as [string, string];
    for (const [name, door] of Object.entries(DOORS)) {
      const operationName = what === 'cost' ? (name === 'HTTP' ? 'Q' : 'S') : undefined;
      const { status, errors, data } = await door(running.client.url, ingrid.token, { query, operationName });
      expect({ name, data, errors }).toEqual({
        name,
        data: undefined,
        errors: [
          expect.objectContaining({
            message:
              what === 'selections' ? expect.stringMatching(BEYOND_SELECTIONS) : expect.stringContaining(message),
            extensions: { code: 'OPERATION_LIMIT' },
          }),
        ],
      });
      if (status !== undefined) expect({ name, status }).toEqual({ name, status: 400 });
    }
  });

  test('a body over 256 kB is 413, and a socket message over 64 kB ends its socket', async () => {
    const query = `{ tenant { slug } } #${'x'.repeat(256 * 1024)}`;
    const { status, errors } = await overHttp()(running.client.url, ingrid.token, { query });
    expect([status, errors?.[0]?.extensions.code]).toEqual([413, 'OPERATION_LIMIT']);
    await expect(overSocket(running.client.url, ingrid.token, { query })).rejects.toThrow('The socket was closed.');
  });

  test('what is at the limits is let in', async () => {
    const query = `query {
      ${many(18, (i) => `b${i}: __typename`)}
      tenant { ${many(11, (i) => `a${i}: slug`)} ${many(50, () => 'id')} name @include(if: true) @skip(if: false) }
      tickets(first: 1) { nodes { ${'followUpOf { '.repeat(9)}id${' }'.repeat(9)} } }
    }`;
    const answer = await overHttp()(running.client.url, ingrid.token, { query });
    expect(answer.errors).toBeUndefined();
    expect(answer.status).toBe(200);
  });

  test('every answer says what it cost, by the page sizes of its variables', async () => {
    const query = 'query($n: Int!) { customers(first: $n) { nodes { id services(first: 5) { nodes { id } } } } }';
    for (const [name, door] of Object.entries({ HTTP: overHttp(), 'a socket': overSocket }))
      for (const n of [1, 10]) {
        const { extensions } = await door(running.client.url, ingrid.token, { query, variables: { n } });
        expect({ name, cost: extensions?.cost }).toEqual({
          name,
          cost: {
            requested: 1 + n * (1 + 1 + 5),
            max: LIMITS.cost,
            bucket: { capacity: expect.any(Number), remaining: expect.any(Number), restoredPerSecond: 1_000_000_000 },
          },
        });
      }
    const free = await overHttp()(running.client.url, ingrid.token, { query: '{ __typename }' });
    expect(free.extensions?.cost.requested).toBe(1);
  });

  test('an operation over its cost is refused before it is planned, and says what it costs', async () => {
    const query = 'query Dear($n: Int!) { customers(first: $n) { nodes { services(first: 100) { nodes { id } } } } }';
    const refused = await overHttp()(running.client.url, ingrid.token, { query, variables: { n: 100 } });
    expect(refused).toMatchObject({
      status: 400,
      errors: [
        {
          message: 'This operation costs 10201, and one may cost 10000. Ask for less, or for smaller pages.',
          extensions: { code: 'OPERATION_LIMIT' },
        },
      ],
      extensions: { cost: { requested: 10_201, max: 10_000 } },
    });
    const { graph } = running.gateway;
    const caller = await graph.parts.auth.authenticate(`Bearer ${ingrid.token}`, '127.0.0.1');
    const operation = graph.prepare({ query, caller, requestId: '', address: '' });
    expect(operation.isPlanned({ n: 100 })).toBe(false);
    const smaller = await overHttp()(running.client.url, ingrid.token, { query, variables: { n: 2 } });
    expect(smaller.status).toBe(200);
    expect(operation.isPlanned({ n: 2 })).toBe(true);
  });

  test('page sizes no list could have are refused, whatever they look like', async () => {
    for (const first of ['-1', '0', '101', '2147483647']) {
      const query = `{ customers(first: ${first}) { nodes { id } } }`;
      const { status, errors } = await overHttp()(running.client.url, ingrid.token, { query });
      expect({ first, status, code: errors?.[0]?.extensions.code }).toEqual({
        first,
        status: 400,
        code: first === '2147483647' ? 'OPERATION_LIMIT' : 'BAD_USER_INPUT',
      });
    }
  });

  test('a fragment nobody spreads, or with the name of another, cannot hide work from the limits', async () => {
    const query = `{ tenant { slug } } fragment Hidden on Tenant { ${many(4_000, () => 'id')} }`;
    const { status, errors } = await overHttp()(running.client.url, ingrid.token, { query });
    expect([status, errors?.[0]?.message]).toEqual([400, 'Fragment "Hidden" is never used.']);
    const twice = `{ tenant { ...F } } fragment F on Tenant { ${many(4_000, () => 'id')} } fragment F on Tenant { id }`;
    const other = await overHttp()(running.client.url, ingrid.token, { query: twice });
    expect([other.status, other.errors?.[0]?.message]).toEqual([400, 'There can be only one fragment named "F".']);
  });
});

describe('How much somebody may ask', () => {
  let running: Awaited<ReturnType<typeof openGatewayWorld>>;
  let wren: Person;
  let ada: Person;
  let ingrid: Person;
  beforeAll(async () => {
    running = await openGatewayWorld({ RATE_PER_CALLER: '100', RATE_PER_TENANT: '1500', RATE_PER_ADDRESS: '1000' });
    const { client, password } = running;
    wren = await client.signIn('wren@kestrel.example', password);
    ada = await client.signIn('ada@kestrel.example', password);
    ingrid = await client.signIn('ingrid@northwind.example', password);
  }, 60_000);
  afterAll(() => running?.close());

  const dear = { query: '{ customers(first: 99) { nodes { services(first: 45) { nodes { id } } } } }' }; // 4,654
  const small = { query: '{ tenant { slug } }' };

  test('who has spent the bucket is RATE_LIMITED at every door, with the time to wait; others feel nothing', async () => {
    const { url } = running.client;
    const first = await overHttp()(url, wren.token, dear);
    expect(first.extensions?.cost).toEqual({
      requested: 4_654,
      max: 10_000,
      bucket: { capacity: 10_000, remaining: expect.any(Number), restoredPerSecond: 100 },
    });
    expect((await overHttp()(url, wren.token, dear)).status).toBe(200);
    const refused = await overHttp()(url, wren.token, dear);
    expect(refused).toMatchObject({
      status: 429,
      errors: [
        {
          message: 'You ask for too much at once. Please try again a little later.',
          extensions: { code: 'RATE_LIMITED', reason: 'CALLER', retryAfterMs: expect.any(Number) },
        },
      ],
      extensions: { cost: { requested: 4_654, max: 10_000 } },
    });
    const waitMs = Number(refused.errors?.[0]?.extensions.retryAfterMs);
    expect(waitMs).toBeGreaterThan(10_000);
    expect(waitMs).toBeLessThan(60_000);
    expect(refused.retryAfter).toBe(String(Math.ceil(waitMs / 1_000)));
    const get = await fetch(`${url}?query=${encodeURIComponent(dear.query)}`, {
      headers: { authorization: `Bearer ${wren.token}`, 'apollo-require-preflight': '1' },
    });
    expect([get.status, Number(get.headers.get('retry-after'))]).toEqual([429, expect.any(Number)]);
    expect(Number(get.headers.get('retry-after'))).toBeGreaterThan(5);
    expect((await overSocket(url, wren.token, dear)).errors?.[0]?.extensions.code).toBe('RATE_LIMITED');
    for (const other of [ada, ingrid]) expect((await overHttp()(url, other.token, small)).status).toBe(200);
  });

  test('to send what is refused empties the bucket too, and then nothing more is read', async () => {
    const { url } = running.client;
    const statuses: number[] = [];
    let last: Outcome = {};
    for (let i = 0; i < 400 && last.status !== 429; i++) {
      last = await overHttp()(url, ada.token, { query: `{ nothing${i} }` });
      statuses.push(Number(last.status));
    }
    expect(statuses.slice(0, 100).every((status) => status === 400)).toBe(true);
    expect(last).toMatchObject({ status: 429, errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
    const syntax = await overHttp()(url, ada.token, { query: '{' });
    expect(syntax.status).toBe(429);
    expect((await overHttp()(url, ingrid.token, small)).status).toBe(200);
  });
});
