import { Temporal } from 'temporal-polyfill';

export interface Period {
  start: Date;
  end: Date;
}

/** Whether the zone is a known IANA name; an offset such as `+01:00` is none, for it forgets summer time. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    Temporal.Now.zonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}

/** The calendar date an instant falls on in a zone. */
export function localDate(instant: Date, zone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(zone).toPlainDate().toString();
}

/** The calendar date after a date. */
export const nextDate = (date: string): string => Temporal.PlainDate.from(date).add({ days: 1 }).toString();

/** The instant local midnight begins on a date: a skipped midnight moves forward, a repeated one is its first. */
export function startOfDay(date: string, zone: string): Date {
  return new Date(Temporal.PlainDate.from(date).toZonedDateTime({ timeZone: zone }).epochMilliseconds);
}

/** `days` calendar days later at the same local time. */
export function addDays(instant: Date, days: number, zone: string): Date {
  const local = Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(zone);
  return new Date(local.add({ days }).epochMilliseconds);
}

/**
 * An instant later by an ISO 8601 duration such as `P14D` or `PT1H30M`, whose days and months are those of the zone;
 * undefined for what is no duration or leads out of the calendar.
 */
export function addDuration(instant: Date, duration: string, zone: string): Date | undefined {
  try {
    const local = Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(zone);
    return new Date(local.add(Temporal.Duration.from(duration)).epochMilliseconds);
  } catch {
    return undefined;
  }
}

function boundary(month: Temporal.PlainYearMonth, anchorDay: number, zone: string): Date {
  const day = Math.min(anchorDay, month.daysInMonth);
  return new Date(month.toPlainDate({ day }).toZonedDateTime({ timeZone: zone }).epochMilliseconds);
}

/**
 * The monthly period an instant lies in: from local midnight of the anchor day, clamped to the month's length but
 * remembered (anchor 31: 31 Jan, 28 Feb, 31 Mar). Half-open.
 */
export function monthlyPeriod(instant: Date, anchorDay: number, zone: string): Period {
  const date = Temporal.PlainDate.from(localDate(instant, zone));
  const month = date.toPlainYearMonth();
  const here = boundary(month, anchorDay, zone);
  return instant >= here
    ? { start: here, end: boundary(month.add({ months: 1 }), anchorDay, zone) }
    : { start: boundary(month.subtract({ months: 1 }), anchorDay, zone), end: here };
}

/** The yearly period an instant lies in, counted in steps of twelve months from the month of `origin`. */
export function yearlyPeriod(instant: Date, origin: Date, anchorDay: number, zone: string): Period {
  const first = Temporal.PlainDate.from(localDate(origin, zone)).toPlainYearMonth();
  let start = first;
  while (boundary(start.add({ years: 1 }), anchorDay, zone) <= instant) start = start.add({ years: 1 });
  while (boundary(start, anchorDay, zone) > instant) start = start.subtract({ years: 1 });
  return { start: boundary(start, anchorDay, zone), end: boundary(start.add({ years: 1 }), anchorDay, zone) };
}
