import fc from 'fast-check';
import { addDays, isTimeZone, localDate, monthlyPeriod, startOfDay, yearlyPeriod } from '../../schema/calendar.ts';

const ZONES = [
  'UTC',
  'America/Denver',
  'Europe/Berlin',
  'Africa/Lagos',
  'Asia/Manila',
  'America/Sao_Paulo',
  'Pacific/Apia',
  'Australia/Lord_Howe',
];
const anyZone = fc.constantFrom(...ZONES);
const anyInstant = fc.date({
  min: new Date('2001-01-01T00:00:00Z'),
  max: new Date('2049-12-31T00:00:00Z'),
  noInvalidDate: true,
});
const anyAnchor = fc.integer({ min: 1, max: 31 });

const at = (text: string) => new Date(text);
const start = (instant: string, anchorDay: number, zone: string) =>
  monthlyPeriod(at(instant), anchorDay, zone).start.toISOString();

describe('a monthly period', () => {
  test.each([
    ['2027-01-31T12:00:00Z', '2027-01-31T07:00:00.000Z'],
    ['2027-03-01T12:00:00Z', '2027-02-28T07:00:00.000Z'],
    ['2027-04-01T12:00:00Z', '2027-03-31T06:00:00.000Z'],
    ['2027-05-01T12:00:00Z', '2027-04-30T06:00:00.000Z'],
    ['2027-05-31T12:00:00Z', '2027-05-31T06:00:00.000Z'],
  ])('anchored on the 31st in Denver: on %s the one that began at %s runs', (instant, began) => {
    expect(start(instant, 31, 'America/Denver')).toBe(began);
  });

  test('anchored on the 31st begins on the 29th of February in a leap year, and on the 31st again after it', () => {
    expect(start('2028-03-01T12:00:00Z', 31, 'UTC')).toBe('2028-02-29T00:00:00.000Z');
    expect(start('2028-04-01T12:00:00Z', 31, 'UTC')).toBe('2028-03-31T00:00:00.000Z');
  });

  test('is half-open: its last millisecond is in it, its end begins the next', () => {
    expect(start('2027-03-31T05:59:59.999Z', 31, 'America/Denver')).toBe('2027-02-28T07:00:00.000Z');
    expect(start('2027-03-31T06:00:00.000Z', 31, 'America/Denver')).toBe('2027-03-31T06:00:00.000Z');
  });

  test('in which summer time begins is an hour shorter', () => {
    const { start: began, end } = monthlyPeriod(at('2027-03-17T16:15:30Z'), 1, 'America/Denver');
    expect((end.getTime() - began.getTime()) / 1_000).toBe(2_674_800);
    expect((end.getTime() - at('2027-03-17T16:15:30Z').getTime()) / 1_000).toBe(1_259_070);
  });

  test('contains its instant, and the next begins where it ends, whatever zone and anchor', () => {
    fc.assert(
      fc.property(anyInstant, anyAnchor, anyZone, (instant, anchorDay, zone) => {
        const period = monthlyPeriod(instant, anchorDay, zone);
        expect(period.start <= instant && instant < period.end).toBe(true);
        expect(monthlyPeriod(period.start, anchorDay, zone)).toEqual(period);
        expect(monthlyPeriod(period.end, anchorDay, zone).start).toEqual(period.end);
        expect(monthlyPeriod(new Date(period.end.getTime() - 1), anchorDay, zone)).toEqual(period);
      }),
    );
  });

  test('begins at the first moment of the anchor day, or of the last day of a month too short for it', () => {
    fc.assert(
      fc.property(anyInstant, anyAnchor, anyZone, (instant, anchorDay, zone) => {
        fc.pre(zone !== 'Pacific/Apia'); // where the 30th of December 2011 never was
        const began = monthlyPeriod(instant, anchorDay, zone).start;
        const [year, month, day] = localDate(began, zone).split('-').map(Number) as [number, number, number];
        const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
        expect(day).toBe(Math.min(anchorDay, lastDay));
        expect(localDate(new Date(began.getTime() - 1), zone)).not.toBe(localDate(began, zone));
      }),
    );
  });

  test('anchored on a day that never was begins with the next', () => {
    expect(start('2012-01-01T12:00:00Z', 30, 'Pacific/Apia')).toBe('2011-12-30T10:00:00.000Z');
    expect(localDate(at('2011-12-30T10:00:00Z'), 'Pacific/Apia')).toBe('2011-12-31');
  });
});

describe('a yearly period', () => {
  const origin = at('2024-02-29T12:00:00Z');

  test('anchored on the 29th of February begins on the 28th in other years', () => {
    expect(yearlyPeriod(at('2025-06-01T00:00:00Z'), origin, 29, 'UTC')).toEqual({
      start: at('2025-02-28T00:00:00Z'),
      end: at('2026-02-28T00:00:00Z'),
    });
    expect(yearlyPeriod(at('2028-06-01T00:00:00Z'), origin, 29, 'UTC').start).toEqual(at('2028-02-29T00:00:00Z'));
  });

  test('contains its instant and is twelve monthly ones, before and after it first began', () => {
    fc.assert(
      fc.property(anyInstant, anyInstant, anyAnchor, anyZone, (instant, first, anchorDay, zone) => {
        const year = yearlyPeriod(instant, first, anchorDay, zone);
        expect(year.start <= instant && instant < year.end).toBe(true);
        let boundary = year.start;
        for (let month = 0; month < 12; month++) boundary = monthlyPeriod(boundary, anchorDay, zone).end;
        expect(boundary).toEqual(year.end);
      }),
    );
  });
});

describe('a local day', () => {
  test('begins an hour later where midnight is skipped, and the first time where it comes twice', () => {
    expect(startOfDay('2018-11-04', 'America/Sao_Paulo')).toEqual(at('2018-11-04T03:00:00Z'));
    expect(startOfDay('2027-10-31', 'Atlantic/Azores')).toEqual(at('2027-10-31T00:00:00Z'));
  });

  test('is the day its first moment falls on, and the moment before it is not', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        const date = localDate(instant, zone);
        const began = startOfDay(date, zone);
        expect(began <= instant).toBe(true);
        expect(localDate(began, zone)).toBe(date);
        expect(localDate(new Date(began.getTime() - 1), zone)).not.toBe(date);
      }),
    );
  });

  test('and thirty later it is the same time of day, although an hour is missing', () => {
    expect(addDays(at('2027-03-01T16:00:00Z'), 30, 'America/Denver')).toEqual(at('2027-03-31T15:00:00Z'));
  });
});

test.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['Europe/Atlantis', false],
  ['+01:00', false],
  ['', false],
  ['Europe/Berlin ', false],
])('%p is a time zone: %p', (zone, isOne) => {
  expect(isTimeZone(zone)).toBe(isOne);
});
