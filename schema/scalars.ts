import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { FEATURE_KEYS, isFeature, isQuotaKey, QUOTA_KEYS } from './features.ts';

const refuse = (sentence: string) => new GraphQLError(sentence, { extensions: { code: 'BAD_USER_INPUT' } });

/** A scalar whose wire form is a string; `read` turns it into what code uses or throws a sentence. */
function stringScalar<T>(name: string, description: string, read: (text: string) => T, write: (value: T) => string) {
  const parse = (value: unknown): T => {
    if (typeof value !== 'string') throw refuse(`${name} is written as a string.`);
    return read(value);
  };
  return new GraphQLScalarType<T, string>({
    name,
    description,
    serialize: (value) => write(value as T),
    parseValue: parse,
    parseLiteral: (node: ValueNode) => parse(node.kind === Kind.STRING ? node.value : undefined),
  });
}

/** Whether a text is a day that exists, of the years 1 to 9999. `Date` would make 2 March of 30 February. */
const isDay = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d$/.test(text) && text >= '0001' && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;

const INSTANT = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** An instant in a text, or undefined; in UTC too its year is 1 to 9999. */
function instantIn(text: string): Date | undefined {
  const date = new Date(text);
  if (!INSTANT.test(text) || !isDay(text.slice(0, 10)) || Number.isNaN(date.getTime())) return undefined;
  return date.toISOString() >= '0001' ? date : undefined;
}

export const DateTime = stringScalar<Date>(
  'DateTime',
  'An instant, RFC 3339, answered in UTC with milliseconds: `2027-03-17T16:15:30.000Z`.',
  (text) => {
    const date = instantIn(text);
    if (!date) throw refuse('A date-time is written like 2027-03-17T16:15:30Z.');
    return date;
  },
  (value) => (value instanceof Date ? value : new Date(value)).toISOString(),
);

export const LocalDate = stringScalar<string>(
  'Date',
  "A calendar date in the tenant's zone: `2027-03-17`.",
  (text) => {
    if (!isDay(text)) throw refuse('A date is written like 2027-03-17.');
    return text;
  },
  (value) => value,
);

const MAX_QUANTITY = 9_223_372_036_854_775_807n;

export const Quantity = stringScalar<bigint>(
  'Quantity',
  "A whole number from 0 to 9223372036854775807 in a quota's base unit, as decimal digits.",
  (text) => {
    if (!/^\d{1,19}$/.test(text) || BigInt(text) > MAX_QUANTITY) throw refuse('A quantity is a whole number from 0.');
    return BigInt(text);
  },
  (value) => value.toString(),
);

export const AmountMinor = stringScalar<bigint>(
  'AmountMinor',
  'An amount in the minor units of its currency (cents for EUR), as digits with an optional sign. Never a float.',
  (text) => {
    if (!/^-?\d{1,18}$/.test(text)) throw refuse('An amount is a whole number of minor units, such as "4999".');
    return BigInt(text);
  },
  (value) => value.toString(),
);

export const CurrencyCode = stringScalar<string>(
  'CurrencyCode',
  'ISO 4217, upper case: `EUR`.',
  (text) => {
    if (!/^[A-Z]{3}$/.test(text)) throw refuse('A currency is three capital letters, such as EUR.');
    return text;
  },
  (value) => value.trim(),
);

export const Decimal = stringScalar<string>(
  'Decimal',
  'An exact decimal number as digits: `0.001`, `-46.60`. At most 12 digits before and after the point, never a float.',
  (text) => {
    if (!/^-?\d{1,12}(\.\d{1,12})?$/.test(text)) throw refuse('A decimal number is written like 12.5.');
    return text;
  },
  (value) => (value.includes('.') ? value.replace(/\.?0+$/, '') : value),
);

export const TimeZone = stringScalar<string>(
  'TimeZone',
  'An IANA time zone: `Europe/Berlin`. Never an offset, which forgets summer time.',
  (text) => text,
  (value) => value,
);

export const FeatureKey = stringScalar<string>(
  'FeatureKey',
  `A licensable feature: ${FEATURE_KEYS.join(', ')}.`,
  (text) => {
    if (!isFeature(text)) throw refuse(`Unknown feature: ${text.slice(0, 40)}.`);
    return text;
  },
  (value) => value,
);

export const QuotaKeyScalar = stringScalar<string>(
  'QuotaKey',
  `What a licence limits: ${QUOTA_KEYS.join(', ')}.`,
  (text) => {
    if (!isQuotaKey(text)) throw refuse(`Unknown quota: ${text.slice(0, 40)}.`);
    return text;
  },
  (value) => value,
);
