import { setTimeout as sleep } from 'node:timers/promises';
import { Hangings } from '../../gateway/hangings.ts';
import { HeldCopies, type Source } from '../../gateway/held-copies.ts';
import { type Grant, holdGrants, type KeyGrant } from '../../gateway/held-grants.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';

const log = createLog({ LOG_LEVEL: 'silent' } as never, 'test');
const fanOut = { onFeed: () => () => undefined } as never;

/** A feed that a test writes to, and how it is asked. */
function openFeed() {
  const subjects: string[] = [];
  const asked: number[] = [];
  return {
    subjects,
    asked,
    page(afterSeq: number, first: number) {
      asked.push(afterSeq);
      const rows = subjects.slice(afterSeq, afterSeq + first);
      return { head: rows.length === first && first > 0 ? afterSeq + first : subjects.length, subjects: rows };
    },
  };
}

describe('Which copies hang on what', () => {
  test('one, several, and none any more', () => {
    const hangings = new Hangings();
    for (const id of ['a', 'a', 'b', 'c']) hangings.add('membership:1', id);
    hangings.add('membership:2', 'd');
    expect(hangings.of('membership:1')).toEqual(['a', 'b', 'c']);
    expect(hangings.of('membership:2')).toEqual(['d']);
    for (const id of ['a', 'c', 'x', 'b']) hangings.remove('membership:1', id);
    hangings.remove('membership:2', 'x');
    hangings.remove('membership:2', 'd');
    expect([hangings.of('membership:1'), hangings.of('membership:3'), hangings.size]).toEqual([[], [], 0]);
  });
});

describe('Copies of what a feed tells of', () => {
  let copies: HeldCopies<string>;
  const dropped: string[] = [];
  const open = (source: Partial<Source<string>>) => {
    dropped.length = 0;
    copies = new HeldCopies<string>(
      {
        feed: 'grants',
        load: async (ids) => new Map(ids.map((id) => [id, `of ${id}`])),
        dropped: (id, value) => void dropped.push(`${id}: ${value}`),
        readFeed: async () => ({ head: 0, changed: [] }),
        patienceMs: 1_000,
        maxHeld: 3,
        ...source,
      },
      fanOut,
      log,
    );
    return copies;
  };
  afterEach(() => copies.close());

  test('a backlog is read to its end at once, though pages tell of the same thing again and again', async () => {
    const feed = openFeed();
    const held = open({
      readFeed: async (afterSeq, first) => {
        const { head, subjects } = feed.page(afterSeq, first);
        return { head, changed: [...new Set(subjects)].map((id) => [id, undefined] as const) };
      },
    });
    expect(await held.get('a')).toBe('of a');
    feed.subjects.push(...Array.from({ length: 1_200 }, (_, i) => (i < 1_199 ? 'x' : 'a')));
    await held.refresh();
    expect(feed.asked.slice(-3)).toEqual([0, 500, 1_000]);
    expect(held.held('a')).toBeUndefined();
    expect(dropped).toEqual(['a: of a']);
  });

  test('what makes room for another is told of', async () => {
    const held = open({});
    for (const id of ['a', 'b', 'c', 'd']) await held.get(id);
    expect(dropped).toEqual(['a: of a']);
    expect([held.held('a'), held.held('d'), held.size]).toEqual([undefined, 'of d', 3]);
  });

  test('what was being read while something changed that it may hang on is read again', async () => {
    let release: () => void = () => undefined;
    let reads = 0;
    const feed = openFeed();
    const held = open({
      load: async (ids) => {
        const at = ++reads;
        if (at === 1)
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        return new Map(ids.map((id) => [id, `read ${at}`]));
      },
      readFeed: async (afterSeq, first) => {
        const { head, subjects } = feed.page(afterSeq, first);
        return { head, changed: [], mayConcernLoading: subjects.length > 0 };
      },
    });
    await held.refresh();
    const first = held.get('a');
    while (reads === 0) await sleep(1);
    feed.subjects.push('membership:1');
    await held.refresh();
    release();
    expect(await first).toBe('read 1'); // whoever asked before the change may hear of what was
    expect(held.held('a')).toBeUndefined();
    expect(await held.get('a')).toBe('read 2');
  });
});

test('grants go with their session, their membership, their portal or their key, and leave nothing behind', async () => {
  const feed = openFeed();
  const grantOf = (sessionId: string) =>
    ({ sessionId, state: 'ACTIVE', hangsOn: [`membership:${sessionId[0]}`, 'portal:t'] }) as Grant;
  const keyOf = (hash: string) => ({ hash, keyId: `of-${hash}`, isWorking: true }) as KeyGrant;
  const loaded: string[] = [];
  let keysAreNew = 0;
  const ask = async (_subgraph: string, query: string, variables: Record<string, unknown> = {}) => {
    const { ids = [], hashes = [], afterSeq, first } = variables as Record<string, string[]>;
    if (query.includes('grantFeed')) return { grantFeed: feed.page(Number(afterSeq), Number(first)) } as never;
    if (query.includes('confirmGrants')) return {} as never;
    loaded.push(...ids, ...hashes);
    return { grants: ids.map(grantOf), keyGrants: hashes.map(keyOf) } as never;
  };
  const grants = holdGrants(ask, fanOut, log, async () => void keysAreNew++);
  const { sessions, keys } = grants;
  const tell = async (...subjects: string[]) => {
    feed.subjects.push(...subjects);
    await grants.refresh();
  };
  const held = () => [
    ...['a1', 'a2', 'b1'].filter((id) => sessions.held(id)),
    ...['k1', 'k2'].filter((hash) => keys.held(hash)),
  ];
  try {
    for (const id of ['a1', 'a2', 'b1']) await sessions.get(id);
    for (const hash of ['k1', 'k2']) expect(await keys.get(hash)).toEqual(keyOf(hash));
    expect([held(), keysAreNew]).toEqual([['a1', 'a2', 'b1', 'k1', 'k2'], 1]);
    await tell('session:a1', 'key:of-k1', 'membership:x', 'key:k2');
    expect(held()).toEqual(['a2', 'b1', 'k2']);
    await sessions.get('a1');
    await tell('membership:a');
    expect([held(), keysAreNew]).toEqual([['b1', 'k2'], 1]);
    await tell('token_keys:all');
    expect([held(), keysAreNew]).toEqual([['b1', 'k2'], 2]);
    for (const id of ['a1', 'a2']) await sessions.get(id);
    await tell('portal:t');
    expect(held()).toEqual(['k2']);
    expect(loaded).toEqual(['a1', 'a2', 'b1', 'k1', 'k2', 'a1', 'a1', 'a2']);
  } finally {
    await grants.close();
  }
});
