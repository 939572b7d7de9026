import fc from 'fast-check';
import * as rules from '../../../subgraphs/tickets/desk/ticket.rules.ts';

const STATUSES: rules.TicketStatus[] = ['NEW', 'OPEN', 'WAITING', 'RESOLVED', 'CLOSED', 'CANCELLED'];
const invalid = (field: string) => expect.objectContaining({ code: 'INVALID', field });
const invalidState = expect.objectContaining({ code: 'INVALID_STATE' });

/** What section 3 lists; everything else is refused. */
const ALLOWED: Record<rules.TicketMove, Partial<Record<rules.TicketStatus, rules.TicketStatus>>> = {
  TAKE_UP: { NEW: 'OPEN' },
  WAIT: { NEW: 'WAITING', OPEN: 'WAITING' },
  REOPEN: { WAITING: 'OPEN', RESOLVED: 'OPEN' },
  RESOLVE: { NEW: 'RESOLVED', OPEN: 'RESOLVED', WAITING: 'RESOLVED' },
  CLOSE: { RESOLVED: 'CLOSED' },
  CANCEL: { NEW: 'CANCELLED', OPEN: 'CANCELLED' },
};
const EVERY_MOVE = (Object.keys(ALLOWED) as rules.TicketMove[]).flatMap((move) =>
  STATUSES.map((from) => [move, from, ALLOWED[move][from]] as const),
);

describe('the way of a ticket', () => {
  test.each(EVERY_MOVE)('%s of a %s ticket leads to %s', (move, from, to) => {
    if (to) expect(rules.advance(from, move)).toBe(to);
    else expect(() => rules.advance(from, move)).toThrow(invalidState);
  });

  test('whatever is tried, a ticket that is final stays as it is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...(Object.keys(ALLOWED) as rules.TicketMove[])), { maxLength: 30 }),
        (moves) => {
          let status: rules.TicketStatus = 'NEW';
          for (const move of moves) {
            const before: rules.TicketStatus = status;
            try {
              status = rules.advance(status, move);
            } catch {
              continue;
            }
            expect(rules.isFinal(before)).toBe(false);
          }
        },
      ),
    );
  });

  test.each([
    ['CUSTOMER', 'NEW', 'NONE'],
    ['CUSTOMER', 'OPEN', 'NONE'],
    ['CUSTOMER', 'WAITING', 'REOPEN'],
    ['CUSTOMER', 'RESOLVED', 'REOPEN'],
    ['CUSTOMER', 'CLOSED', 'FOLLOW_UP'],
    ['CUSTOMER', 'CANCELLED', undefined],
    ['STAFF', 'NEW', 'TAKE_UP'],
    ['STAFF', 'OPEN', 'NONE'],
    ['STAFF', 'WAITING', 'NONE'],
    ['STAFF', 'RESOLVED', 'NONE'],
    ['STAFF', 'CLOSED', undefined],
    ['STAFF', 'CANCELLED', undefined],
    ['AUTOMATIC', 'NEW', 'NONE'],
    ['AUTOMATIC', 'WAITING', 'NONE'],
    ['SYSTEM', 'NEW', 'NONE'],
    ['SYSTEM', 'CLOSED', undefined],
  ] as const)('a message by %s in a %s ticket does %s', (author, status, effect) => {
    if (effect) expect(rules.effectOfMessage(status, author)).toBe(effect);
    else expect(() => rules.effectOfMessage(status, author)).toThrow(invalidState);
  });

  test.each(STATUSES)('a customer sees that a %s ticket takes a word of theirs, and it does', (status) => {
    if (rules.takesReply(status)) expect(() => rules.effectOfMessage(status, 'CUSTOMER')).not.toThrow();
    else expect(() => rules.effectOfMessage(status, 'CUSTOMER')).toThrow(invalidState);
  });

  test('closing means solved, and of a RESOLVED ticket that the customer is content', () => {
    expect(STATUSES.map((status) => rules.moveOfCustomer(status))).toEqual([
      'RESOLVE',
      'RESOLVE',
      'RESOLVE',
      'CLOSE',
      'RESOLVE',
      'RESOLVE',
    ]);
  });

  test('nothing about a final ticket changes', () => {
    for (const status of STATUSES)
      if (status === 'CLOSED' || status === 'CANCELLED') expect(() => rules.checkOpen(status)).toThrow(invalidState);
      else expect(() => rules.checkOpen(status)).not.toThrow();
  });
});

describe('what a customer sees', () => {
  test.each([
    ['NEW', null, 'OPEN'],
    ['OPEN', null, 'OPEN'],
    ['WAITING', 'CUSTOMER', 'WAITING_FOR_YOU'],
    ['WAITING', 'VENDOR', 'OPEN'],
    ['WAITING', 'FIELD_VISIT', 'OPEN'],
    ['WAITING', 'SCHEDULED', 'OPEN'],
    ['RESOLVED', null, 'RESOLVED'],
    ['CLOSED', null, 'CLOSED'],
    ['CANCELLED', null, 'CLOSED'],
  ] as const)('%s %s is shown as %s', (status, reason, shown) => {
    expect(rules.shownStatus(status, reason)).toBe(shown);
  });
});

describe('waiting', () => {
  const now = new Date('2026-11-20T12:00:00Z');
  const later = new Date('2026-11-20T12:00:00.001Z');

  test.each([
    ['CUSTOMER', null, true],
    ['SCHEDULED', null, false],
    ['SCHEDULED', later, true],
    ['SCHEDULED', now, false],
    ['VENDOR', new Date(0), false],
    ['VENDOR', later, true],
  ] as const)('%s until %s holds: %s', (reason, until, holds) => {
    if (holds) expect(() => rules.checkWait(reason, until, now)).not.toThrow();
    else expect(() => rules.checkWait(reason, until, now)).toThrow(invalid('waitUntil'));
  });
});

describe('answers that cross (R6)', () => {
  test('an answer to an older message is a conflict, one that names none is taken', () => {
    expect(() => rules.expectLastMessage('b', 'a')).toThrow(
      expect.objectContaining({ code: 'CONFLICT', field: 'expectedLastMessageId' }),
    );
    expect(() => rules.expectLastMessage('b', 'b')).not.toThrow();
    expect(() => rules.expectLastMessage('b', null)).not.toThrow();
  });

  test('what someone has is not taken from them', () => {
    expect(() => rules.checkClaim('piet', 'lotte')).toThrow(invalidState);
    expect(() => rules.checkClaim('lotte', 'lotte')).not.toThrow();
    expect(() => rules.checkClaim(null, 'lotte')).not.toThrow();
  });
});

describe('opening', () => {
  const typed: rules.TypedTicket = {
    subject: 'Slow',
    bodyText: 'Since noon.',
    kind: 'QUESTION',
    priority: 'NORMAL',
    channel: 'PHONE',
    requester: { name: 'Lena' },
  };

  test.each([
    [{ subject: ' ' }, 'subject'],
    [{ subject: 'x'.repeat(201) }, 'subject'],
    [{ subject: 'a\0b' }, 'subject'],
    [{ bodyText: '' }, 'bodyText'],
    [{ bodyText: 'x'.repeat(100_001) }, 'bodyText'],
    [{ bodyText: 'a\0b' }, 'bodyText'],
    [{ requester: {} }, 'requester.name'],
    [{ requester: { name: 'Lena', email: 'lena' } }, 'requester.email'],
    [{ tags: ['vip', 'No Spaces'] }, 'tags.1'],
    [{ language: '??' }, 'language'],
    [{ externalRef: 'x'.repeat(101) }, 'externalRef'],
  ])('%o is refused with its field', (wrong, field) => {
    expect(() => rules.checkTicket({ ...typed, ...wrong })).toThrow(invalid(field));
  });

  test('200 and 100,000 letters are taken', () => {
    expect(
      rules.checkTicket({ ...typed, subject: 'x'.repeat(200), bodyText: 'x'.repeat(100_000) }).bodyText,
    ).toHaveLength(100_000);
  });

  test('21 tags are too many, the same one twice is one', () => {
    expect(() => rules.checkTicket({ ...typed, tags: Array.from({ length: 21 }, (_, i) => `t${i}`) })).toThrow(
      expect.objectContaining({ code: 'LIMIT_REACHED' }),
    );
    expect(rules.checkTicket({ ...typed, tags: ['vip', 'vip'] }).tags).toEqual(['vip']);
  });

  test('an id that can be nobody’s is nobody', () => {
    expect(() => rules.checkTicket({ ...typed, requester: { customerId: 'x' } })).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', field: 'requester.customerId' }),
    );
  });

  test('staff does not write as the portal or the system', () => {
    for (const channel of ['PORTAL', 'SYSTEM'] as const)
      expect(() => rules.checkStaffChannel(channel)).toThrow(invalid('channel'));
    for (const channel of ['EMAIL', 'PHONE', 'CHAT', 'STAFF', 'API'] as const)
      expect(() => rules.checkStaffChannel(channel)).not.toThrow();
  });

  test('a ticket begins with the words of whoever asks, unless staff began it', () => {
    expect(rules.authorOfOpening('PHONE')).toBe('CUSTOMER');
    expect(rules.authorOfOpening('PORTAL')).toBe('CUSTOMER');
    expect(rules.authorOfOpening('STAFF')).toBe('STAFF');
    expect(rules.authorOfOpening('SYSTEM')).toBe('SYSTEM');
  });
});
