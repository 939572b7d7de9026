import { setTimeout as sleep } from 'node:timers/promises';
import { CircuitBreaker, FAILURES_IN_A_ROW, OPEN_MS, TELLING_CALLS, WINDOW_MS } from '../../gateway/circuit-breaker.ts';
import type { CallOptions, DataSource } from '../../gateway/data-sources.ts';
import { remoteSubgraph, TRANSPORT, type TransportLimits } from '../../gateway/http-transport.ts';
import type { Logger } from '../../subgraphs/_kernel/telemetry.ts';
import { codeOf, until } from '../kernel/by-hand.ts';
import { hangs, hangsUp, type Liar, type Lie, openLiar, says } from '../setup/liar.ts';

const BODY = '{"query":"{ me { id } }"}';
const ME = { data: { me: { id: '1' } } };
const SOON = { timeoutMs: 5_000 };

const logged: unknown[] = [];
const log = { warn: (...said: unknown[]) => void logged.push(said) } as unknown as Logger;

let liar: Liar;
const sources: DataSource[] = [];
beforeEach(async () => {
  liar = await openLiar(says(ME));
});
afterEach(async () => {
  for (const source of sources.splice(0)) await source.close();
  await liar.close();
});

function reach(limits: Partial<TransportLimits> = {}, path = '/graphql'): DataSource {
  const source = remoteSubgraph('accounts', new URL(path, liar.url).href, log, { ...TRANSPORT, ...limits });
  sources.push(source);
  return source;
}

const ask = (source: DataSource, options: Partial<CallOptions> = {}) =>
  source.execute(BODY, 'envelope', { ...SOON, ...options });

/** A lie that is told when `go` is called, to everybody who waits by then and after. */
function held(lie: Lie): { lie: Lie; go: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { lie: async (...asked) => promise.then(() => lie(...asked)), go: resolve };
}

describe('a call', () => {
  test('brings the body, the envelope and the headers that are passed on, and no more than that', async () => {
    let heard = '';
    liar.lie = (response, body, request) => {
      heard = body;
      says(ME)(response, body, request);
    };
    const source = reach({}, '/api/graphql?stage=live');
    expect(await ask(source, { headers: ['authorization', 'Bearer me'] })).toEqual(ME);
    await source.execute(BODY, undefined, SOON);
    const [first, second] = liar.requests;
    expect(heard).toBe(BODY);
    expect([first?.method, first?.url]).toEqual(['POST', '/api/graphql?stage=live']);
    expect(first?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(BODY.length),
      'isp-envelope': 'envelope',
      authorization: 'Bearer me',
    });
    expect(second?.headers).not.toHaveProperty('isp-envelope');
    expect(second?.headers).not.toHaveProperty('authorization');
  });

  test.each([
    ['application/json; charset=utf-8', 200],
    ['application/graphql-response+json', 200],
    ['Application/JSON', 400],
    ['application/graphql-response+json;charset=utf-8', 503],
  ])('takes errors for an answer whatever the status: %s, HTTP %d', async (type, status) => {
    const answer = { data: null, errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }] };
    liar.lie = says(answer, status, { 'content-type': type });
    expect(await ask(reach())).toEqual(answer);
  });

  test('puts together what comes in pieces, in the middle of a letter too', async () => {
    const answer = { data: { me: { name: 'Łukasz Żółć 🦆'.repeat(100) } } };
    const bytes = Buffer.from(JSON.stringify(answer));
    liar.lie = async (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      for (let at = 0; at < bytes.length; at += 333) {
        response.write(bytes.subarray(at, at + 333));
        await sleep(1);
      }
      response.end();
    };
    expect(await ask(reach())).toEqual(answer);
  });

  test('takes an answer of eight megabytes, and not a byte more', async () => {
    const MB8 = TRANSPORT.answerBytes;
    const ofSize = (size: number) => `{"data":{"me":"${'x'.repeat(size - 18)}"}}`;
    expect(ofSize(100)).toHaveLength(100);
    const source = reach();
    liar.lie = says(ofSize(MB8));
    expect(await ask(source)).toHaveProperty('data.me');
    liar.lie = says(ofSize(MB8 + 1));
    expect(await codeOf(ask(source))).toBe('SUBGRAPH_UNAVAILABLE');
  });

  test('goes over connections that are kept', async () => {
    const source = reach();
    for (let i = 0; i < 50; i++) await ask(source);
    expect(liar.connections()).toBeLessThanOrEqual(2);
  });

  test('is given up at its deadline, and the subgraph is told', async () => {
    liar.lie = hangs;
    expect(await codeOf(ask(reach(), { timeoutMs: 50 }))).toBe('SUBGRAPH_TIMEOUT');
    await until('the connection is closed', () => liar.connections() === 0);
  });

  test('is given up when its caller leaves, and the subgraph is told', async () => {
    liar.lie = hangs;
    const left = new AbortController();
    const asked = codeOf(ask(reach(), { signal: left.signal }));
    await until('it is asked', () => liar.requests.length === 1);
    left.abort();
    expect(await asked).toBe('SUBGRAPH_UNAVAILABLE');
    await until('the connection is closed', () => liar.connections() === 0);
    expect(await codeOf(ask(reach(), { signal: left.signal }))).toBe('SUBGRAPH_UNAVAILABLE');
    expect(liar.requests).toHaveLength(1);
  });

  test('that changes something is not given up because its caller leaves', async () => {
    const { lie, go } = held(says(ME));
    liar.lie = lie;
    const left = new AbortController();
    const asked = ask(reach(), { signal: left.signal, isMutation: true });
    await until('it is asked', () => liar.requests.length === 1);
    left.abort();
    go();
    expect(await asked).toEqual(ME);
  });

  test('is refused once the gateway has shut down', async () => {
    const source = reach();
    await ask(source);
    await source.close();
    expect(await codeOf(ask(source))).toBe('SUBGRAPH_UNAVAILABLE');
  });
});

describe('a connection that is closed before anything was said on it', () => {
  const once: Lie = (response, ...rest) => {
    liar.lie = says(ME);
    hangsUp(response, ...rest);
  };

  test('costs a query nothing: it is sent once more', async () => {
    const source = reach();
    liar.lie = once;
    expect(await ask(source)).toEqual(ME);
    expect(liar.requests).toHaveLength(2);
  });

  test('costs a query its answer when it happens again', async () => {
    liar.lie = hangsUp;
    expect(await codeOf(ask(reach()))).toBe('SUBGRAPH_UNAVAILABLE');
    expect(liar.requests).toHaveLength(2);
  });

  test('costs a mutation its answer: it is never sent twice', async () => {
    liar.lie = once;
    expect(await codeOf(ask(reach(), { isMutation: true }))).toBe('SUBGRAPH_UNAVAILABLE');
    expect(liar.requests).toHaveLength(1);
  });

  test('and one that is closed in the middle of an answer is not asked again', async () => {
    liar.lie = (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      response.write('{');
      setTimeout(() => response.socket?.destroy(), 10);
    };
    expect(await codeOf(ask(reach()))).toBe('SUBGRAPH_UNAVAILABLE');
    expect(liar.requests).toHaveLength(1);
  });

  test('is nothing to a thousand queries whose subgraph closes what is idle over and over', async () => {
    const source = reach();
    for (let i = 0; i < 1_000; i++) {
      expect(await ask(source)).toEqual(ME);
      if (i % 10 === 0) liar.closeIdle();
    }
  });
});

describe('a subgraph that is slow', () => {
  test('is asked so much at once, and no more', async () => {
    const { lie, go } = held(says(ME));
    liar.lie = lie;
    const source = reach({ connections: 3, waiting: 5 });
    const asked = Array.from({ length: 8 }, () => ask(source));
    await until('it is asked', () => liar.requests.length === 3);
    const startedAt = performance.now();
    expect(await codeOf(ask(source))).toBe('OVERLOADED');
    expect(performance.now() - startedAt).toBeLessThan(100);
    expect(liar.requests).toHaveLength(3);
    go();
    expect(await Promise.all(asked)).toEqual(Array(8).fill(ME));
    expect(liar.connections()).toBeLessThanOrEqual(3);
    expect(await ask(source)).toEqual(ME);
  });

  test('never hears of a call that was given up while it waited', async () => {
    const { lie, go } = held(says(ME));
    liar.lie = lie;
    const source = reach({ connections: 1, waiting: 3 });
    const first = ask(source);
    const left = new AbortController();
    const waiting = [ask(source, { signal: left.signal }), ask(source, { timeoutMs: 50 })].map(codeOf);
    await until('it is asked', () => liar.requests.length === 1);
    left.abort();
    expect(await Promise.all(waiting)).toEqual(['SUBGRAPH_UNAVAILABLE', 'SUBGRAPH_TIMEOUT']);
    const others = [ask(source), ask(source), ask(source)]; // their places are free again
    go();
    expect(await Promise.all([first, ...others])).toEqual(Array(4).fill(ME));
    expect(liar.requests).toHaveLength(4);
  });

  test('still says that it is ready', async () => {
    liar.lie = (response, body, request) =>
      (request.url === '/health/ready' ? says({ subgraph: 'accounts' }) : hangs)(response, body, request);
    const source = reach({ connections: 1, waiting: 0 });
    const asked = codeOf(ask(source, { timeoutMs: 500 }));
    expect(await source.isReady()).toBe(true);
    expect(await asked).toBe('SUBGRAPH_TIMEOUT');
  });
});

describe('a subgraph that fails', () => {
  test('is left alone after a few failures, and asked by one call at a time until it answers', async () => {
    const source = reach();
    liar.lie = says('down', 500, { 'content-type': 'text/plain' });
    for (let i = 0; i < FAILURES_IN_A_ROW; i++) expect(await codeOf(ask(source))).toBe('SUBGRAPH_UNAVAILABLE');
    for (let i = 0; i < 20; i++) expect(await codeOf(ask(source))).toBe('SUBGRAPH_UNAVAILABLE');
    expect(liar.requests).toHaveLength(FAILURES_IN_A_ROW);
    await sleep(OPEN_MS + 50);
    const answers = await Promise.all(Array.from({ length: 10 }, () => codeOf(ask(source))));
    expect(answers).toEqual(Array(10).fill('SUBGRAPH_UNAVAILABLE'));
    expect(liar.requests).toHaveLength(FAILURES_IN_A_ROW + 1);
    liar.lie = says(ME);
    await sleep(OPEN_MS + 50);
    expect(await ask(source)).toEqual(ME);
    expect(await Promise.all(Array.from({ length: 10 }, () => ask(source)))).toEqual(Array(10).fill(ME));
  });

  test('is not left alone for errors in its answers', async () => {
    const source = reach();
    const answer = { data: null, errors: [{ message: 'No.', extensions: { code: 'INTERNAL' } }] };
    liar.lie = says(answer, 500);
    for (let i = 0; i < 3 * FAILURES_IN_A_ROW; i++) expect(await ask(source)).toEqual(answer);
  });

  test('is not left alone because callers leave', async () => {
    const source = reach();
    liar.lie = hangs;
    for (let i = 0; i < 3 * FAILURES_IN_A_ROW; i++) {
      const left = new AbortController();
      const asked = codeOf(ask(source, { signal: left.signal }));
      await until('it is asked', () => liar.requests.length === i + 1);
      left.abort();
      await asked;
    }
    liar.lie = says(ME);
    expect(await ask(source)).toEqual(ME);
  });
});

describe('a circuit breaker', () => {
  let now = 0;
  const breaker = () => new CircuitBreaker(() => now);
  beforeEach(() => {
    now = 1_000_000;
  });
  const tell = (held: CircuitBreaker, ...outcomes: Parameters<CircuitBreaker['tell']>[0][]) => {
    for (const outcome of outcomes) held.tell(outcome);
    return held;
  };
  const fails = (count: number) => Array(count).fill('FAILED') as 'FAILED'[];

  test('opens after some failures in a row; an answer between them begins the count anew', () => {
    expect(tell(breaker(), ...fails(FAILURES_IN_A_ROW - 1)).isOpen).toBe(false);
    expect(tell(breaker(), ...fails(FAILURES_IN_A_ROW - 1), 'ANSWERED', ...fails(FAILURES_IN_A_ROW - 1)).isOpen).toBe(
      false,
    );
    expect(tell(breaker(), ...fails(FAILURES_IN_A_ROW)).isOpen).toBe(true);
  });

  test('opens when half of many calls fail, though never many in a row', () => {
    const held = breaker();
    for (let i = 0; i < TELLING_CALLS / 2 - 1; i++) tell(held, 'ANSWERED', 'FAILED');
    expect(held.isOpen).toBe(false);
    expect(tell(held, 'ANSWERED', 'FAILED').isOpen).toBe(true);
  });

  test('forgets what was long ago', () => {
    const held = breaker();
    for (let i = 0; i < TELLING_CALLS / 2 - 1; i++) tell(held, 'ANSWERED', 'FAILED');
    now += 2 * WINDOW_MS;
    expect(tell(held, 'ANSWERED', 'FAILED').isOpen).toBe(false);
  });

  test('lets one call try after a while; what becomes of it decides', () => {
    const held = tell(breaker(), ...fails(FAILURES_IN_A_ROW));
    expect(held.admit()).toBe(false);
    now += OPEN_MS;
    expect([held.admit(), held.admit()]).toEqual([true, false]);
    tell(held, 'FAILED');
    expect(held.admit()).toBe(false);
    now += OPEN_MS;
    expect(held.admit()).toBe(true);
    tell(held, 'LEFT'); // the next one may try
    expect(held.admit()).toBe(true);
    tell(held, 'ANSWERED');
    expect([held.isOpen, held.admit(), held.admit()]).toEqual([false, true, true]);
  });
});
