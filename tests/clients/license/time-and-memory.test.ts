import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DAY,
  file,
  ISSUED,
  install,
  installed,
  KEY,
  keySet,
  list,
  ROOTS,
  stated,
  TestClock,
  TestStore,
} from './forge.ts';

const EXP = ISSUED + 7 * DAY;

describe('An installation that cannot reach the platform', () => {
  test('goes on with its file to the end, seven days in full, fourteen for reading, and is then off', async () => {
    const { client, clock } = await installed();
    const at = (wall: number) => {
      clock.wall = wall;
      const { state, source, warnings } = client.verdict();
      return [source, state, client.check('crm').access, client.check('core').access, warnings.length > 0];
    };
    expect(at(EXP - 1)).toEqual(['FILE', 'ACTIVE', 'FULL', 'FULL', false]);
    expect(at(EXP)).toEqual(['OFFLINE_GRACE', 'ACTIVE', 'FULL', 'FULL', true]);
    expect(client.verdict().warnings).toEqual([
      'The licence file ended on 2027-03-08 00:00 UTC: licensed features work until 2027-03-15 00:00 UTC, and can then be read only.',
    ]);
    expect(at(EXP + 7 * DAY - 1)).toEqual(['OFFLINE_GRACE', 'ACTIVE', 'FULL', 'FULL', true]);
    expect(at(EXP + 7 * DAY)).toEqual(['OFFLINE_GRACE', 'ACTIVE', 'READ', 'FULL', true]);
    expect(client.check('crm')).toEqual({ access: 'READ', reason: 'OFFLINE' });
    expect(client.check('fieldops')).toEqual({ access: 'NONE', reason: 'NOT_IN_PLAN' });
    expect(at(EXP + 21 * DAY - 1)).toEqual(['OFFLINE_GRACE', 'ACTIVE', 'READ', 'FULL', true]);
    expect(at(EXP + 21 * DAY)).toEqual(['NONE', 'NONE', 'NONE', 'FULL', true]);
    expect(client.verdict().reason).toBe('ENDED');
  });

  test('starts again in each of these stretches as it was', async () => {
    const { store, clock } = await installed();
    for (const [days, source, access] of [
      [6, 'FILE', 'FULL'],
      [10, 'OFFLINE_GRACE', 'FULL'],
      [20, 'OFFLINE_GRACE', 'READ'],
      [28, 'NONE', 'NONE'],
    ] as const) {
      clock.wall = ISSUED + days * DAY;
      const { client } = install({ store, clock });
      expect((await client.start()).source).toBe(source);
      expect(client.check('crm').access).toBe(access);
    }
  });

  test('says how old its file is', async () => {
    const { client, clock } = await installed();
    clock.wall = ISSUED + 5_400_000;
    expect(client.verdict().ageSeconds).toBe(5_400);
  });

  test('no name of an object’s own opens anything', async () => {
    const { client } = await installed();
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])
      expect([client.check(name).access, client.limit(name).limit]).toEqual(['NONE', 0n]);
  });

  test('knows its limits', async () => {
    const { client } = await installed();
    expect(client.limit('subscribers')).toEqual({
      limit: 5_000n,
      policy: 'HARD',
      softMarginPercent: 0,
      overageCap: null,
    });
    expect(client.limit('api_calls')).toMatchObject({ limit: 500_000n, policy: 'OVERAGE' });
  });
});

describe('A clock that was set back', () => {
  test('by a month is not believed: the highest time goes on, now and after a restart', async () => {
    const { client, clock, store } = await installed();
    clock.wall = EXP + 8 * DAY;
    expect(client.check('crm').access).toBe('READ');
    await client.refresh();
    clock.wall -= 30 * DAY;
    expect(client.check('crm').access).toBe('READ');
    expect(client.verdict().warnings.at(-1)).toBe(
      'The clock of this machine is set back and not believed: it is at least 2027-03-16 00:00 UTC.',
    );
    await client.stop();
    const again = install({ store, clock });
    await again.client.start();
    expect(again.client.check('crm').access).toBe('READ');
  });

  test('stops nothing from ending while the process runs', async () => {
    const { client, clock } = await installed();
    client.verdict();
    clock.wall -= 30 * DAY;
    clock.ran += 28 * DAY;
    expect(client.verdict()).toMatchObject({ source: 'NONE', reason: 'ENDED' });
  });

  test('by five minutes is the skew of clocks, and believed', async () => {
    const { client, clock } = await installed();
    client.verdict();
    clock.wall -= 300_000;
    expect(client.verdict().warnings).toEqual([]);
    clock.wall -= 1;
    expect(client.verdict().warnings).toHaveLength(1);
  });

  test('or shows nothing at all is not believed', async () => {
    const { client, clock } = await installed();
    for (const wall of [Number.NaN, 0, -1e15]) {
      clock.wall = wall;
      expect(client.verdict()).toMatchObject({ source: 'FILE', state: 'ACTIVE' });
      expect(client.verdict().warnings).toHaveLength(1);
    }
  });
});

describe('What an installation remembers', () => {
  const dir = mkdtempSync(join(tmpdir(), 'license-client-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('a lower epoch than the highest is refused, after a restart and whichever of the two stores was wound back', async () => {
    const beside = join(dir, 'beside');
    const { client, store, clock } = await installed({ file: beside });
    const [oldStore, oldFile] = [store.text, readFileSync(beside, 'utf8')];
    await client.bring({ file: file({ epoch: 9 }) });
    expect((await client.bring({ file: file({ epoch: 8 }) })).reason).toBe('LOWER_EPOCH');
    expect(client.verdict().source).toBe('FILE');
    const [newStore, newFile] = [store.text, readFileSync(beside, 'utf8')];
    for (const [inStore, inFile] of [
      [oldStore, newFile],
      [newStore, oldFile],
      [null, newFile],
      [newStore, ''],
    ] as const) {
      store.text = inStore;
      writeFileSync(beside, inFile);
      const again = install({ store, clock, file: beside });
      expect((await again.client.start()).source).toBe('FILE');
      expect((await again.client.bring({ file: file() })).reason).toBe('LOWER_EPOCH');
    }
    expect(statSync(beside).mode & 0o777).toBe(0o600);
  });

  test('a store that cannot be read is not written, and what it knows counts as soon as it can be', async () => {
    const { store, clock } = await installed();
    const kept = String(store.text);
    const flaky = new TestStore();
    flaky.text = kept.replace('"epoch":7', '"epoch":12');
    const read = flaky.read.bind(flaky);
    flaky.read = () => Promise.reject(new Error('no connection'));
    const { client } = install({ store: flaky, clock });
    expect((await client.start()).warnings).toContain('A store of the licence cannot be read: no connection');
    const statements = keySet(stated(KEY));
    expect((await client.bring({ keySet: statements, file: file() })).source).toBe('FILE');
    expect(flaky.held.epoch).toBe(12);
    flaky.read = read;
    expect(await client.bring({})).toMatchObject({ source: 'NONE', reason: 'LOWER_EPOCH' });
    expect((await client.bring({ file: file({ epoch: 13 }) })).warnings).toEqual([]);
    expect(flaky.held.epoch).toBe(13);
  });

  test('a store that hangs holds nothing up', async () => {
    const hanging = new TestStore();
    hanging.read = () => new Promise(() => undefined);
    const { client } = install({ store: hanging });
    const began = performance.now();
    expect((await client.start()).warnings).toContain('A store of the licence cannot be read: It does not answer.');
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(client.check('core').access).toBe('FULL');
  }, 10_000);

  test('a store that cannot be written is said, and the next write may succeed', async () => {
    const { client, store } = await installed();
    const write = store.write.bind(store);
    store.write = () => Promise.reject(new Error('disk full'));
    expect((await client.bring({ file: file({ epoch: 8 }) })).warnings).toContain(
      'A store of the licence cannot be written: disk full',
    );
    store.write = write;
    expect((await client.bring({})).warnings).toEqual([]);
    expect(store.held.epoch).toBe(8);
  });

  test('a file in a store is verified like any other: edited there, it counts for nothing', async () => {
    const { store, clock } = await installed();
    const held = store.held;
    for (const edited of [
      { ...held, file: held.file.replace(/.$/, 'w') },
      { ...held, statements: [] },
      { ...held, file: 7 },
      {},
    ]) {
      const tampered = new TestStore();
      tampered.text = JSON.stringify(edited);
      const { client } = install({ store: tampered, clock });
      expect((await client.start()).source).toBe('NONE');
    }
  });

  test('without any store it works as long as it runs', async () => {
    const { client } = install({ store: undefined, clock: new TestClock() });
    await client.start();
    expect((await client.bring({ keySet: keySet(stated(KEY, ROOTS[1])), file: file() })).source).toBe('FILE');
  });

  test('an address that is not https is never told a token', async () => {
    const asked: unknown[] = [];
    const fetch = (async (...args: unknown[]) => asked.push(args)) as never;
    const { client } = install({ platform: 'http://isp.example', token: () => 'secret', fetch });
    expect((await client.start()).warnings).toContain('The address of the platform begins with https://.');
    await client.refresh();
    expect(asked).toEqual([]);
  });

  test('what is revoked is said to be known to a day only when the list has grown old', async () => {
    const { client, clock } = await installed();
    await client.bring({ revocations: list() });
    expect(client.verdict().warnings).toEqual([]);
    clock.wall = ISSUED + DAY + 1_000;
    expect(client.verdict().warnings).toEqual(['What is revoked is known up to 2027-03-02 00:00 UTC only.']);
  });
});
