import { DateTime, LocalDate } from '../../schema/scalars.ts';

describe('a date', () => {
  test.each(['0001-01-01', '2028-02-29', '9999-12-31'])('%s is one', (text) => {
    expect(LocalDate.parseValue(text)).toBe(text);
  });

  test.each([
    ['year 0, which no calendar of a database has', '0000-01-01'],
    ['a day its month has not', '2027-02-29'],
    ['a month there is not', '2027-13-01'],
    ['a day without its zeros', '2027-2-1'],
    ['a year of five digits', '12027-02-01'],
    ['an instant', '2027-02-01T00:00:00Z'],
    ['a number', 20270201],
  ])('%s is refused', (_, given) => {
    expect(() => LocalDate.parseValue(given)).toThrow(
      expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT' } }),
    );
  });
});

describe('a date-time', () => {
  test.each([
    ['2027-03-17T16:15:30Z', '2027-03-17T16:15:30.000Z'],
    ['2027-03-17T16:15Z', '2027-03-17T16:15:00.000Z'],
    ['2028-02-29T23:59:59.999+02:00', '2028-02-29T21:59:59.999Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
  ])('%s is %s', (text, instant) => {
    expect(DateTime.serialize(DateTime.parseValue(text))).toBe(instant);
  });

  test.each([
    ['a day its month has not, which would become one of the next month', '2027-02-30T00:00:00Z'],
    ['29 February of no leap year', '2027-02-29T12:00:00Z'],
    ['an hour 24, which would become the next day', '2027-01-01T24:00:00Z'],
    ['a leap second', '2016-12-31T23:59:60Z'],
    ['year 0', '0000-01-01T00:00:00Z'],
    ['an instant before year 1 in UTC', '0001-01-01T00:00:00+14:00'],
    ['an instant after year 9999 in UTC', '9999-12-31T23:59:59-14:00'],
    ['no zone', '2027-03-17T16:15:30'],
    ['an offset there is not', '2027-03-17T16:15:30+99:99'],
    ['a date', '2027-03-17'],
    ['a number', 1_805_300_130_000],
  ])('%s is refused', (_, given) => {
    expect(() => DateTime.parseValue(given)).toThrow(
      expect.objectContaining({ extensions: { code: 'BAD_USER_INPUT' } }),
    );
  });
});
