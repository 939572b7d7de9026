import 'reflect-metadata';
import fc from 'fast-check';
import { Decimal } from '../../../schema/scalars.ts';
import { exactOf, MAX_AMOUNT_MINOR, majorOf, netOf } from '../../../subgraphs/billing/rating/charge.rules.ts';

describe('a charge is rounded once, half-even, from the exact value', () => {
  test.each([
    ['3', '19.99', 'EUR', 5997n],
    ['12345', '0.001', 'USD', 1234n],
    ['1', '0.285', 'USD', 28n],
    ['1', '0.025', 'USD', 2n],
    ['1', '0.035', 'USD', 4n],
    ['0.5', '0.01', 'EUR', null],
    ['1', '1005', 'JPY', 1005n],
    ['1', '1.2345', 'KWD', 1234n],
    ['1', '1.2355', 'KWD', 1236n],
    ['1', '0.00005', 'CLF', null],
    ['1000000000', '1000000', 'EUR', MAX_AMOUNT_MINOR],
    ['0.333333333333', '3', 'EUR', 100n],
  ])('%s × %s %s', (quantity, unitPrice, currency, net) => {
    if (net !== null) expect(netOf(quantity, unitPrice, currency)).toBe(net);
    else expect(() => netOf(quantity, unitPrice, currency)).toThrow('there is no charge of nothing');
  });

  test.each([
    ['0', '1', 'EUR', 'quantity'],
    ['-1', '1', 'EUR', 'quantity'],
    ['1000000000.000000000001', '1', 'EUR', 'quantity'],
    ['1', '-0.01', 'EUR', 'unitPrice'],
    ['1000000000', '1000000.01', 'EUR', 'unitPrice'],
    ['1', '1', 'BGN', 'currency'],
  ])('%s × %s %s is refused with its field', (quantity, unitPrice, currency, field) => {
    expect(() => netOf(quantity, unitPrice, currency)).toThrow(expect.objectContaining({ code: 'INVALID', field }));
  });

  test('never further than half a minor unit from the exact value', () => {
    const decimal = fc
      .tuple(fc.bigInt(1n, 10n ** 6n), fc.bigInt(0n, 10n ** 6n - 1n))
      .map(([whole, part]) => `${whole}.${part.toString().padStart(6, '0')}`);
    fc.assert(
      fc.property(decimal, decimal, (quantity, unitPrice) => {
        const [q, p] = [exactOf(quantity), exactOf(unitPrice)];
        const scale = q.denominator * p.denominator;
        const distance = netOf(quantity, unitPrice, 'EUR') * scale - q.numerator * p.numerator * 100n;
        expect((distance < 0n ? -distance : distance) * 2n).toBeLessThanOrEqual(scale);
      }),
    );
  });
});

describe('decimal numbers', () => {
  test('minor units written as major ones are the same amount', () => {
    fc.assert(
      fc.property(
        fc.bigInt(-MAX_AMOUNT_MINOR, MAX_AMOUNT_MINOR),
        fc.constantFrom(['JPY', 0], ['EUR', 2], ['KWD', 3], ['CLF', 4]),
        (minor, [code, digits]) => {
          const { numerator, denominator } = exactOf(majorOf(minor, String(code)));
          expect(numerator * 10n ** BigInt(digits)).toBe(minor * denominator);
        },
      ),
    );
  });

  test.each([
    [-4660n, 'USD', '-46.60'],
    [5n, 'EUR', '0.05'],
    [-5n, 'KWD', '-0.005'],
    [101n, 'JPY', '101'],
  ])('%s minor %s is %s', (minor, currency, major) => {
    expect(majorOf(minor, currency)).toBe(major);
  });

  test.each([
    '1e309',
    'NaN',
    '10,00',
    '.5',
    '1.',
    '1234567890123',
    '0x10',
    '',
    ' 1',
  ])('%j is no decimal number', (text) => {
    expect(() => Decimal.parseValue(text)).toThrow();
  });
  test('a JSON number is none either', () => {
    expect(() => Decimal.parseValue(0.1)).toThrow('Decimal is written as a string.');
  });
  test.each([
    ['39.900000000000', '39.9'],
    ['100.000000000000', '100'],
    ['100', '100'],
    ['-0.001000000000', '-0.001'],
  ])('%s is answered as %s', (stored, shown) => {
    expect(Decimal.serialize(stored)).toBe(shown);
  });
});
