import fc from 'fast-check';
import { prefixOf } from '../../schema/address-prefix.ts';
import {
  ADDRESS_POLICY,
  type Bucket,
  claim,
  giveBack,
  isLocked,
  MAIL_POLICY,
} from '../../subgraphs/identity/sign-in-bucket.rules.ts';

const at = (clock: string) => {
  const [minutes = 0, seconds = 0] = clock.split(':').map(Number);
  return new Date(Date.UTC(2027, 2, 1) + (minutes * 60 + seconds) * 1_000);
};
const EMPTY: Bucket = { failures: 0, firstAt: null, lastAt: null, lockedUntil: null, locks: 0 };
const failAt = (held: Bucket, ...clocks: string[]) =>
  clocks.reduce((bucket, clock) => claim(bucket, MAIL_POLICY, at(clock)), held);

describe('Wrong passwords for one mail', () => {
  test('five within half an hour lock it for a quarter of an hour from the fifth', () => {
    const four = failAt(EMPTY, '0:00', '0:10', '0:20', '0:30');
    expect(isLocked(four, at('0:30'))).toBe(false);
    const five = failAt(four, '0:40');
    expect(five.lockedUntil).toEqual(at('15:40'));
    expect(isLocked(five, at('15:39'))).toBe(true);
    expect(isLocked(five, at('15:40'))).toBe(false);
  });

  test('four and, half an hour later, another are one', () => {
    expect(failAt(EMPTY, '0:00', '0:01', '0:02', '0:03', '30:01').failures).toBe(1);
  });

  test('the next locks are for 30 and 60 minutes, and stay at that', () => {
    let held = EMPTY;
    let now = at('0:00');
    const minutes: number[] = [];
    for (let lock = 0; lock < 4; lock += 1) {
      for (let i = 0; i < 5; i += 1) held = claim(held, MAIL_POLICY, now);
      minutes.push((Number(held.lockedUntil) - now.getTime()) / 60_000);
      now = held.lockedUntil as Date;
    }
    expect(minutes).toEqual([15, 30, 60, 60]);
  });

  test('a day without attempts forgets earlier locks', () => {
    const locked = failAt(EMPTY, '0:00', '0:00', '0:00', '0:00', '0:00');
    const dayLater = new Date(at('0:00').getTime() + 86_400_000);
    const again = [1, 2, 3, 4, 5].reduce((held) => claim(held, MAIL_POLICY, dayLater), locked);
    expect(Number(again.lockedUntil) - dayLater.getTime()).toBe(15 * 60_000);
  });

  test('an attempt that was never checked is as if it had not been, its lock too', () => {
    const four = failAt(EMPTY, '0:00', '0:10', '0:20', '0:30');
    const five = failAt(four, '0:40');
    expect(giveBack(five, MAIL_POLICY)).toEqual({ ...four, lastAt: at('0:40') });
    expect(giveBack(EMPTY, MAIL_POLICY).failures).toBe(0);
  });

  test('however they come, no more than five are let through in any half hour that locks', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(gaps, (seconds) => {
        let held = EMPTY;
        let now = at('0:00').getTime();
        const checked: number[] = [];
        for (const gap of seconds) {
          now += gap * 1_000;
          if (isLocked(held, new Date(now))) continue;
          held = claim(held, MAIL_POLICY, new Date(now));
          checked.push(now);
        }
        // A window may close with four and another begin: nine in a row at most, and then a pause.
        for (const from of checked)
          expect(checked.filter((time) => time >= from && time < from + 15 * 60_000).length).toBeLessThanOrEqual(9);
      }),
    );
  });
});

describe('Failures from one address', () => {
  test('thirty within ten minutes shut it out for ten', () => {
    let held = EMPTY;
    for (let i = 0; i < 29; i += 1) held = claim(held, ADDRESS_POLICY, at('0:00'));
    expect(isLocked(held, at('0:00'))).toBe(false);
    held = claim(held, ADDRESS_POLICY, at('9:00'));
    expect(held.lockedUntil).toEqual(at('19:00'));
  });

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
  ])('%s counts as %s', (address, prefix) => {
    expect(prefixOf(address)).toBe(prefix);
  });
});
