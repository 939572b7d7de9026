import {
  advance,
  changedLead,
  checkLead,
  contacted,
  factsOf,
  type LeadStatus,
  reopened,
  type TypedLead,
} from '../../../subgraphs/crm/selling/lead.rules.ts';

const STATUSES: LeadStatus[] = ['NEW', 'CONTACTED', 'QUALIFIED', 'DISQUALIFIED'];
const MOVES = {
  contacted,
  qualified: (from: LeadStatus) => advance(from, 'QUALIFIED'),
  disqualified: (from: LeadStatus) => advance(from, 'DISQUALIFIED'),
  reopened,
};
const ALLOWED: Record<keyof typeof MOVES, Partial<Record<LeadStatus, LeadStatus>>> = {
  contacted: { NEW: 'CONTACTED' },
  qualified: { NEW: 'QUALIFIED', CONTACTED: 'QUALIFIED' },
  disqualified: { NEW: 'DISQUALIFIED', CONTACTED: 'DISQUALIFIED', QUALIFIED: 'DISQUALIFIED' },
  reopened: { DISQUALIFIED: 'CONTACTED' },
};

describe('the way of a lead', () => {
  const every = (Object.keys(MOVES) as (keyof typeof MOVES)[]).flatMap((how) =>
    STATUSES.map((from) => [from, how, ALLOWED[how][from]] as const),
  );

  test.each(every)('a %s lead that is %s becomes %s', (from, how, to) => {
    if (to) expect(MOVES[how](from)).toBe(to);
    else expect(() => MOVES[how](from)).toThrow(expect.objectContaining({ code: 'INVALID_STATE', field: 'status' }));
  });
});

describe('what a lead is made of', () => {
  const typed: TypedLead = { kind: 'RESIDENTIAL', name: 'Anke Vogt', source: 'WEBSITE', email: 'anke@vogt.example' };

  test('a lead keeps its address and number in one spelling', () => {
    expect(checkLead({ ...typed, phone: '030 901820', email: 'Anke@VOGT.example' }, 'DE')).toMatchObject({
      phone: '+4930901820',
      email: 'Anke@vogt.example',
      priority: 3,
    });
  });

  test.each([
    [{ email: null }, 'email'],
    [{ email: 'x@' }, 'email'],
    [{ phone: '12345' }, 'phone'],
    [{ phone: '030 901820 ext. 5' }, 'phone'],
    [{ name: '' }, 'name'],
    [{ need: 'x'.repeat(2_001) }, 'need'],
    [{ priority: 0 }, 'priority'],
    [{ priority: 6 }, 'priority'],
    [{ language: '??' }, 'language'],
    [{ decideBy: '0000-01-01' }, 'decideBy'],
    [{ monthlyBudget: { amountMinor: -1n, currency: 'EUR' } }, 'monthlyBudget.amountMinor'],
    [{ monthlyBudget: { amountMinor: 1n, currency: 'XXX' } }, 'monthlyBudget.currency'],
  ] as const)('%o is refused with its field', (wrong, field) => {
    expect(() => checkLead({ ...typed, ...wrong }, 'DE')).toThrow(expect.objectContaining({ code: 'INVALID', field }));
  });

  test('an owner that can be nobody is nobody', () => {
    expect(() => checkLead({ ...typed, ownerId: 'me' }, 'DE')).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', field: 'ownerId' }),
    );
  });

  test('what is left out of a change stays, and null empties what may be empty', () => {
    const held = checkLead({ ...typed, need: 'Speed', monthlyBudget: { amountMinor: 5_000n, currency: 'EUR' } }, 'DE');
    expect(checkLead(changedLead(held, { priority: 1 }), 'DE')).toEqual({ ...held, priority: 1 });
    expect(checkLead(changedLead(held, { need: null, monthlyBudget: null }), 'DE')).toEqual({
      ...held,
      need: null,
      monthlyBudgetMinor: null,
      currency: null,
    });
  });

  test('the day they decide is counted in the tenant’s days', () => {
    const lead = checkLead({ ...typed, decideBy: '2026-12-10' }, 'DE');
    const now = new Date('2026-11-19T23:30:00Z'); // the 20th in Berlin
    expect(factsOf(lead, new Date('2026-11-16T22:00:00Z'), now, '2026-11-20')).toMatchObject({
      daysToDecide: 20,
      silentDays: 3,
    });
  });
});
