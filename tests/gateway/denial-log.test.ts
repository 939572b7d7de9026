import { DenialLog } from '../../gateway/denial-log.ts';
import type { Standing } from '../../gateway/standing.ts';
import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';

const KESTREL = seedId('0a01');

describe('The log of denials', () => {
  const standing: Standing = {
    caller: { tenantId: KESTREL, userId: seedId('6011') } as Standing['caller'],
    ...{ license: null, features: {}, core: 'FULL', isLicenseUnknown: false },
  };
  const denial = {
    message: 'No.',
    extensions: { code: 'FEATURE_NOT_LICENSED', feature: 'crm', coordinate: 'Query.contacts', reason: 'NO_LICENSE' },
  };
  const silent = createLog({ LOG_LEVEL: 'silent' } as never, 'test');
  const opened = (answer: () => Promise<unknown>) => {
    const sent: { id: string }[][] = [];
    const log = new DenialLog(async (_subgraph, _query, variables) => {
      sent.push((variables as { denials: { id: string }[] }).denials);
      return (await answer()) as never;
    }, silent);
    return { log, sent };
  };

  test('sends what it holds in batches, once, and at shutdown what is left', async () => {
    const { log, sent } = opened(async () => ({}));
    const ids = Array.from({ length: 600 }, () => log.noteErrors([denial], standing)[0]?.extensions?.denialId);
    await log.flush();
    expect(sent.map((batch) => batch.length)).toEqual([250, 250, 100]);
    expect(sent.flat().map(({ id }) => id)).toEqual(ids);
    log.noteObserved({ crm: 'Query.leads' }, standing);
    await log.close();
    expect(sent[3]).toEqual([expect.objectContaining({ coordinate: 'Query.leads', wasObserved: true, plan: null })]);
    expect(sent).toHaveLength(4);
  });

  test('keeps what could not be sent, up to ten thousand, and holds nobody up', async () => {
    let isAway = true;
    const { log, sent } = opened(async () => (isAway ? Promise.reject(new Error('away')) : {}));
    const startedAt = performance.now();
    for (let i = 0; i < 10_050; i++) expect(log.noteErrors([denial], standing)[0]?.extensions?.denialId).toBeDefined();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await log.flush();
    isAway = false;
    sent.length = 0;
    await log.close();
    expect(sent.flat()).toHaveLength(10_000);
    expect(new Set(sent.flat().map(({ id }) => id)).size).toBe(10_000);
  });
});
