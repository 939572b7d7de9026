import 'reflect-metadata';
import fc from 'fast-check';
import { currencyExponent } from '../../schema/currency.ts';
import { roundHalfEven } from '../../schema/money.ts';
import { AmountMinor, CurrencyCode } from '../../schema/scalars.ts';

const anyNumerator = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
const anyDenominator = fc.bigInt({ min: 1n, max: 10n ** 12n });

describe('a price is rounded once, half to the even cent', () => {
  test.each<[string, bigint, bigint, bigint]>([
    ['28.5', 285n, 10n, 28n],
    ['2.5', 25n, 10n, 2n],
    ['-2.5', -25n, 10n, -2n],
    ['3.5', 35n, 10n, 4n],
    ['-3.5', -35n, 10n, -4n],
    ['0.5', 1n, 2n, 0n],
    ['1.5', 3n, 2n, 2n],
    ['2.4999', 24_999n, 10_000n, 2n],
    ['2.5001', 25_001n, 10_000n, 3n],
    ['-0.5', -1n, 2n, 0n],
    ['7', 7n, 1n, 7n],
  ])('%s', (_exact, numerator, denominator, rounded) => {
    expect(roundHalfEven(numerator, denominator)).toBe(rounded);
  });

  test('12,345 calls at 0.001 are 12.34', () => {
    expect(roundHalfEven(12_345n * 1n * 100n, 1_000n)).toBe(1_234n);
  });

  test('an upgrade on 17 March in Denver credits 46.60 of 99.00 and charges 140.74 of 299.00', () => {
    const ofTheRest = (minor: bigint) => roundHalfEven(minor * 1_259_070n, 2_674_800n);
    expect([ofTheRest(9_900n), ofTheRest(29_900n)]).toEqual([4_660n, 14_074n]);
  });

  test('60 % of 818.88 are 491.33, and a quarter of 0.50 is 0.12', () => {
    expect([roundHalfEven(81_888n * 60n, 100n), roundHalfEven(50n * 25n, 100n)]).toEqual([49_133n, 12n]);
  });

  test('it is never further off than half a cent, and then it is even', () => {
    fc.assert(
      fc.property(anyNumerator, anyDenominator, (numerator, denominator) => {
        const rounded = roundHalfEven(numerator, denominator);
        const twiceOff = 2n * (rounded * denominator - numerator);
        const distance = twiceOff < 0n ? -twiceOff : twiceOff;
        expect(distance < denominator || (distance === denominator && rounded % 2n === 0n)).toBe(true);
      }),
    );
  });

  test('what is credited is what would be charged, and a bigger price never rounds to less', () => {
    fc.assert(
      fc.property(
        anyNumerator,
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        anyDenominator,
        (numerator, more, denominator) => {
          expect(roundHalfEven(-numerator, denominator)).toBe(-roundHalfEven(numerator, denominator));
          expect(roundHalfEven(numerator + more, denominator) >= roundHalfEven(numerator, denominator)).toBe(true);
        },
      ),
    );
  });
});

describe('an amount on the wire', () => {
  test('arrives exactly, however large', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 18n) + 1n, max: 10n ** 18n - 1n }), (amount) => {
        expect(AmountMinor.parseValue(AmountMinor.serialize(amount))).toBe(amount);
      }),
    );
  });

  test.each([
    ['49.99'],
    ['1e3'],
    [''],
    ['+5'],
    [' 5'],
    ['0x10'],
    ['-'],
    ['١٢'],
    ['1'.repeat(19)],
    [4_999],
    [null],
  ])('is refused as %p', (text) => {
    expect(() => AmountMinor.parseValue(text)).toThrow();
  });

  test('has three capital letters for its currency, whose cents are counted as ISO 4217 says', () => {
    expect(() => CurrencyCode.parseValue('eur')).toThrow('three capital letters');
    expect(['JPY', 'USD', 'KWD', 'CLF', 'XXX'].map(currencyExponent)).toEqual([0, 2, 3, 4, undefined]);
  });
});
