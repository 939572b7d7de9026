import {
  changedContact,
  checkContact,
  checkUnlink,
  primaryContactOf,
} from '../../../subgraphs/crm/people/contact.rules.ts';

describe('contacts', () => {
  const ada = {
    kind: 'PERSON',
    displayName: 'Ada Lovelace',
    givenName: 'Ada',
    familyName: 'Lovelace',
    language: 'en',
  } as const;

  test('a contact needs a name', () => {
    expect(() => checkContact({ kind: 'PERSON', displayName: ' ' })).toThrow(
      expect.objectContaining({ code: 'INVALID', field: 'displayName' }),
    );
    expect(checkContact({ kind: 'PERSON', displayName: 'Ada' })).toEqual({
      kind: 'PERSON',
      displayName: 'Ada',
      givenName: null,
      familyName: null,
      language: null,
    });
  });

  test('what is left out of a change stays, and null empties what may be empty', () => {
    expect(changedContact(ada, { givenName: null })).toEqual({ ...ada, givenName: null });
    expect(changedContact(ada, { displayName: undefined, familyName: 'King' })).toEqual({ ...ada, familyName: 'King' });
  });

  test('a business customer’s first contact is the organisation, anybody else’s the person', () => {
    expect(primaryContactOf('BUSINESS', { name: 'Praxis Adler' }, 'DE')?.fields.kind).toBe('ORGANISATION');
    expect(primaryContactOf('PERSON', { name: 'Lena Spaet' }, 'DE')?.fields.kind).toBe('PERSON');
  });

  test('an address that is none does not keep the contact from being made', () => {
    const made = primaryContactOf('PERSON', { name: 'Lena Spaet', email: 'lena', phone: '030 901820' }, 'DE');
    expect(made?.points.map(({ value }) => value)).toEqual(['+4930901820']);
  });

  test('of an erased customer no contact is made', () => {
    expect(primaryContactOf('PERSON', {}, 'DE')).toBeNull();
  });

  test('the primary contact is replaced, never removed', () => {
    expect(() => checkUnlink('PRIMARY')).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
    expect(() => checkUnlink('BILLING')).not.toThrow();
  });
});
