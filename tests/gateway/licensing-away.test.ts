import { setTimeout as sleep } from 'node:timers/promises';
import { holdLicenses } from '../../gateway/licenses.ts';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { type AwayWorld, openAwayWorld } from '../setup/away.ts';
import type { GraphError, Person } from '../setup/gateway.ts';

const MINUTE_MS = 60_000;
const KESTREL = seedId('0a01');
const BOTH = '{ tenant { name } tickets(first: 1) { nodes { number } } contacts(first: 1) { nodes { id } } }';

describe('Licensing is away for twenty minutes, under load', () => {
  let away: AwayWorld;
  let ingrid: Person;
  let wren: Person;

  beforeAll(async () => {
    away = await openAwayWorld('licensing');
    const { client, world } = away;
    const password = String(world.config.SEED_PASSWORD);
    ingrid = await client.signIn('ingrid@northwind.example', password);
    wren = await client.signIn('wren@kestrel.example', password);
    for (const person of [ingrid, wren]) await person.ask(BOTH);
  }, 60_000);
  afterAll(() => away?.close());

  const codes = ({ errors = [] }: { errors?: readonly GraphError[] }) =>
    errors.map(({ extensions }) => extensions.code);
  const denialsKept = async () => {
    await away.gateway.graph.parts.denials?.flush();
    const [row] = await away.world.sql('select count(*)::int as kept from licensing.denial');
    return row.kept as number;
  };
  /** Asks for a while as both, several at once, and answers what came, and the longest it took. */
  const load = async (ms: number) => {
    const until = performance.now() + ms;
    const answers = { ingrid: new Set<string>(), wren: new Set<string>(), core: 0, count: 0, longestMs: 0 };
    const work = async (name: 'ingrid' | 'wren', person: Person) => {
      while (performance.now() < until) {
        const startedAt = performance.now();
        const answer = await person.ask<{ tenant: { name: string } | null }, object>(BOTH);
        answers.longestMs = Math.max(answers.longestMs, performance.now() - startedAt);
        answers[name].add(codes(answer).sort().join(' ') || 'whole');
        answers.core += answer.data?.tenant ? 1 : 0;
        answers.count += 1;
      }
    };
    await Promise.all([0, 1, 2].flatMap(() => [work('ingrid', ingrid), work('wren', wren)]));
    return answers;
  };

  test('core answers throughout; gated goes on for fifteen minutes, then nobody knows, and it is back within two seconds', async () => {
    const kept = await denialsKept();
    away.isAway = true;
    for (const minutes of [0.1, 5, 14.8]) {
      away.ahead = minutes * MINUTE_MS;
      const { ingrid: hers, wren: his, core, count, longestMs } = await load(700);
      expect([minutes, [...hers], [...his]]).toEqual([minutes, ['whole'], ['FEATURE_NOT_LICENSED']]);
      expect(core).toBe(count);
      expect(longestMs).toBeLessThan(2_500);
    }
    for (const minutes of [15.2, 20]) {
      away.ahead = minutes * MINUTE_MS;
      const { ingrid: hers, wren: his, core, count } = await load(700);
      const unknown = 'SUBGRAPH_UNAVAILABLE SUBGRAPH_UNAVAILABLE';
      expect([minutes, [...hers], [...his]]).toEqual([minutes, [unknown], [unknown]]);
      expect(core).toBe(count);
    }
    const refused = await ingrid.ask('{ contacts(first: 1) { nodes { id } } }');
    expect(refused.errors?.[0]).toEqual({
      ...{ message: 'The licence cannot be read right now. Please try again.', path: ['contacts'] },
      extensions: { code: 'SUBGRAPH_UNAVAILABLE' },
    });
    const write = await ingrid.ask(
      'mutation { createCustomer(input: { name: "Late Bakery", kind: BUSINESS }) { userErrors { code } } }',
    );
    expect(write.errors).toBeUndefined();

    away.isAway = false;
    const returnedAt = performance.now();
    while ((await ingrid.ask(BOTH)).errors && performance.now() - returnedAt < 5_000) await sleep(20);
    expect(performance.now() - returnedAt).toBeLessThan(2_000);
    expect(codes(await wren.ask(BOTH))).toEqual(['FEATURE_NOT_LICENSED']);

    // What was denied while licensing was away is written down now; what nobody knew was no denial.
    const rows = await away.world.sql(
      "select distinct reason, feature from licensing.denial where at > now() - interval '1 minute'",
    );
    expect(await denialsKept()).toBeGreaterThan(kept);
    expect(rows.every(({ reason, feature }) => reason === 'NOT_IN_PLAN' && feature === 'crm')).toBe(true);
  }, 60_000);

  test('a licence changed while its gateway could not hear is right from the moment it hears again', async () => {
    away.isAway = true;
    away.ahead += 3_000;
    expect((await ingrid.ask(BOTH)).errors).toBeUndefined();
    await away.world.sql(
      `select set_config('app.tenant_id', '${seedId('0a02')}', false);
       update kernel.entitlement set version = version + 1, course = '[{"from":"2020-01-01T00:00:00Z","state":"SUSPENDED","core":"READ","features":{}}]'
        where tenant_id = kernel.tenant_id();
       select kernel.finish('{"events":[],"platformEvents":[],"feed":[{"name":"licenses","subject":"${seedId('0a02')}"}]}')`,
    );
    expect((await ingrid.ask(BOTH)).errors).toBeUndefined();
    away.isAway = false;
    const returnedAt = performance.now();
    while (!(await ingrid.ask(BOTH)).errors && performance.now() - returnedAt < 5_000) await sleep(20);
    expect(performance.now() - returnedAt).toBeLessThan(2_000);
  }, 30_000);
});

test('licences are looked up without waiting for an owner that hangs, once it is known to', async () => {
  const fanOut = { onFeed: () => () => undefined } as never;
  let now = 0;
  let hangs = false;
  const view = {
    tenantId: KESTREL,
    licenseId: seedId('2a01'),
    version: 1,
    plan: 'starter',
    course: '[]',
    limits: '{}',
  };
  const answers: Record<string, object> = {
    licenseFeed: { head: 0, views: [], gone: [] },
    licenseViews: [view],
    confirmLicenses: true as never,
  };
  const ask = async (_: string, query: string) => {
    const name = Object.keys(answers).find((known) => query.includes(known)) as string;
    if (hangs) await new Promise((_done, fail) => setTimeout(() => fail(new Error('late')), 300));
    return { [name]: answers[name] } as never;
  };
  const licenses = holdLicenses(ask, fanOut, createLog({ LOG_LEVEL: 'silent' } as never, 'test'), () => now);
  try {
    expect((await licenses.get(KESTREL))?.version).toBe(1);
    hangs = true;
    now = 3_000;
    const timed = async () => {
      const startedAt = performance.now();
      const all = await Promise.all(Array.from({ length: 50 }, () => licenses.get(KESTREL)));
      expect(all.every((license) => license?.version === 1)).toBe(true);
      return performance.now() - startedAt;
    };
    expect(await timed()).toBeLessThan(900); // all of them once, not one after another
    expect(await timed()).toBeLessThan(100);
    now = 15 * 60_000 + 3_000;
    await expect(licenses.get(KESTREL)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    hangs = false;
    for (let i = 0; i < 40 && !licenses.isFresh; i++) await new Promise((done) => setTimeout(done, 50));
    expect((await licenses.get(KESTREL))?.version).toBe(1);
  } finally {
    licenses.close();
  }
});
