import fc from 'fast-check';
import {
  DEFAULT_LIFETIMES,
  isTenantUsable,
  kindOf,
  overByTime,
  refreshVerdict,
  standingFault,
  timesOf,
} from '../../subgraphs/identity/session.rules.ts';

const at = (minutes: number) => new Date(Date.UTC(2027, 2, 1) + minutes * 60_000);
const HOUR = 60;
const DAY = 24 * HOUR;

describe('How long one stays signed in', () => {
  test.each([
    ['staff', 'STAFF', ['support_agent'], 480, DAY],
    ['a platform administrator', 'STAFF', ['platform_admin'], 30, 12 * HOUR],
    ['a platform administrator with a second role', 'STAFF', ['auditor', 'platform_admin'], 30, 12 * HOUR],
    ['a customer in the portal', 'PORTAL', ['customer'], 30 * DAY, 90 * DAY],
    ['staff before a tenant is chosen', 'STAFF', [], 480, DAY],
  ] as const)('%s: so many minutes of rest, so many in all', (_, kind, roles, idle, longest) => {
    const times = timesOf({ startedAt: at(0) }, kind, roles, DEFAULT_LIFETIMES, at(0));
    expect(times).toEqual({ startedAt: at(0), idleUntil: at(idle), endsAt: at(longest) });
    expect(overByTime(times, at(idle - 1))).toBeNull();
    expect(overByTime(times, at(idle))).toBe('IDLE');
    expect(overByTime(times, at(longest))).toBe('EXPIRED');
  });

  test("a tenant's policy says how long, but to a platform administrator no longer than half an hour and twelve", () => {
    const policy = { idleMinutes: 60, maxHours: 168, portalIdleDays: 2, portalMaxDays: 3 };
    const of = (kind: 'STAFF' | 'PORTAL', role: string) => timesOf({ startedAt: at(0) }, kind, [role], policy, at(0));
    expect(of('STAFF', 'auditor')).toMatchObject({ idleUntil: at(60), endsAt: at(7 * DAY) });
    expect(of('STAFF', 'platform_admin')).toMatchObject({ idleUntil: at(30), endsAt: at(12 * HOUR) });
    expect(of('PORTAL', 'customer')).toMatchObject({ idleUntil: at(2 * DAY), endsAt: at(3 * DAY) });
  });

  test('using a session moves its rest, never past its end', () => {
    const times = timesOf({ startedAt: at(0), endsAt: at(DAY) }, 'STAFF', ['sales'], DEFAULT_LIFETIMES, at(20 * HOUR));
    expect(times).toMatchObject({ idleUntil: at(DAY), endsAt: at(DAY) });
  });

  test('going to the platform shortens a session, and coming back does not lengthen it', () => {
    const there = timesOf(
      { startedAt: at(0), endsAt: at(DAY) },
      'STAFF',
      ['platform_admin'],
      DEFAULT_LIFETIMES,
      at(60),
    );
    expect(there).toMatchObject({ idleUntil: at(90), endsAt: at(12 * HOUR) });
    const back = timesOf(there, 'STAFF', ['auditor'], DEFAULT_LIFETIMES, at(70));
    expect(back).toMatchObject({ idleUntil: at(70 + 480), endsAt: at(12 * HOUR) });
  });

  test('whatever happens, rest lies before the end and the end never moves away', () => {
    const role = fc.constantFrom('platform_admin', 'auditor');
    fc.assert(
      fc.property(fc.nat(2 * DAY), fc.nat(DAY), role, (end, now, key) => {
        const times = timesOf({ startedAt: at(0), endsAt: at(end) }, 'STAFF', [key], DEFAULT_LIFETIMES, at(now));
        expect(times.endsAt <= at(end)).toBe(true);
        expect(times.idleUntil <= times.endsAt).toBe(true);
      }),
    );
  });
});

describe('What becomes of a refresh token', () => {
  const rotatedAt = new Date(Date.UTC(2027, 2, 1));
  const after = (ms: number) => new Date(rotatedAt.getTime() + ms);
  test.each([
    ['the present one', 7, 0, 'ROTATE'],
    ['the present one after a week', 7, 7 * 86_400_000, 'ROTATE'],
    ['the one before, at once', 6, 0, 'REPEAT'],
    ['the one before, ten seconds later', 6, 10_000, 'REPEAT'],
    ['the one before, eleven seconds later', 6, 11_000, 'REUSED'],
    ['its grandparent, at once', 5, 0, 'REUSED'],
    ['the very first', 1, 0, 'REUSED'],
    ['one that was never given', 8, 0, 'UNKNOWN'],
  ])('%s', (_, asked, ms, verdict) => {
    expect(refreshVerdict(asked, { generation: 7, rotatedAt }, after(ms))).toBe(verdict);
  });
});

describe('Why a session cannot go on', () => {
  const membership = { kind: 'STAFF' as const, state: 'ACTIVE', roles: ['support_agent'] };
  const fine = { userState: 'ACTIVE', membership, tenantState: 'ACTIVE', isPortalOpen: true };
  const customer = { ...membership, kind: 'PORTAL' as const, roles: ['customer'] };
  test.each([
    ['all is well', fine, null],
    ['no tenant is chosen', { ...fine, membership: null, tenantState: null }, null],
    ['the person is suspended', { ...fine, userState: 'SUSPENDED' }, 'USER_SUSPENDED'],
    [
      'the membership is suspended',
      { ...fine, membership: { ...membership, state: 'SUSPENDED' } },
      'MEMBERSHIP_SUSPENDED',
    ],
    ['the plan has no seat for it', { ...fine, membership: { ...membership, state: 'FROZEN' } }, 'MEMBERSHIP_FROZEN'],
    ['the membership has ended', { ...fine, membership: { ...membership, state: 'ENDED' } }, 'MEMBERSHIP_ENDED'],
    ['the tenant is suspended', { ...fine, tenantState: 'SUSPENDED' }, 'TENANT_SUSPENDED'],
    [
      'its administrator comes',
      { ...fine, tenantState: 'SUSPENDED', membership: { ...membership, roles: ['tenant_admin'] } },
      null,
    ],
    [
      'its billing manager comes',
      { ...fine, tenantState: 'SUSPENDED', membership: { ...membership, roles: ['billing_manager'] } },
      null,
    ],
    ['the portal is closed to a customer', { ...fine, membership: customer, isPortalOpen: false }, 'PORTAL_CLOSED'],
    ['the portal is closed, and they work here', { ...fine, isPortalOpen: false }, null],
    ['the portal is open to a customer', { ...fine, membership: customer }, null],
    ['there is no such tenant', { ...fine, tenantState: null }, 'TENANT_SUSPENDED'],
  ])('%s', (_, standing, fault) => {
    expect(standingFault(standing)).toBe(fault);
  });

  test('an unknown state of a tenant lets nobody in', () => {
    expect(isTenantUsable('PURGING', ['tenant_admin'])).toBe(false);
  });

  test('a tenant that is closing can be looked at by all its people', () => {
    expect(isTenantUsable('CLOSING', ['technician'])).toBe(true);
  });

  test('somebody without tenant is what their realm says', () => {
    expect(kindOf('STAFF', null)).toBe('STAFF');
    expect(kindOf('01990000-0000-7000-8000-000000000a01', null)).toBe('PORTAL');
    expect(kindOf('STAFF', { kind: 'PORTAL' })).toBe('PORTAL');
  });
});
