import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request } from 'node:http';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { MAX_BODY } from '../gateway/limits.ts';
import { openGatewayWorld } from '../tests/setup/gateway.ts';
import { median, percentile, type Result } from './setup.ts';

/** How often each document is sent. */
const ROUNDS = 200;
/** What refusing ten thousand aliases may take, milliseconds of the server. */
const BOUND_MS = 5;
/** What refusing anything else may take, and validating the worst that is let in. */
const WORST_BOUND_MS = 25;

const many = (count: number, write: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => write(i)).join(' ');
const LEAVES = ['id', 'number', 'subject', 'status', 'kind', 'priority', 'channel', 'language', 'openedAt', 'version'];
const leaf = (i: number) => LEAVES[i % LEAVES.length];
const body = (query: string, variables?: unknown) => JSON.stringify({ query, variables });
const room = MAX_BODY - 2_000;

/** Documents that ask for too much, or make a server work hardest before it can say so. */
const REFUSED: Record<string, string> = {
  '10,000 aliases': body(`{ tenant { ${many(10_000, (i) => `a${i}: slug`)} } }`),
  '10,000 directives': body(`{ tenant { slug ${many(10_000, () => '@include(if: true)')} } }`),
  '4,900 levels': body(`${'{a'.repeat(4_900)}${'}'.repeat(4_900)}`),
  '4,000 lists in lists': body(`{ customers(filter: ${'['.repeat(4_000)}${']'.repeat(4_000)}) { nodes { id } } }`),
  'a fragment bomb, 2^24 fields': body(
    `{ tenant { ...F0 } } ${many(24, (i) => `fragment F${i} on Tenant { ...F${i + 1} ...F${i + 1} }`)} fragment F24 on Tenant { id }`,
  ),
  'a bomb of fragments without a field': body(
    `{ tenant { id ...F0 } } ${many(24, (i) => `fragment F${i} on Tenant { ...F${i + 1} ...F${i + 1} }`)} fragment F24 on Tenant { ... @skip(if: true) { id } }`,
  ),
  '2,000 fragments at one place': body(
    `{ ticket(id: "x") { ${many(1_600, (i) => `...F${i}`)} } } ${many(900, (i) => `fragment F${i} on Ticket { ${leaf(i)} }`)}`,
  ),
  '4,000 times the same field': body(`{ tenant { ${many(4_000, () => 'id name')} } }`),
  'a hidden fragment of 9,000 fields': body(`{ tenant { id } } fragment H on Tenant { ${many(9_000, () => 'id')} }`),
  'two fragments of one name, 9,000 fields in the first': body(
    `{ tenant { ...F } } fragment F on Tenant { ${many(9_000, () => 'id')} } fragment F on Tenant { id }`,
  ),
  '2,000 operations': body(`${many(2_000, (i) => `query Q${i} { __typename }`)}`),
  '1,500 variables nobody uses': body(`query(${many(1_500, (i) => `$v${i}: Int`)}) { tenant { slug } }`),
  '900 unknown fields': body(`{ tenant { ${many(900, (i) => `z${i}`)} } }`),
  'a list of 9,000 wrong values': body(`{ customers(first: [${many(9_000, String)}]) { nodes { id } } }`),
  '250 kB of one string': body(`{ customers(filter: { text: "${'x'.repeat(room)}" }) { nodes { id } } `),
  '250 kB of new lines': body(`${'\n'.repeat(room / 2)}{ tenant { slug }`),
  '250 kB of commas': body(`${','.repeat(room)}{ tenant { slug }`),
  '250 kB that is no GraphQL': body('%'.repeat(room)),
  '250 kB that is no JSON': '{"query":'.repeat(room / 9),
  '250 kB of brackets': '['.repeat(room),
  '250 kB of variables': body('query($id: ID!) { customer(id: $id) { name } }', {
    id: Array.from({ length: 60_000 }, () => 'x'),
  }),
  'variables 10,000 levels deep': `{"query":"query($id: ID!) { customer(id: $id) { name } }","variables":{"id":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`,
  'pages of a hundred in pages of a hundred': body(
    '{ customers(first: 100) { nodes { services(first: 100) { nodes { id } } } } }',
  ),
};

/** Documents within the limits that take longest to validate; each round another one, so that none is held ready. */
const WORST: Record<string, (round: number) => string> = {
  'one deep branch 45 times': (round) =>
    body(
      `query R${round} { none: ticket(id: "x") { ${many(45, () => `${'followUpOf { '.repeat(7)}id number${' }'.repeat(7)}`)} } }`,
    ),
  '50 times 18 fields': (round) =>
    body(`query R${round} { none: ticket(id: "x") { ${many(50, () => LEAVES.join(' '))} } }`),
  '200 fragments at one place': (round) =>
    body(
      `query R${round} { none: ticket(id: "x") { ${many(200, (i) => `...F${i}`)} } } ${many(200, (i) => `fragment F${i} on Ticket { ${leaf(i)} }`)}`,
    ),
  '45 lists of 200 values compared': (round) =>
    body(
      `query R${round} { none: tenant { ${many(45, () => `quotaUsage(keys: [${many(200, () => 'devices')}]) { key }`)} } }`,
    ),
};

/**
 * What it takes to refuse hostile documents: the server's time from a request's headers to its answer's end, with the
 * client in another thread. Every answer is checked to be a coded refusal.
 */
export async function admission(): Promise<Result[]> {
  const { client, password, close } = await openGatewayWorld();
  try {
    const { token } = await client.signIn('ingrid@northwind.example', password);
    const results: Result[] = [];
    for (const [name, text] of Object.entries(REFUSED)) {
      const ms = await measure(client.url, token, Array<string>(ROUNDS).fill(text), true);
      results.push(resultOf(`${name} refused`, ms, name === '10,000 aliases' ? BOUND_MS : WORST_BOUND_MS));
    }
    for (const [name, write] of Object.entries(WORST)) {
      const ms = await measure(
        client.url,
        token,
        Array.from({ length: ROUNDS }, (_, i) => write(i)),
        false,
      );
      results.push(resultOf(`${name} let in, validated and planned`, ms, 4 * WORST_BOUND_MS));
    }
    return results;
  } finally {
    await close();
  }
}

function resultOf(what: string, ms: readonly number[], bound: number): Result {
  const [middle, late] = [median(ms), percentile(ms, 0.99)];
  return {
    what,
    figure: `median ${middle.toFixed(2)} ms, p99 ${late.toFixed(2)} ms`,
    bound: `median < ${bound} ms`,
    holds: middle < bound,
  };
}

/** Sends bodies one after the other from another thread; the server's milliseconds for each. */
async function measure(url: string, token: string, bodies: string[], isRefused: boolean): Promise<number[]> {
  const taken: number[] = [];
  let startedAt: number | undefined;
  const start = () => {
    startedAt = performance.now();
  };
  const finish = () => {
    if (startedAt === undefined) return;
    taken.push(performance.now() - startedAt);
    startedAt = undefined;
  };
  subscribe('http.server.request.start', start);
  subscribe('http.server.response.finish', finish);
  try {
    await new Promise<void>((resolve, reject) => {
      const sender = new Worker(new URL(import.meta.url), { workerData: { url, token, bodies, isRefused } });
      sender.on('message', (fault: string | null) => (fault ? reject(new Error(fault)) : resolve()));
      sender.on('error', reject);
    });
  } finally {
    unsubscribe('http.server.request.start', start);
    unsubscribe('http.server.response.finish', finish);
  }
  if (taken.length !== bodies.length) throw new Error(`${taken.length} of ${bodies.length} answers were measured.`);
  return taken;
}

const REFUSALS = /^(OPERATION_LIMIT|BAD_USER_INPUT)$/;

async function sendAll(): Promise<void> {
  const { url, token, bodies, isRefused } = workerData as {
    url: string;
    token: string;
    bodies: string[];
    isRefused: boolean;
  };
  for (const text of bodies) {
    const { status, answer } = await send(url, token, text);
    const codes = ((answer.errors ?? []) as { extensions: { code: string } }[]).map(({ extensions: { code } }) => code);
    const isRight = isRefused
      ? status >= 400 && status < 500 && codes.length > 0 && codes.every((code) => REFUSALS.test(code))
      : status === 200;
    if (!isRight)
      return void parentPort?.postMessage(`${status} ${JSON.stringify(answer).slice(0, 300)} to ${text.slice(0, 200)}`);
  }
  parentPort?.postMessage(null);
}

function send(url: string, token: string, text: string): Promise<{ status: number; answer: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const asking = request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => void chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: Number(response.statusCode), answer: JSON.parse(Buffer.concat(chunks).toString()) }),
        );
      },
    );
    asking.on('error', reject);
    asking.end(text);
  });
}

if (!isMainThread) await sendAll();
