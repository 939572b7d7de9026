import { GraphQLError } from 'graphql';
import { FEATURES, type Feature, type FeatureAccess } from './features.ts';

/** The domain says no: becomes a `userError` of the payload. */
export const REFUSAL_CODES = [
  'INVALID',
  'NOT_FOUND',
  'CONFLICT',
  'INVALID_STATE',
  'LIMIT_REACHED',
  'IDEMPOTENCY_MISMATCH',
  'IDEMPOTENCY_IN_PROGRESS',
  'STALE_PREVIEW',
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** The request was not let in, or we broke: becomes an entry of `errors`, with the code in `extensions`. */
export const ERROR_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'FEATURE_NOT_LICENSED',
  'QUOTA_EXCEEDED',
  'RATE_LIMITED',
  'OPERATION_LIMIT',
  'BAD_USER_INPUT',
  'SUBGRAPH_TIMEOUT',
  'SUBGRAPH_UNAVAILABLE',
  'OVERLOADED',
  'INTERNAL',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Rolls the transaction back and becomes a `userError`. The sentence is for people and ends in a full stop. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly field: string | undefined;

  constructor(code: RefusalCode, sentence: string, field?: string) {
    super(sentence);
    this.code = code;
    this.field = field;
  }
}

/** An error meant for the client as it stands; everything else is shown as INTERNAL. */
export class ClientError extends GraphQLError {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, sentence: string, extensions: Record<string, unknown> = {}) {
    super(sentence, { extensions: { code, ...extensions } });
    this.code = code;
  }
}

export const unauthenticated = (reason?: 'EXPIRED' | 'REVOKED' | 'NO_TENANT') =>
  new ClientError('UNAUTHENTICATED', 'Please sign in.', reason ? { reason } : {});

/** Of a suspended tenant only a few doors are open, and only to those who can settle its affairs (tenancy R7). */
export const tenantSuspended = () =>
  new ClientError('FORBIDDEN', 'This organisation is suspended.', { reason: 'TENANT_SUSPENDED' });

export const forbidden = (sentence = 'You may not do this.') => new ClientError('FORBIDDEN', sentence);

export const badInput = (sentence: string) => new ClientError('BAD_USER_INPUT', sentence);

/** Why a gated door stayed shut; the gateway adds what would open it. */
export const DENIAL_REASONS = [
  'NO_LICENSE',
  'NOT_IN_PLAN',
  'OVERRIDE_OFF',
  'PARENT_OFF',
  'TRIAL_ENDED',
  'GRANT_ENDED',
  'DOWNGRADED',
  'RESTRICTED',
  'SUSPENDED',
  'EXPIRED',
  'REVOKED',
] as const;
export type DenialReason = (typeof DENIAL_REASONS)[number];

/** What is wrong with a licence that closes what it holds. */
const CLOSED: Partial<Record<DenialReason, string>> = {
  TRIAL_ENDED: 'Your trial has ended.',
  RESTRICTED: 'Your licence is restricted.',
  SUSPENDED: 'Your licence is suspended.',
  EXPIRED: 'Your licence has expired.',
  REVOKED: 'Your licence was revoked.',
};

/** What a refused caller is told. Of the core, whatever closes the licence leaves reading. */
export function deniedSentence(reason: DenialReason, feature: Feature | 'core'): string {
  const closed = CLOSED[reason];
  if (feature === 'core') return `${closed ?? CLOSED.RESTRICTED} You can read, but change nothing.`;
  return closed ?? `Your plan does not include ${FEATURES[feature].name}.`;
}

export interface Entitled {
  access: FeatureAccess;
  reason?: DenialReason;
}

/** Those for whom there is no place are asked to come back after this time, and as much again at random, milliseconds. */
const RETRY_MS = 1_000;

/** For whom there is no place in a queue. */
export const overloaded = () =>
  new ClientError('OVERLOADED', 'Too much is going on at once. Please try again.', {
    retryAfterMs: Math.round(RETRY_MS * (1 + Math.random())),
  });
