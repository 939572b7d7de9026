import pg from 'pg';
import { AdaptiveLimit, MAX_LIMIT, MIN_LIMIT, WINDOW_MS } from '../../gateway/adaptive-limit.ts';
import { type Asker, BURST_WAIT_MS, MAX_WAITING, Shedding, STANDING_WAIT_MS } from '../../gateway/shedding.ts';
import type { ClientError } from '../../schema/errors.ts';
import { until } from '../kernel/by-hand.ts';
import { openGatewayWorld } from '../setup/gateway.ts';

/** A server that works on so many operations at once and lets the others wait; time passes as the test says. */
class Server {
  now = 0;
  private readonly backlog: (() => void)[] = [];
  private free: number;
  readonly shedding = new Shedding(() => this.now);
  readonly served: string[] = [];
  private readonly work: { at: number; run: () => void }[] = [];

  constructor(workers: number) {
    this.free = workers;
  }

  private at(ms: number, run: () => void): void {
    let [low, high] = [0, this.work.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.work[middle] as { at: number }).at > ms) low = middle + 1;
      else high = middle;
    }
    this.work.splice(low, 0, { at: ms, run });
  }

  private serve(serviceMs: number, done: () => void): void {
    if (this.free === 0) return void this.backlog.push(() => this.serve(serviceMs, done));
    this.free--;
    this.at(this.now + serviceMs, () => {
      this.free++;
      done();
      this.backlog.shift()?.();
    });
  }

  /** Somebody comes at a time and, once it is their turn, takes `serviceMs`. */
  comes(ms: number, tenant: string, serviceMs: number, outcome: Record<string, Outcomes>, person = 'ada'): void {
    this.at(ms, () => {
      outcome[tenant] ??= { served: 0, refused: 0, tookMs: [] };
      const told = outcome[tenant];
      const asker: Asker = { caller: { tenantId: tenant, userId: person, keyId: null, kind: 'USER' }, address: '' };
      void Promise.resolve()
        .then(() => this.shedding.enter(asker))
        .then(
          (turn) => {
            this.served.push(`${tenant}/${person}`);
            this.serve(serviceMs, () => {
              told.served++;
              told.tookMs.push(this.now - ms);
              turn.end();
            });
          },
          () => {
            told.refused++;
          },
        );
    });
  }

  /** Lets time pass until nothing is left to happen. */
  async run(): Promise<void> {
    while (this.work.length > 0) {
      const next = this.work.pop() as { at: number; run: () => void };
      this.now = Math.max(this.now, next.at);
      next.run();
      for (let i = 0; i < 5; i++) await Promise.resolve();
    }
  }
}

interface Outcomes {
  served: number;
  refused: number;
  tookMs: number[];
}

const p95 = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0;
const asker = (tenantId: string | null, userId: string | null = 'ada', address = '10.0.0.1'): Asker => ({
  caller: { tenantId, userId, keyId: null, kind: userId ? 'USER' : 'ANONYMOUS' },
  address,
});

test('who comes while little runs is let in at once', () => {
  const shedding = new Shedding();
  const turn = shedding.enter(asker('kestrel'));
  expect(turn).not.toBeInstanceOf(Promise);
  expect(shedding.state.running).toBe(1);
  (turn as { end(): void }).end();
  (turn as { end(): void }).end(); // to end twice frees no second place
  expect(shedding.state.running).toBe(0);
});

test('at three times what can be done, what can be done is done, and the others hear so soon', async () => {
  const server = new Server(10);
  const outcome: Record<string, Outcomes> = {};
  const seconds = 30;
  // Ten workers of 20 ms: 500 a second can be served, and 1,500 come.
  for (let ms = 0; ms < seconds * 1_000; ms += 1 / 1.5) server.comes(ms, `tenant-${Math.floor(ms) % 7}`, 20, outcome);
  await server.run();
  const all = Object.values(outcome);
  expect(all.reduce((sum, { served }) => sum + served, 0)).toBeGreaterThan(500 * seconds * 0.95);
  expect(p95(all.flatMap(({ tookMs }) => tookMs))).toBeLessThanOrEqual(2 * STANDING_WAIT_MS);
  const least = Math.min(...all.map(({ served }) => served));
  expect(Math.max(...all.map(({ served }) => served))).toBeLessThan(least * 1.1);
  expect(server.shedding.state).toMatchObject({ running: 0, waiting: 0 });
});

test('a tenant that floods delays the others by hardly anything, and has what they leave', async () => {
  const server = new Server(10);
  const outcome: Record<string, Outcomes> = {};
  for (let ms = 0; ms < 10_000; ms += 0.5) server.comes(ms, 'noisy', 20, outcome);
  for (let ms = 0; ms < 10_000; ms += 10) server.comes(ms, `quiet-${(ms / 10) % 5}`, 20, outcome);
  await server.run();
  const { noisy, ...quiet } = outcome as { noisy: Outcomes } & Record<string, Outcomes>;
  for (const { served, refused, tookMs } of Object.values(quiet)) {
    expect(served / (served + refused)).toBeGreaterThanOrEqual(0.99);
    expect(p95(tookMs)).toBeLessThanOrEqual(100);
  }
  expect(noisy.served).toBeGreaterThan(3_500);
  expect(noisy.refused).toBeGreaterThan(noisy.served);
});

test('a tenant whose operations hang leaves places for the others', async () => {
  const server = new Server(1_000);
  const outcome: Record<string, Outcomes> = {};
  for (let ms = 0; ms < 20_000; ms += 5) server.comes(ms, 'hanging', 5_000, outcome);
  for (let ms = 1_000; ms < 20_000; ms += 20) server.comes(ms, 'quick', 20, outcome);
  await server.run();
  expect(outcome.quick).toMatchObject({ served: 950, refused: 0 });
});

test('within a tenant one person after the other has a turn', async () => {
  const server = new Server(10);
  const outcome: Record<string, Outcomes> = {};
  for (let i = 0; i < 60; i++) server.comes(0, 'kestrel', 100, outcome, 'loud');
  for (const person of ['ada', 'ben']) server.comes(1, 'kestrel', 100, outcome, person);
  await server.run();
  expect(outcome.kestrel?.served).toBeGreaterThan(40);
  expect(server.served.indexOf('kestrel/ada')).toBeLessThan(28);
  expect(server.served.indexOf('kestrel/ben')).toBeLessThan(30);
});

test('strangers share one line, in which each address has its turn', async () => {
  const shedding = new Shedding();
  const turns: { end(): void }[] = [];
  while (shedding.state.waiting === 0 && turns.length < MAX_LIMIT) {
    const turn = shedding.enter(asker(null, null, '10.6.6.6'));
    if (turn instanceof Promise) void turn.then((late) => turns.push(late));
    else turns.push(turn);
  }
  const kestrel = shedding.enter(asker('kestrel'));
  expect(kestrel).not.toBeInstanceOf(Promise);
  const order: string[] = [];
  for (const address of ['10.6.6.6', '10.6.6.6', '10.0.0.9'])
    void Promise.resolve(shedding.enter(asker(null, null, address))).then(() => order.push(address));
  for (const turn of turns.splice(0, 4)) turn.end();
  await new Promise((resolve) => setImmediate(resolve));
  expect(order.slice(0, 2).sort()).toEqual(['10.0.0.9', '10.6.6.6']);
});

test('who hears that it is too much hears when to come back', async () => {
  const shedding = new Shedding();
  const asked = Array.from({ length: 2_000 }, async () => shedding.enter(asker('kestrel')));
  const refusals = (await Promise.allSettled(asked)).slice(-10) as PromiseRejectedResult[];
  for (const { reason } of refusals) {
    expect((reason as ClientError).code).toBe('OVERLOADED');
    expect((reason as ClientError).extensions.retryAfterMs).toBeGreaterThanOrEqual(1_000);
    expect((reason as ClientError).extensions.retryAfterMs).toBeLessThanOrEqual(2_000);
  }
});

test('who goes away while they wait takes up no place', async () => {
  const shedding = new Shedding();
  const turns: { end(): void }[] = [];
  for (;;) {
    const turn = shedding.enter(asker('kestrel'));
    if (turn instanceof Promise) {
      turn.catch(() => undefined);
      break;
    }
    turns.push(turn);
  }
  const left = new AbortController();
  const leaving = Promise.resolve(shedding.enter({ ...asker('kestrel'), signal: left.signal }));
  expect(shedding.state.waiting).toBe(2);
  left.abort();
  await expect(leaving).rejects.toMatchObject({ code: 'OVERLOADED' });
  expect(shedding.state.waiting).toBe(1);
  for (const turn of turns) turn.end();
  expect(shedding.state).toMatchObject({ running: 1, waiting: 0 });
});

test('however many come, and from wherever, so many wait and no more', async () => {
  const shedding = new Shedding();
  for (let i = 0; i < 50_000; i++)
    Promise.resolve(shedding.enter(asker(`tenant-${i % 5_000}`, `user-${i}`))).catch(() => undefined);
  expect(shedding.state.waiting).toBeLessThanOrEqual(MAX_WAITING);
  await new Promise((resolve) => setTimeout(resolve, 2 * BURST_WAIT_MS));
  expect(shedding.state.waiting).toBe(0);
});

describe('how much may run at once', () => {
  /** Operations of a server with so many cores, of which each takes `ms` when it is alone; all places are taken. */
  function crowd(limit: AdaptiveLimit, cores: number, ms: number, from: number, windows: number): number {
    let now = from;
    for (let i = 0; i < windows; i++) {
      for (let j = 0; j < 50; j++) {
        limit.began(limit.current);
        limit.full();
        limit.ended(ms * Math.max(1, limit.current / cores), now);
      }
      now += WINDOW_MS;
      limit.ended(ms * Math.max(1, limit.current / cores), now);
    }
    return now;
  }
  function rest(limit: AdaptiveLimit, ms: number, from: number): number {
    for (let i = 0; i < 50; i++) {
      limit.began(2);
      limit.ended(ms, from + i);
    }
    limit.ended(ms, from + WINDOW_MS);
    return from + WINDOW_MS;
  }

  test('shrinks to what is quick, however long the crowd stays', () => {
    const limit = new AdaptiveLimit(0);
    const now = crowd(limit, 2, 5, rest(limit, 5, 0), 400);
    expect(limit.current).toBeLessThanOrEqual(2 * MIN_LIMIT);
    crowd(limit, 2, 5, now, 4_000);
    expect(limit.current).toBeLessThanOrEqual(2 * MIN_LIMIT);
    expect(limit.current).toBeGreaterThanOrEqual(MIN_LIMIT);
  });

  test('grows to what a wide server can do', () => {
    const limit = new AdaptiveLimit(0);
    crowd(limit, 60, 50, rest(limit, 50, 0), 400);
    expect(limit.current).toBeGreaterThan(60);
  });

  test('recovers within seconds when a slow spell is over', () => {
    const limit = new AdaptiveLimit(0);
    const slow = crowd(limit, 60, 2_000, rest(limit, 20, 0), 20);
    expect(limit.current).toBeLessThanOrEqual(MIN_LIMIT);
    crowd(limit, 60, 20, slow, 60);
    expect(limit.current).toBeGreaterThan(60);
  });
});

describe('a gateway of which one tenant asks too much', () => {
  const NO_RATES = { RATE_PER_CALLER: '1000000', RATE_PER_TENANT: '1000000' };
  let open: Awaited<ReturnType<typeof openGatewayWorld>>;
  let holder: pg.Client;
  beforeAll(async () => {
    open = await openGatewayWorld(NO_RATES);
    holder = new pg.Client({ connectionString: open.world.databaseUrl });
    await holder.connect();
  });
  afterAll(async () => {
    await holder.end();
    await open.close();
  });

  test('answers the others, and its health; the tenant hears 503 and when to come back', async () => {
    const { client, password } = open;
    const wren = await client.signIn('wren@kestrel.example', password);
    const ingrid = await client.signIn('ingrid@northwind.example', password);
    const customers = () => ingrid.ask<object, object>('{ customers(first: 1) { nodes { name } } }');
    await Promise.all([wren.ask('{ tenant { slug } }'), customers()]);

    await holder.query('begin; lock table tenancy.tenant in access exclusive mode'); // now whatever she asks takes time
    const flood = Array.from({ length: 600 }, () => wren.ask<object, object>('{ tenant { slug } }'));
    await until('she has filled her share', () => Number(open.gateway.graph.parts.shedding?.state.waiting) > 0);
    const startedAt = performance.now();
    expect((await customers()).errors).toBeUndefined();
    expect((await fetch(client.url.replace('/graphql', '/health/live'))).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(3_000); // of the ten seconds that hers take
    await holder.query('rollback');

    const answers = await Promise.all(flood);
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers, errors } of refused) {
      expect(['1', '2']).toContain(headers.get('retry-after'));
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['OVERLOADED']);
    }
    expect(answers.some(({ status, errors }) => status === 200 && !errors)).toBe(true);
    await until('nothing is left', () => open.gateway.graph.parts.shedding?.state.running === 0);
    expect((await wren.ask<object, object>('{ tenant { slug } }')).errors).toBeUndefined();
  });
});
