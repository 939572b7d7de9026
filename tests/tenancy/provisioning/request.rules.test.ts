import fc from 'fast-check';
import { Refusal } from '../../../schema/errors.ts';
import {
  checkRequest,
  checkSlug,
  isSlug,
  releasedSlug,
} from '../../../subgraphs/tenancy/provisioning/request.rules.ts';

const refusal = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, message: error.message, field: error.field };
    throw error;
  }
  return null;
};

const ASKED = {
  ...{ slug: 'reef', name: 'Reef Net', country: 'DE', zone: 'Europe/Berlin', currency: 'EUR', plan: 'starter' },
  admin: { name: 'Rita Reef', email: 'Rita@Reef.example' },
};

describe('a short name', () => {
  test.each([
    'Kestrel',
    'a',
    'ab',
    'a--b',
    '-ab',
    'ab-',
    '1ab',
    'a_b',
    'ä-b',
    '',
    'a'.repeat(31),
    'reef\n',
    'reef.net',
  ])('%j is none', (slug) => {
    expect(refusal(() => checkSlug(slug))).toEqual({
      ...{ code: 'INVALID', message: 'A short name has 3 to 30 letters, digits and single hyphens.', field: 'slug' },
    });
  });

  test.each(['admin', 'www', 'platform', 'released-0123456789ab'])('%s is nobody’s', (slug) => {
    expect(refusal(() => checkSlug(slug))).toEqual({
      ...{ code: 'CONFLICT', message: 'This short name is not available.', field: 'slug' },
    });
  });

  test.each(['abc', 'reef', 'a-b', 'a1-b2-c3', 'a'.repeat(30), 'refuse-dns'])('%s is one', (slug) => {
    expect(checkSlug(slug)).toBe(slug);
  });

  test('whatever is taken for one is stored as one', () => {
    const column = /^[a-z][a-z0-9-]{1,28}[a-z0-9]$/;
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9-]{1,34}$/), (slug) => {
        if (isSlug(slug)) expect(column.test(slug) && !slug.includes('--')).toBe(true);
      }),
    );
    expect(column.test(releasedSlug('01990000-0000-7000-8000-0000000000ff'))).toBe(true);
  });
});

describe('a request', () => {
  test('is trimmed, and what is left out follows from the rest', () => {
    expect(checkRequest({ ...ASKED, name: '  Reef Net ' })).toMatchObject({
      profile: {
        name: 'Reef Net',
        locale: 'en-DE',
        contactEmail: 'rita@reef.example',
        billingEmail: 'rita@reef.example',
      },
      wanted: { isolation: 'SHARED', region: 'eu', interval: 'MONTH', isTrial: false, admin: { name: 'Rita Reef' } },
    });
  });

  test.each([
    ['country', { country: 'XX' }],
    ['country', { country: 'de' }],
    ['zone', { zone: 'Europe/Atlantis' }],
    ['currency', { currency: 'DEM' }],
    ['currency', { currency: 'euro' }],
    ['region', { region: 'moon' }],
    ['locale', { locale: 'not a tag' }],
    ['plan', { plan: 'Starter!' }],
    ['name', { name: 'R' }],
    ['admin.email', { admin: { name: 'Rita', email: 'rita' } }],
    ['admin.name', { admin: { name: '', email: 'rita@reef.example' } }],
    ['billingEmail', { billingEmail: 'nobody' }],
  ])('with a malformed or unknown %s is refused by its field', (field, wrong) => {
    expect(refusal(() => checkRequest({ ...ASKED, ...wrong }))).toMatchObject({ code: 'INVALID', field });
  });
});
