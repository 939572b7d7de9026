/** One hostile request: what is sent where, and how. */
export interface Input {
  kind: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: Buffer;
  /** How the body travels: whole, in pieces with pauses, or not to its end. */
  pace: 'WHOLE' | 'SLOW' | 'CUT';
}

/** Numbers that look drawn and come out the same for a seed (mulberry32). */
export function drawing(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number) => Math.floor(next() * n);
  const oneOf = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  return { next, below, oneOf };
}
export type Draw = ReturnType<typeof drawing>;

const OPERATIONS: readonly { query: string; variables: Record<string, unknown> }[] = [
  { query: '{ tenant { slug name license { version state enabledFeatures } } }', variables: {} },
  {
    query: `query Glance($id: ID!, $n: Int = 3, $all: Boolean = true) { customer(id: $id) { ...C contacts @include(if: $all) { displayName } } }
      fragment C on Customer { name balance { amountMinor currency } services(first: $n) { nodes { number status plan { code } } } tickets(first: $n) { nodes { subject } } }`,
    variables: { id: '01990000-0000-7000-8000-000000007031', n: 3, all: true },
  },
  {
    query:
      'query List($f: CustomerFilter, $n: Int!, $a: String) { customers(filter: $f, first: $n, after: $a) { nodes { id name } pageInfo { endCursor } } }',
    variables: { f: { text: 'a' }, n: 5, a: null },
  },
  {
    query:
      'query T($o: TicketOrder!, $f: TicketFilter) { tickets(orderBy: $o, filter: $f, first: 3) { edges { cursor node { id number tags } } } }',
    variables: { o: 'NEWEST', f: { status: ['OPEN'] } },
  },
  {
    query:
      'mutation O($input: OpenTicketInput!) { openTicket(input: $input) { ticket { id number } userErrors { code message } } }',
    variables: { input: { subject: 'a', bodyText: 'b', idempotencyKey: 'c', tags: ['d'] } },
  },
  { query: '{ __type(name: "Customer") { fields { name type { name } } } }', variables: {} },
  { query: 'subscription L($after: Int) { licenseUpdated(after: $after) { kind version } }', variables: { after: 1 } },
];

const TEXTS = [
  '',
  'x',
  '\0',
  '\ud800',
  '__proto__',
  'constructor',
  '😀',
  "'; drop table x; --",
  '{{x}}',
  '../../etc/passwd',
];
const NUMBERS = [
  '1e999',
  '-1e999',
  '9007199254740993',
  '-0',
  '1.5',
  '1e-7',
  '2147483648',
  '00',
  '0x10',
  '1'.repeat(400),
];
const NAMES = [
  'id',
  'tenant',
  '__typename',
  '__schema',
  '_entities',
  '_service',
  'x',
  'A'.repeat(300),
  'first',
  'on',
  'null',
];
const PIECES = [
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  '!',
  '$',
  '@',
  ':',
  '...',
  '|',
  '=',
  '"',
  '"""',
  '#',
  ',',
  '&',
  '\\u0000',
  '﻿',
  '{a',
  '@include(if: true)',
  'query',
  'mutation',
  'subscription',
  'fragment F on Query',
  '...F',
  '1e5',
  '-',
  'true',
];

/** JSON text of a value nobody expects; `room` bounds how deep it goes. */
function wildValue(draw: Draw, room = 4): string {
  const kind = draw.below(room > 0 ? 9 : 6);
  if (kind === 0) return 'null';
  if (kind === 1) return draw.oneOf(['true', 'false']);
  if (kind === 2) return draw.oneOf(NUMBERS);
  if (kind === 3) return JSON.stringify(draw.oneOf(TEXTS));
  if (kind === 4) return JSON.stringify(draw.oneOf(TEXTS).repeat(draw.below(3_000)));
  if (kind === 5) return String(draw.below(2 ** 31) - 2 ** 30);
  if (kind === 6) return `[${Array.from({ length: draw.below(5) }, () => wildValue(draw, room - 1)).join(',')}]`;
  if (kind === 7)
    return `{${Array.from({ length: draw.below(5) }, () => `${JSON.stringify(draw.oneOf([...TEXTS, ...NAMES]))}:${wildValue(draw, room - 1)}`).join(',')}}`;
  const depth = draw.below(6_000);
  return draw.below(2) ? '['.repeat(depth) + ']'.repeat(depth) : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

/** A document with a few of its tokens lost, doubled, exchanged or replaced. */
function garbled(draw: Draw, text: string): string {
  const tokens = text.split(/(\s+|[{}()[\]:!$@,=|&]|\.\.\.)/).filter(Boolean);
  for (let i = 0; i <= draw.below(4); i++) {
    const at = draw.below(tokens.length);
    const kind = draw.below(7);
    if (kind === 0) tokens.splice(at, 1 + draw.below(3));
    else if (kind === 1) tokens.splice(at, 0, ...tokens.slice(at, at + 1 + draw.below(20)));
    else if (kind === 2) tokens.splice(at, 1, tokens[draw.below(tokens.length)] ?? '');
    else if (kind === 3) tokens.splice(at, 0, ` ${draw.oneOf(PIECES)} `);
    else if (kind === 4) tokens.splice(at, 1, draw.oneOf(NAMES));
    else if (kind === 5) tokens.splice(at, 0, `${draw.oneOf(PIECES)} `.repeat(draw.below(2_000)));
    else tokens.splice(at, 0, draw.oneOf(TEXTS));
  }
  return tokens.join('');
}

/** Bytes with a few of them changed, lost or repeated. */
function scratched(draw: Draw, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let i = 0; i <= draw.below(8); i++) copy[draw.below(copy.length)] = draw.below(256);
  const kind = draw.below(4);
  if (kind === 0) return copy.subarray(0, draw.below(copy.length));
  if (kind === 1) return Buffer.concat([copy, copy.subarray(draw.below(copy.length))]);
  return copy;
}

const JSON_TYPE = { 'content-type': 'application/json' };

function request(kind: string, body: string | Buffer, more: Partial<Input> = {}): Input {
  return {
    kind,
    method: 'POST',
    path: '/graphql',
    headers: JSON_TYPE,
    pace: 'WHOLE',
    body: Buffer.from(body as string),
    ...more,
  };
}

const bodyOf = ({ query, variables }: { query: string; variables?: unknown }) => JSON.stringify({ query, variables });

/** The kinds of hostile input over HTTP, each drawing another one every time. */
const KINDS: readonly ((draw: Draw) => Input)[] = [
  (draw) => request('random bytes', Buffer.from(Array.from({ length: draw.below(2_000) }, () => draw.below(256)))),
  (draw) => request('scratched bodies', scratched(draw, Buffer.from(bodyOf(draw.oneOf(OPERATIONS))))),
  (draw) => {
    const { query, variables } = draw.oneOf(OPERATIONS);
    return request('garbled documents', bodyOf({ query: garbled(draw, query), variables }));
  },
  (draw) => {
    const { query, variables } = draw.oneOf(OPERATIONS);
    const names = [...Object.keys(variables), draw.oneOf(NAMES)];
    const wild = names.map((name) => `${JSON.stringify(name)}:${wildValue(draw)}`).join(',');
    return request('wrong variables', `{"query":${JSON.stringify(query)},"variables":{${wild}}}`);
  },
  (draw) => {
    const { query } = draw.oneOf(OPERATIONS);
    const field = draw.oneOf([
      'query',
      'variables',
      'operationName',
      'extensions',
      'id',
      'documentId',
      '__proto__',
      'x',
    ]);
    return request(
      'wrong and doubled members',
      `{"query":${JSON.stringify(query)},"${field}":${wildValue(draw)},"query":${draw.below(2) ? JSON.stringify(query) : wildValue(draw)}}`,
    );
  },
  (draw) => request('JSON that is no request', wildValue(draw, 6)),
  (draw) => {
    const type = draw.oneOf([
      'text/plain',
      'application/json; charset=utf-16',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/graphql',
      '',
      '; ;',
      'APPLICATION/JSON',
      'application/graphql+json',
    ]);
    return request('content types', bodyOf(draw.oneOf(OPERATIONS)), { headers: { 'content-type': type } });
  },
  (draw) => {
    const accept = draw.oneOf([
      '',
      'text/html',
      '*/*;q=0',
      'application/graphql-response+json',
      'text/event-stream',
      'multipart/mixed',
      'multipart/mixed;subscriptionSpec="1.0"',
      'x'.repeat(5_000),
      ',,,',
      'multipart/mixed;deferSpec=20220824',
    ]);
    const { query, variables } = draw.oneOf(OPERATIONS);
    const text = draw.below(2) ? garbled(draw, query) : query;
    return request('accepted types', bodyOf({ query: text, variables }), { headers: { ...JSON_TYPE, accept } });
  },
  (draw) => {
    const { query, variables } = draw.oneOf(OPERATIONS);
    const search = new URLSearchParams({ query: draw.below(2) ? query : garbled(draw, query) });
    if (draw.below(2))
      search.set('variables', draw.below(2) ? JSON.stringify(variables) : wildValue(draw, 2).slice(0, 4_000));
    if (draw.below(2)) search.set(draw.oneOf(['extensions', 'operationName', 'x']), wildValue(draw, 2).slice(0, 4_000));
    const path = `/graphql?${search}`.slice(0, 12_000);
    return request('GET', '', {
      method: 'GET',
      path,
      body: undefined,
      headers: draw.below(3) ? { 'apollo-require-preflight': '1' } : {},
    });
  },
  (draw) => {
    const method = draw.oneOf(['PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'GET', 'POST', 'PROPFIND']);
    const path = draw.oneOf([
      '/',
      '/graphql',
      '/graphql/',
      '//',
      '/%00',
      '/..%2f..%2f',
      '/health/live',
      '/.well-known/jwks.json',
      '/graphiql',
      '/graphql?%',
      '/graphql#x',
      `/${'a'.repeat(5_000)}`,
      '/graphql?query',
    ]);
    return request('methods and paths', method === 'HEAD' || method === 'GET' ? '' : '{}', { method, path });
  },
  (draw) => {
    const headers: Record<string, string> = { ...JSON_TYPE };
    const name = draw.oneOf([
      'authorization',
      'cookie',
      'origin',
      'traceparent',
      'x-forwarded-for',
      'x-request-id',
      'content-encoding',
      'transfer-encoding-x',
      'isp-envelope',
      'accept-encoding',
    ]);
    headers[name] = draw.oneOf([
      'Bearer',
      'Bearer a.b.c',
      'Basic eA==',
      '\t',
      '__Host-isp_rt=',
      `__Host-isp_rt=${'x'.repeat(3_000)}`,
      '00-zz-zz-01',
      'gzip',
      'null',
      'https://evil.example',
      'é',
      `Bearer ${'e'.repeat(4_000)}`,
    ]);
    return request('headers', bodyOf(draw.oneOf(OPERATIONS)), { headers });
  },
  (draw) => request('slow bodies', bodyOf(draw.oneOf(OPERATIONS)), { pace: 'SLOW' }),
  (draw) => request('bodies that never end', bodyOf(draw.oneOf(OPERATIONS)), { pace: 'CUT' }),
  (draw) => request('large bodies', `{"query":"{ tenant { slug } }","x":"${'x'.repeat(draw.below(600_000))}"}`),
];

export const drawInput = (draw: Draw): Input => draw.oneOf(KINDS)(draw);

/** Messages for a socket: right ones, garbled ones, and what is no message. */
export function drawMessages(draw: Draw, token: string): (string | Buffer)[] {
  const init = JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
  const one = (): string | Buffer => {
    const { query, variables } = draw.oneOf(OPERATIONS);
    const id = JSON.stringify(draw.oneOf(['1', '2', '', 'x'.repeat(300)]));
    const kind = draw.below(8);
    if (kind === 0) return wildValue(draw).slice(0, 60_000);
    if (kind === 1) return `{"id":${id},"type":"subscribe","payload":${wildValue(draw).slice(0, 60_000)}}`;
    if (kind === 2)
      return JSON.stringify({
        id: '3',
        type: draw.oneOf(['complete', 'ping', 'pong', 'next', 'connection_init', 'x', '__proto__']),
      });
    if (kind === 3)
      return `{"id":${id},"type":"subscribe","payload":{"query":${JSON.stringify(query)},"variables":${wildValue(draw).slice(0, 30_000)}}}`;
    if (kind === 4) return Buffer.from(Array.from({ length: draw.below(200) }, () => draw.below(256)));
    if (kind === 5) return JSON.stringify({ id: '4', type: 'subscribe', payload: { query, variables } });
    const payload = { query: garbled(draw, query).slice(0, 40_000), variables };
    return JSON.stringify({ id: String(draw.below(1_000)), type: 'subscribe', payload });
  };
  return [...(draw.below(5) ? [init] : []), ...Array.from({ length: 1 + draw.below(6) }, one)];
}
