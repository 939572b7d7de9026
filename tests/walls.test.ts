import { randomUUID } from 'node:crypto';
import type { Owners } from '../bench/walls/owners.ts';
import { TENANTS } from '../bench/walls/principals.ts';
import { runWalls } from '../bench/walls/run.ts';
import { Watch } from '../bench/walls/watch.ts';

/** The same operations each time; `npm run bench -- walls` draws others, and fifty times as many. */
const SEED = 20_270_317;
const OPERATIONS = 2_000;
const FOR_MS = 20_000;

test('four tenants ask whatever can be asked over pools of four, while connections die, and none learns of another', async () => {
  const { findings, changesAcross, troubles, watch, idsShown, outcomes } = await runWalls(SEED, {
    operations: OPERATIONS,
    forMs: FOR_MS,
  });
  console.log(
    `walls: ${watch.answers} answers, ${watch.events} events, ${watch.logLines} log lines, ${idsShown} ids shown; ` +
      `${troubles.cancelled} statements cancelled, ${troubles.killed} connections killed, ${troubles.probes} looked at`,
  );
  expect(findings).toEqual([]);
  expect(changesAcross).toEqual([]);
  expect(troubles.stuck).toEqual([]);
  // What another tenant owns, or nobody, is missing, and no fault of ours; nor is a connection that died.
  expect(outcomes.get('INTERNAL')).toBeUndefined();
  // And there was something to learn, and trouble.
  expect([...watch.ownWords].sort()).toEqual([...TENANTS].sort());
  expect(watch.answers).toBeGreaterThan(100);
  expect(watch.events).toBeGreaterThan(10);
  expect(idsShown).toBeGreaterThan(50);
  expect(troubles.probes).toBeGreaterThan(10);
  expect(troubles.cancelled + troubles.killed).toBeGreaterThan(0);
}, 180_000);

describe('the one who looks for what is another tenant’s', () => {
  const mine = '01990000-0000-7000-8000-000000000aa1';
  const theirs = '01990000-0000-7000-8000-000000000bb1';
  const bait = '01990000-0000-7000-8000-000000000bb2';
  const known = [
    {
      of: new Map([
        [mine, new Set(['kestrel'])],
        [theirs, new Set(['atlas'])],
        [bait, new Set(['atlas'])],
      ]),
      nouns: {},
    } as unknown as Owners,
  ];
  const lookAt = (text: string, sent: string[] = []) => {
    const watch = new Watch();
    watch.answer(text, ['kestrel'], new Set(sent), 'an answer');
    return watch.findings(known).map(({ what }) => what);
  };

  test.each([
    ['their word', 'x canary-atlas y', ['canary-atlas']],
    ['their id', `{"id":"${theirs}"}`, [`${theirs} of atlas`]],
    ['an own word and an own id', `CANARY-KESTREL ${mine}`, []],
    ['an id of nobody', randomUUID(), []],
    ['an id mutations may have laid down', bait, []],
  ])('makes of %s what it is', (_what, text, found) => {
    expect(lookAt(text)).toEqual(found);
  });

  test('lets the asker hear again what they said', () => {
    expect(lookAt(`There is no ${theirs}.`, [theirs])).toEqual([]);
  });

  test('wants no texts in the log, and no line with ids of two tenants', () => {
    const watch = new Watch();
    watch.logged(`{"msg":"CANARY-KESTREL"}`);
    watch.logged(`{"tenantId":"${mine}","row":"${theirs}"}`);
    watch.logged(`{"tenantId":"${mine}","row":"${mine}"}`);
    expect(watch.findings(known).map(({ what }) => what)).toEqual(['CANARY-KESTREL', 'ids of two tenants']);
  });
});
