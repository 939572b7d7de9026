import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { graphql, parse } from 'graphql';

const ROOT = resolve(import.meta.dirname, '../..');
const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n';

/** Foreign subgraphs, of another house, behind real HTTP; each notes the headers it gets. */
const PARTS: Record<string, { typeDefs: string; resolvers: object }> = {
  books: {
    typeDefs: `${LINK}type Query { books(first: Int): [Book!]! broken: Int } type Book @key(fields: "isbn") { isbn: ID! title: String! }`,
    resolvers: {
      Query: {
        books: () => [
          { isbn: '1', title: 'One' },
          { isbn: '2', title: 'Two' },
        ],
        broken: () => {
          throw new Error('The press is broken.');
        },
      },
    },
  },
  shop: {
    typeDefs: `${LINK}type Book @key(fields: "isbn") { isbn: ID! price: Int }`,
    resolvers: { Book: { __resolveReference: ({ isbn }: { isbn: string }) => ({ isbn, price: Number(isbn) * 10 }) } },
  },
};

const heard: Record<string, Record<string, unknown>[]> = { books: [], shop: [] };
const servers: Server[] = [];
let dir: string;
let file: string;

async function serve(name: string): Promise<string> {
  const { typeDefs, resolvers } = PARTS[name] as (typeof PARTS)[string];
  const schema = buildSubgraphSchema({ typeDefs: parse(typeDefs), resolvers: resolvers as never });
  const server = createServer(async (request, response) => {
    heard[name]?.push(request.headers);
    let text = '';
    for await (const chunk of request) text += chunk;
    const { query, variables } = JSON.parse(text);
    const result = await graphql({ schema, source: query, variableValues: variables });
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/path?key=1`;
}

/** Starts the gateway by its command, and waits until it serves or ends. */
async function start(...args: string[]): Promise<{ child: ChildProcess; url: string; said(): string; code?: number }> {
  const child = spawn('npm', ['run', '--silent', 'gateway', '--', ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, NODE_ENV: 'production' },
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      said += text;
    });
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null) return { child, url: '', said: () => said, code: child.exitCode };
    const port = /"port":(\d+)/.exec(said)?.[1];
    if (port) return { child, url: `http://127.0.0.1:${port}/graphql`, said: () => said };
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`It does not start: ${said}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  process.kill(-(child.pid as number), 'SIGTERM');
  await ended;
}

async function ask(url: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    ...((await response.json()) as { data?: unknown; errors?: { message: string }[] }),
  };
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dotmac-public-'));
  file = join(dir, 'supergraph.graphql');
  const services = await Promise.all(
    Object.entries(PARTS).map(async ([name, { typeDefs }]) => ({
      name,
      url: await serve(name),
      typeDefs: parse(typeDefs),
    })),
  );
  writeFileSync(file, String(composeServices(services).supergraphSdl));
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(dir, { recursive: true });
});

describe('Somebody else’s supergraph, served by one command', () => {
  let running: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    running = await start('--supergraph', file, '--port', '0', '--public', '--forward-header', 'Authorization');
  }, 60_000);
  afterAll(() => stop(running.child));

  test('is answered without sign-in, from wherever it says its subgraphs are', async () => {
    expect(await ask(running.url, { query: '{ books { title price } }' })).toEqual({
      status: 200,
      data: {
        books: [
          { title: 'One', price: 10 },
          { title: 'Two', price: 20 },
        ],
      },
    });
  });

  test('passes the named header on, whatever is in it, and no other', async () => {
    heard.shop = [];
    await ask(
      running.url,
      { query: '{ books { price } }' },
      { authorization: 'Basic YTpi', cookie: 'a=b', 'x-other': '1' },
    );
    expect(heard.shop).toHaveLength(1);
    expect(heard.shop[0]).toMatchObject({ authorization: 'Basic YTpi' });
    for (const name of ['cookie', 'x-other', 'isp-envelope']) expect(heard.shop[0]).not.toHaveProperty(name);
  });

  test('lets subgraphs speak for themselves', async () => {
    expect(await ask(running.url, { query: '{ books { title } broken }' })).toEqual({
      status: 200,
      data: { books: [{ title: 'One' }, { title: 'Two' }], broken: null },
      errors: [{ message: 'The press is broken.', path: ['broken'], extensions: { code: 'INTERNAL' } }],
    });
  });

  test('may be asked for much, and about its schema', async () => {
    const aliases = Array.from({ length: 200 }, (_, i) => `a${i}: books(first: 1) { title }`).join(' ');
    expect((await ask(running.url, { query: `{ ${aliases} }` })).errors).toBeUndefined();
    expect((await ask(running.url, { query: '{ __schema { queryType { name } } }' })).data).toEqual({
      __schema: { queryType: { name: 'Query' } },
    });
  });

  test('goes on, each part for itself, when a subgraph is away', async () => {
    servers[1]?.close();
    servers[1]?.closeAllConnections();
    const { data, errors } = await ask(running.url, { query: '{ books { title price } }' });
    expect(data).toEqual({
      books: [
        { title: 'One', price: null },
        { title: 'Two', price: null },
      ],
    });
    expect(JSON.stringify(errors)).not.toMatch(/127\.0\.0\.1|ECONN/);
  });
});

test.each([
  ['a file that is not there', ['--supergraph', '/nowhere.graphql', '--public'], 'There is no file /nowhere.graphql.'],
  ['no file', ['--public'], '--public needs --supergraph FILE.'],
  ['a supergraph without --public', ['--supergraph', 'x.graphql'], 'go with --public'],
  ['a port that is none', ['--supergraph', 'x.graphql', '--public', '--port', '99999999'], '--port is a number'],
  ['a word it does not know', ['--pubic'], '--pubic'],
])(
  '%s is refused with a sentence',
  async (_what, args, sentence) => {
    const { said, code } = await start(...args);
    expect(code).toBe(1);
    expect(said()).toContain(sentence);
    expect(said()).not.toMatch(/\n\s+at /);
  },
  30_000,
);
