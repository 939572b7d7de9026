import 'reflect-metadata';
import { checkAddress } from '../../../schema/address.ts';
import { currencyExponent } from '../../../schema/currency.ts';
import { anywhere } from '../../../schema/cursor.ts';
import { expectVersion } from '../../../schema/words.ts';
import {
  advance,
  type CustomerStatus,
  checkSettled,
  checkTerms,
  checkTexts,
} from '../../../subgraphs/billing/accounts/customer.rules.ts';

const STATUSES: CustomerStatus[] = ['PROSPECT', 'ACTIVE', 'CLOSED'];

describe('the life of a customer', () => {
  test.each([
    ['PROSPECT', 'ACTIVE'],
    ['ACTIVE', 'CLOSED'],
    ['CLOSED', 'ACTIVE'],
  ] as const)('%s becomes %s', (from, to) => {
    expect(advance(from, to)).toBe(to);
  });

  const allowed = new Set(['PROSPECT>ACTIVE', 'ACTIVE>CLOSED', 'CLOSED>ACTIVE']);
  const refused = STATUSES.flatMap((from) => STATUSES.map((to) => [from, to] as const)).filter(
    ([from, to]) => !allowed.has(`${from}>${to}`),
  );
  test.each(refused)('%s never becomes %s', (from, to) => {
    expect(() => advance(from, to)).toThrow(expect.objectContaining({ code: 'INVALID_STATE' }));
  });

  test('an account is closed only when nothing is open either way', () => {
    expect(() => checkSettled(0n)).not.toThrow();
    expect(() => checkSettled(1n)).toThrow('This customer still owes money.');
    expect(() => checkSettled(-1n)).toThrow('This customer still has credit.');
  });

  test('a change made on an older copy is a conflict', () => {
    expect(() => expectVersion(3, 3, 'customer')).not.toThrow();
    expect(() => expectVersion(3, 2, 'customer')).toThrow(expect.objectContaining({ code: 'CONFLICT' }));
  });
});

describe('what a customer is called and where it is reached', () => {
  test('texts are trimmed and composed, empty ones are none, and what is not given stays out', () => {
    expect(checkTexts({ name: '  Mu\u0308ller ', email: ' ', phone: null })).toEqual({
      name: 'Müller',
      email: null,
      phone: null,
    });
  });

  test.each([
    [{ name: ' ' }, 'name'],
    [{ name: null }, 'name'],
    [{ name: 'x'.repeat(201) }, 'name'],
    [{ email: 'lena@' }, 'email'],
    [{ email: 'lena spaet@example.com' }, 'email'],
    [{ phone: 'call me' }, 'phone'],
    [{ timeZone: '+02:00' }, 'timeZone'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ locale: 'german'.repeat(3) }, 'locale'],
    [{ billingAddress: { line1: 'Gartenstraße 7', city: 'Berlin', country: 'Germany' } }, 'billingAddress'],
  ])('%j is refused with its field', (given, field) => {
    expect(() => checkTexts(given)).toThrow(expect.objectContaining({ code: 'INVALID', field }));
  });

  test('an address keeps its parts, trimmed, and names a country that exists', () => {
    const given = { line1: ' Gartenstraße 7 ', line2: '', city: 'Berlin', postalCode: '10115', country: 'DE' };
    const kept = {
      line1: 'Gartenstraße 7',
      line2: null,
      city: 'Berlin',
      postalCode: '10115',
      region: null,
      country: 'DE',
    };
    expect(checkAddress(given, 'address')).toEqual(kept);
    for (const country of ['de', 'XX', 'DEU', ''])
      expect(() => checkAddress({ ...given, country }, 'address')).toThrow(
        expect.objectContaining({ code: 'INVALID' }),
      );
    expect(() => checkAddress({ ...given, city: ' ' }, 'address')).toThrow('An address has a first line and a city.');
    expect(() => checkAddress({ ...given, region: 'x'.repeat(101) }, 'address')).toThrow('at most 100 characters');
  });

  test('what is searched for means itself', () => {
    expect(anywhere(' 100%_\\ ')).toBe('%100\\%\\_\\\\%');
  });
});

describe('what a customer is charged in', () => {
  test.each([
    ['JPY', 0],
    ['USD', 2],
    ['EUR', 2],
    ['HUF', 2],
    ['IQD', 3],
    ['KWD', 3],
    ['CLF', 4],
    ['XCG', 2],
  ])('%s has %d digits of minor unit', (code, exponent) => {
    expect(currencyExponent(code)).toBe(exponent);
  });

  test.each(['BGN', 'HRK', 'ANG', 'XAU', 'XXX', 'EURO', 'eur', ''])('%s is no currency in use', (currency) => {
    expect(() => checkTerms({ currency, billingDay: 1 })).toThrow(expect.objectContaining({ field: 'currency' }));
  });

  test.each([0, 32, 1.5, -1])('%d is no billing day', (billingDay) => {
    expect(() => checkTerms({ currency: 'EUR', billingDay })).toThrow(expect.objectContaining({ field: 'billingDay' }));
  });
});
