import fc from 'fast-check';
import { type KeyFacts, planKeys, soonest } from '../../../subgraphs/licensing/files/signing-key.rules.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (ms: number) => new Date(Date.UTC(2027, 2, 1) + ms);
const key = (kid: string, status: KeyFacts['status'], over: Partial<KeyFacts> = {}): KeyFacts => ({
  ...{ kid, status, madeAt: at(0), activeAt: at(0), retiringAt: null, ...over },
});
const active = key('a', 'ACTIVE');

describe('The keys licence files are signed with', () => {
  test('the first is made when one is needed, and then nothing is due', () => {
    expect(planKeys([], at(0))).toEqual({ make: { status: 'ACTIVE', activeAt: at(0) }, activate: null, retire: [] });
    expect(planKeys([active], at(HOUR))).toEqual({ make: null, activate: null, retire: [] });
  });

  test('a successor is published 24 hours before the 90 days end, and takes over then', () => {
    expect(planKeys([active], at(89 * DAY - 1)).make).toBeNull();
    expect(planKeys([active], at(89 * DAY)).make).toEqual({ status: 'NEXT', activeAt: at(90 * DAY) });
    const next = key('n', 'NEXT', { madeAt: at(89 * DAY), activeAt: at(90 * DAY) });
    expect(planKeys([active, next], at(90 * DAY - 1))).toMatchObject({ make: null, activate: null });
    expect(planKeys([active, next], at(90 * DAY)).activate).toBe('n');
  });

  test('a successor made late is published 24 hours all the same', () => {
    expect(planKeys([active], at(100 * DAY)).make).toEqual({ status: 'NEXT', activeAt: at(101 * DAY) });
    expect(soonest(at(0))).toEqual(at(DAY));
  });

  test('where the one that signs was revoked, the next takes over at once', () => {
    expect(planKeys([key('n', 'NEXT', { activeAt: at(DAY) })], at(HOUR)).activate).toBe('n');
  });

  test('one that signs no more goes 31 days later, when its last file has ended', () => {
    const retiring = key('r', 'RETIRING', { retiringAt: at(0) });
    expect(planKeys([active, retiring], at(31 * DAY - 1)).retire).toEqual([]);
    expect(planKeys([active, retiring], at(31 * DAY)).retire).toEqual(['r']);
  });

  test('tended about once a day, there is always one key that signs, for 93 days at most, and each was published before', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 50, maxLength: 200 }), (hours) => {
        let keys: KeyFacts[] = [];
        let now = 0;
        for (const step of hours) {
          now += step * HOUR;
          const plan = planKeys(keys, at(now));
          keys = keys.filter(({ kid }) => !plan.retire.includes(kid));
          for (const held of keys.filter(() => plan.activate)) {
            if (held.status === 'ACTIVE') Object.assign(held, { status: 'RETIRING', retiringAt: at(now) });
            else if (held.kid === plan.activate) {
              expect(at(now) >= soonest(held.madeAt)).toBe(true);
              Object.assign(held, { status: 'ACTIVE', activeAt: at(now) });
            }
          }
          if (plan.make) keys.push(key(`k${now}`, plan.make.status, { madeAt: at(now), activeAt: plan.make.activeAt }));
          const signing = keys.filter(({ status }) => status === 'ACTIVE');
          expect(signing).toHaveLength(1);
          expect(now - Number(signing[0]?.activeAt) + at(0).getTime()).toBeLessThan(93 * DAY);
          expect(keys.filter(({ status }) => status === 'NEXT').length).toBeLessThan(2);
          expect(planKeys(keys, at(now))).toEqual({ make: null, activate: null, retire: [] });
        }
      }),
    );
  });
});
