import fc from 'fast-check';
import { closesAt, reopenedState } from '../../../subgraphs/tenancy/leaving/closing.rules.ts';
import { answered, domainsToExport } from '../../../subgraphs/tenancy/leaving/data-export.rules.ts';
import { approvals, type PurgeFacts } from '../../../subgraphs/tenancy/leaving/purge.rules.ts';
import { isPaidAgain, suspensionTerms } from '../../../subgraphs/tenancy/leaving/suspension.rules.ts';
import { accessModeOf } from '../../../subgraphs/tenancy/tenant.rules.ts';

const NOW = new Date('2027-03-01T12:00:00Z');
const day = (days: number) => new Date(NOW.getTime() + days * 86_400_000);

describe('On what terms a tenant is suspended', () => {
  test('service goes on for 30 days unless it is said otherwise', () => {
    expect(suspensionTerms({ reason: 'NON_PAYMENT' }, NOW)).toEqual({
      suspendedAt: NOW,
      suspensionReason: 'NON_PAYMENT',
      suspensionNote: null,
      cutService: false,
      continuityUntil: day(30),
    });
  });

  test.each([0, 1, 90])('for %d days', (continuityDays) => {
    expect(suspensionTerms({ reason: 'ABUSE', continuityDays }, NOW).continuityUntil).toEqual(day(continuityDays));
  });

  test.each(['ABUSE', 'LEGAL', 'SECURITY'] as const)('it may be cut at once for %s', (reason) => {
    expect(suspensionTerms({ reason, cutService: true }, NOW)).toMatchObject({
      cutService: true,
      continuityUntil: null,
    });
  });

  test.each([
    ['no reason', {}, 'Say why the tenant is suspended.'],
    [
      'service cut for money',
      { reason: 'NON_PAYMENT', cutService: true },
      'Service is cut for abuse, for the law or for security only.',
    ],
    [
      'service cut for a lapse',
      { reason: 'LICENSE_LAPSED', cutService: true },
      'Service is cut for abuse, for the law or for security only.',
    ],
    ['91 days', { reason: 'LEGAL', continuityDays: 91 }, 'Service goes on for 0 to 90 days.'],
    ['-1 days', { reason: 'LEGAL', continuityDays: -1 }, 'Service goes on for 0 to 90 days.'],
    ['a long note', { reason: 'LEGAL', note: 'x'.repeat(501) }, 'A note has at most 500 characters.'],
  ] as const)('%s is refused', (_what, asked, sentence) => {
    expect(() => suspensionTerms(asked, NOW)).toThrow(sentence);
  });
});

describe('What lifts a suspension', () => {
  const lapsed = { seq: 5 };
  test.each([
    ['a licence that is paid again', 'ACTIVE', 6, true],
    ['one in trial', 'TRIAL', 6, true],
    ['one still expired', 'EXPIRED', 6, false],
    ['one restricted', 'RESTRICTED', 6, false],
    ['news from before', 'ACTIVE', 4, false],
  ] as const)('%s', (_what, stateWithoutHolds, seq, lifts) => {
    expect(isPaidAgain(lapsed, { seq, payload: { stateWithoutHolds } })).toBe(lifts);
  });

  test('no news', () => expect(isPaidAgain(lapsed, undefined)).toBe(false));
});

describe('Closing', () => {
  test.each([
    [undefined, 30],
    [7, 7],
    [90, 90],
  ])('for %s days', (days, expected) => {
    expect(closesAt('kestrel', { confirmSlug: 'kestrel', days }, NOW)).toEqual(day(expected));
  });

  test.each([6, 91, 0, -30])('not for %d days', (days) => {
    expect(() => closesAt('kestrel', { confirmSlug: 'kestrel', days }, NOW)).toThrow(
      'A tenant closes in 7 to 90 days.',
    );
  });

  test.each(['', 'Kestrel', 'kestrel ', 'northwind'])('not with %j typed', (confirmSlug) => {
    expect(() => closesAt('kestrel', { confirmSlug }, NOW)).toThrow('Type kestrel to confirm.');
  });

  test('is taken back to what was before, until its day', () => {
    expect(reopenedState({ state: 'CLOSING', closesAt: day(1) }, NOW)).toBe('ACTIVE');
    expect(reopenedState({ state: 'CLOSING', closesAt: day(1), suspendedAt: day(-9) }, NOW)).toBe('SUSPENDED');
    expect(() => reopenedState({ state: 'CLOSING', closesAt: NOW }, NOW)).toThrow('The time to reopen it is over.');
    expect(() => reopenedState({ state: 'ACTIVE' }, NOW)).toThrow('This tenant is not closing.');
  });

  test('leaves reading open, but not to a tenant that was suspended before', () => {
    expect(accessModeOf({ state: 'CLOSING', isWritePaused: false })).toBe('READ_ONLY');
    expect(accessModeOf({ state: 'CLOSING', suspendedAt: NOW, isWritePaused: false })).toBe('BLOCKED');
  });
});

describe('An export', () => {
  const KNOWN = ['tenancy', 'billing', 'crm'];
  test('holds all domains or those named, once each, in our order', () => {
    expect(domainsToExport(null, KNOWN)).toEqual(KNOWN);
    expect(domainsToExport(['crm', 'tenancy', 'crm'], KNOWN)).toEqual(['tenancy', 'crm']);
    for (const named of [[], ['radius'], ['crm', 'CRM']])
      expect(() => domainsToExport(named, KNOWN)).toThrow('An export holds some of');
  });

  test('is ready when each of its domains has answered, in whatever order and however often', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...KNOWN, 'network'), { maxLength: 20 }), (order) => {
        let held: Parameters<typeof answered<string>>[0] = { state: 'REQUESTED', waitingFor: KNOWN, files: [] };
        for (const domain of order) held = answered(held, domain, [domain]) ?? held;
        const heard = KNOWN.filter((domain) => order.includes(domain));
        expect([...held.files].sort()).toEqual([...heard].sort());
        expect(held.state).toBe(heard.length === KNOWN.length ? 'READY' : heard.length > 0 ? 'RUNNING' : 'REQUESTED');
      }),
    );
  });
});

describe('Deleting', () => {
  const fine: PurgeFacts = {
    state: 'CLOSING',
    closesAt: day(-1),
    waivesExport: false,
    isExported: true,
    isHeld: false,
    isMoving: false,
    approvedBy: [],
  };
  test('needs two people', () => {
    expect(approvals(fine, 'ngozi', NOW)).toEqual(['ngozi']);
    expect(approvals({ ...fine, approvedBy: ['ngozi'] }, 'tomas', NOW)).toEqual(['ngozi', 'tomas']);
    expect(() => approvals({ ...fine, approvedBy: ['ngozi'] }, 'ngozi', NOW)).toThrow('A second person must approve.');
  });

  test('needs no export where that was waived', () => {
    expect(approvals({ ...fine, isExported: false, waivesExport: true }, 'ngozi', NOW)).toEqual(['ngozi']);
  });

  test.each<[string, Partial<PurgeFacts>, string]>([
    ['an active tenant', { state: 'ACTIVE', closesAt: null }, 'Only a tenant that is closing can be deleted.'],
    ['one that is being deleted', { state: 'PURGING' }, 'Only a tenant that is closing can be deleted.'],
    ['one whose day is not there', { closesAt: day(1) }, 'This tenant may still be reopened.'],
    ['one that moves', { isMoving: true }, 'This tenant is moving.'],
    ['one under legal hold', { isHeld: true }, 'This tenant is under legal hold.'],
    [
      'one that was not exported',
      { isExported: false },
      'Its data was not exported, and whoever closed it did not waive that.',
    ],
  ])('%s is refused', (_what, facts, sentence) => {
    expect(() => approvals({ ...fine, ...facts }, 'ngozi', NOW)).toThrow(sentence);
  });
});
