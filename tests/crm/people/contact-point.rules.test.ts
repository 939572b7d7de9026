import fc from 'fast-check';
import {
  checkPoints,
  MAX_POINTS,
  normalizePhone,
  soundPoints,
  type TypedPoint,
} from '../../../subgraphs/crm/people/contact-point.rules.ts';

const invalid = (field: string) => expect.objectContaining({ code: 'INVALID', field });

describe('telephone numbers (R9)', () => {
  test.each([
    ['030 901820', 'DE', '+4930901820', null],
    ['+49 (0)30 901820', 'DE', '+4930901820', null],
    ['0049 30 901820', 'DE', '+4930901820', null],
    ['0170 1234567', 'DE', '+491701234567', null],
    ['(415) 555-2671', 'US', '+14155552671', null],
    ['+1 415 555 2671 ext. 12', 'US', '+14155552671', '12'],
    ['0803 123 4567', 'NG', '+2348031234567', null],
    ['+390612345678', 'DE', '+390612345678', null],
  ])('%s in %s is %s', (typed, country, value, extension) => {
    expect(normalizePhone(typed, country)).toEqual({ value, extension });
  });

  test.each([
    ['555-2671', 'US'],
    ['12345', 'DE'],
    ['110', 'DE'],
    ['+999 123456', 'DE'],
    ['', 'DE'],
    ['1'.repeat(10_000), 'DE'],
  ])('%s in %s is none', (typed, country) => {
    expect(() => normalizePhone(typed, country)).toThrow(invalid('phone'));
  });

  test('a stored number stays as it is, wherever it is read', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('+4930901820', '+14155552671', '+2348031234567', '+390612345678'),
        fc.constantFrom('DE', 'US', 'BR', 'NG'),
        (value, country) => {
          expect(normalizePhone(value, country).value).toBe(value);
        },
      ),
    );
  });
});

describe('the points of a contact', () => {
  const email = (value: string, more: Partial<TypedPoint> = {}): TypedPoint => ({ type: 'EMAIL', value, ...more });
  const phone = (value: string, more: Partial<TypedPoint> = {}): TypedPoint => ({ type: 'PHONE', value, ...more });

  test('the first of a type is its primary one unless another is named', () => {
    const points = checkPoints(
      [email('a@x.example'), phone('030 901820'), email('b@x.example', { isPrimary: true })],
      'DE',
    );
    expect(points.map(({ isPrimary }) => isPrimary)).toEqual([false, true, true]);
  });

  test('the same address is not there twice, however it is spelled', () => {
    expect(() => checkPoints([email('ada@x.example'), email('ADA@x.example')], 'DE')).toThrow(
      invalid('points.1.value'),
    );
    expect(() => checkPoints([phone('030 901820'), phone('+49 30 901820')], 'DE')).toThrow(invalid('points.1.value'));
    expect(checkPoints([phone('030 901820'), phone('030 901820', { extension: '7' })], 'DE')).toHaveLength(2);
  });

  test('two primary ones of a type are refused', () => {
    const two = [email('a@x.example', { isPrimary: true }), email('b@x.example', { isPrimary: true })];
    expect(() => checkPoints(two, 'DE')).toThrow(invalid('points.1.isPrimary'));
  });

  test('a wrong one is named by its place', () => {
    expect(() => checkPoints([email('a@x.example'), phone('110')], 'DE')).toThrow(invalid('points.1.value'));
    expect(() => checkPoints([phone('030 901820', { extension: '1a' })], 'DE')).toThrow(invalid('points.0.extension'));
  });

  test('there are at most 20', () => {
    const many = Array.from({ length: MAX_POINTS + 1 }, (_, i) => email(`a${i}@x.example`));
    expect(checkPoints(many.slice(1), 'DE')).toHaveLength(MAX_POINTS);
    expect(() => checkPoints(many, 'DE')).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
  });

  test('whatever was typed, each type that is there has one primary point', () => {
    const typed = fc
      .uniqueArray(fc.nat(50), { maxLength: 10 })
      .map((places) =>
        places.map((n) => (n % 2 ? email(`a${n}@x.example`) : phone(`030 9018${String(n).padStart(2, '0')}`))),
      );
    fc.assert(
      fc.property(typed, (points) => {
        const checked = checkPoints(points, 'DE');
        for (const type of ['EMAIL', 'PHONE']) {
          const own = checked.filter((point) => point.type === type);
          expect(own.filter(({ isPrimary }) => isPrimary)).toHaveLength(own.length > 0 ? 1 : 0);
        }
      }),
    );
  });

  test('what another domain says of a person stops nothing: what is no address is left out', () => {
    expect(soundPoints([email('not an address'), phone('030 901820')], 'DE').map(({ value }) => value)).toEqual([
      '+4930901820',
    ]);
  });
});
