import type { GraphQLFormattedError } from 'graphql';
import { ERROR_CODES, type ErrorCode } from '../schema/errors.ts';
import type { Feature, QuotaKey } from '../schema/features.ts';
import type { Offers } from './licenses.ts';

const KNOWN = new Set<unknown>(ERROR_CODES);

/** Extensions a subgraph may tell a client; whatever else it says stays inside. */
const PASSED = new Set([
  'code',
  'reason',
  'methods',
  'feature',
  'coordinate',
  'licenseVersion',
  'key',
  'limit',
  'used',
  'resetsAt',
  'errorId',
  'field',
  'refusal',
  'retryAfterMs',
]);

/** A client's own words come back in a complaint about them, but not all of a book; characters. */
const MAX_SENTENCE = 500;

/** An error as clients may see it: one of our codes with its known extensions, or INTERNAL without a word more. */
export function maskError(error: GraphQLFormattedError): GraphQLFormattedError {
  const path = error.path ? { path: error.path } : {};
  if (!KNOWN.has(error.extensions?.code))
    return { ...path, message: 'Something went wrong on our side.', extensions: { code: 'INTERNAL' } };
  const extensions = Object.fromEntries(Object.entries(error.extensions ?? {}).filter(([key]) => PASSED.has(key)));
  return { ...path, message: error.message.slice(0, MAX_SENTENCE), extensions };
}

/** An error of a foreign subgraph as clients see it: its own words, under a code. */
export function unmasked({ message, path, extensions }: GraphQLFormattedError): GraphQLFormattedError {
  return {
    message: message || 'Something went wrong.',
    ...(path ? { path } : {}),
    extensions: { ...extensions, code: extensions?.code ?? 'INTERNAL' },
  };
}

/** Adds to a denial what would open the door (licensing R5, R19): the cheapest plan, add-ons, and where to buy. */
export function addWayOut(
  error: GraphQLFormattedError,
  offers: Offers,
  plan: string | undefined,
): GraphQLFormattedError {
  const { code, feature, key } = error.extensions ?? {};
  if (code === 'FEATURE_NOT_LICENSED' && feature === 'core')
    return { ...error, extensions: { ...error.extensions, upgradeUrl: '/billing' } };
  if (code === 'FEATURE_NOT_LICENSED') {
    const offer = offers.features[feature as Feature];
    return {
      ...error,
      extensions: {
        ...error.extensions,
        requiredPlan: offer?.requiredPlan ?? null,
        addOns: offer?.addOns ?? [],
        upgradeUrl: `/billing/upgrade?feature=${feature}`,
      },
    };
  }
  if (code === 'QUOTA_EXCEEDED') {
    const requiredPlan = (plan && offers.quotas[key as QuotaKey]?.[plan]) ?? null;
    return { ...error, extensions: { ...error.extensions, requiredPlan, upgradeUrl: `/billing/upgrade?quota=${key}` } };
  }
  return error;
}

export const isDenial = (error: GraphQLFormattedError): boolean =>
  error.extensions?.code === 'FEATURE_NOT_LICENSED' || error.extensions?.code === 'QUOTA_EXCEEDED';

const STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  FEATURE_NOT_LICENSED: 402,
  RATE_LIMITED: 429,
  OPERATION_LIMIT: 400,
  BAD_USER_INPUT: 400,
  OVERLOADED: 503,
};

/**
 * The HTTP status of an answer: 200 whenever it holds anything, else that of the one code all its errors share.
 * So a request for nothing but an unlicensed feature is 402, and one with something beside it 200 with partial data. One
 * that was counted out at the door has no data at all: 429.
 */
export function statusOf(
  data: Record<string, unknown> | null | undefined,
  errors: readonly GraphQLFormattedError[],
): number {
  const isEmpty = !data || Object.entries(data).every(([key, value]) => value === null || key === '__typename');
  const [first] = errors;
  if (!first || !isEmpty) return 200;
  const code = first.extensions?.code as ErrorCode;
  if (!errors.every((error) => error.extensions?.code === code)) return 200;
  return code === 'QUOTA_EXCEEDED' && data === undefined ? 429 : (STATUS[code] ?? 200);
}

/** What is too much for a subgraph may be asked again after this time, milliseconds; the gateway says for itself. */
const RETRY_MS = 1_000;

/** The `retry-after` header of an answer that may be asked for again later, whole seconds; none for others. */
export function retryAfter(errors: readonly GraphQLFormattedError[]): { 'retry-after'?: string } {
  const waits = errors
    .map(({ extensions: { code, retryAfterMs } = {} }) =>
      code === 'OVERLOADED' ? (retryAfterMs ?? RETRY_MS) : retryAfterMs,
    )
    .map(Number)
    .filter(Number.isFinite);
  return waits.length > 0 ? { 'retry-after': String(Math.ceil(Math.max(...waits) / 1_000)) } : {};
}
