import { isCurrent, nextList } from '../../../subgraphs/licensing/files/revocation-list.rules.ts';

const NOTHING = { jtis: [], kids: [], minEpochs: {} };
const now = new Date('2027-03-01T00:00:00.500Z');
const seconds = Math.floor(now.getTime() / 1_000);
const HOUR = 3_600_000;

describe('The list of what is revoked', () => {
  test.each<[string, bigint | null, number]>([
    ['the first has the second it was made in', null, seconds],
    ['the next one too', 5n, seconds],
    ['two within a second count on', BigInt(seconds), seconds + 1],
    ['and so do those of a clock that went back', BigInt(seconds + 3_600), seconds + 3_601],
  ])('its number: %s', (_, last, seq) => {
    expect(nextList(last, NOTHING, now)).toEqual({ ...NOTHING, seq, iat: seconds, nextUpdate: seconds + 86_400 });
  });

  test('after a restore of an older database the number is higher than any made before it', () => {
    const lost = nextList(BigInt(seconds), NOTHING, now).seq;
    expect(nextList(1n, NOTHING, new Date(now.getTime() + HOUR)).seq).toBeGreaterThan(lost);
  });

  test('it stands for 23 hours, or until something else is revoked', () => {
    const list = { issuedAt: now, contentHash: 'a' };
    expect(isCurrent(list, 'a', new Date(now.getTime() + 23 * HOUR - 1))).toBe(true);
    expect(isCurrent(list, 'a', new Date(now.getTime() + 23 * HOUR))).toBe(false);
    expect(isCurrent(list, 'b', now)).toBe(false);
  });
});
