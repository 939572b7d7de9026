import { createHash, randomBytes } from 'node:crypto';
import { Refusal } from '../../../schema/errors.ts';
import type { ProofMethod } from '../session.rules.ts';

/** How long a challenge may be answered, milliseconds. */
export const CHALLENGE_MS = 300_000;
/** Tries at one challenge. */
export const MAX_TRIES = 5;

const SHAPE = /^isp_ch_[A-Za-z0-9_-]{43}$/;

/** A new challenge's token: 256 random bits. */
export const drawToken = (): string => `isp_ch_${randomBytes(32).toString('base64url')}`;

/** What is kept of a token; undefined for a text that is none. */
export const hashOfToken = (token: string): string | undefined =>
  SHAPE.test(token) ? createHash('sha256').update(token).digest('base64url') : undefined;

/** For a challenge that is unknown, used up, too old or another's. */
export const startAgain = () => new Refusal('INVALID', 'Please start again.', 'token');

const WRONG = {
  code: 'This code is not right.',
  recoveryCode: 'This code is not right.',
  passkey: 'This passkey is not right.',
} as const;
export type AnswerField = keyof typeof WRONG;

/** For an answer that is wrong, whatever is wrong with it. */
export const wrongAnswer = (field: AnswerField) => new Refusal('INVALID', WRONG[field], field);
export const isWrongAnswer = (error: unknown): boolean =>
  error instanceof Refusal && Object.values<string>(WRONG).includes(error.message);

/** For somebody who gave too many wrong codes. */
export const tooManyCodes = () =>
  new Refusal('LIMIT_REACHED', 'Too many codes were wrong. Please try again in a quarter of an hour.', 'code');

/** What is a second factor when it comes after another proof. */
const SECOND: readonly ProofMethod[] = ['OTP', 'KEY', 'REC'];

/** Whether both factors were proved; a passkey is both at once. */
export const isTwice = (methods: readonly ProofMethod[]): boolean => methods.some((method) => SECOND.includes(method));

/** The second factors a person has. */
export interface HeldFactors {
  /** An authenticator app. */
  hasTotp: boolean;
  /** Passkeys, whatever portal they are for. */
  passkeys: number;
  /** Recovery codes that were not used. */
  recoveryCodes: number;
}

export const hasSecondFactor = ({ hasTotp, passkeys }: HeldFactors): boolean => hasTotp || passkeys > 0;

/** What a person can answer a challenge with; empty for whoever has no second factor. */
export function answersOf(held: HeldFactors): ProofMethod[] {
  if (!hasSecondFactor(held)) return [];
  return [
    ...(held.hasTotp ? (['OTP'] as const) : []),
    ...(held.passkeys > 0 ? (['KEY'] as const) : []),
    ...(held.recoveryCodes > 0 ? (['REC'] as const) : []),
  ];
}

/** What somebody steps up with: a second factor, or for whoever has none, the password (identity R11). */
export function stepsUpWith(held: HeldFactors): ProofMethod[] {
  const answers = answersOf(held).filter((method) => method !== 'REC');
  return answers.length > 0 ? answers : ['PWD'];
}

/** Whether what was proved here is a strong proof: a second factor, or the password of whoever has none. */
export const isStrong = (methods: readonly ProofMethod[], held: HeldFactors): boolean =>
  isTwice(methods) || (methods.includes('PWD') && !hasSecondFactor(held));
