import { badInput } from '../../../schema/errors.ts';
import { isPlain } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { warn } from '../accounts/mails.service.ts';
import { lanes } from '../lanes.ts';
import type { ProofMethod } from '../session.rules.ts';
import { claimFactor, unclaimFactor } from '../sign-in-bucket.service.ts';
import { record } from '../sign-in-record.service.ts';
import { presentOf, readBriefly } from '../tenant.service.ts';
import type { Challenge } from './challenge.entity.ts';
import { type AnswerField, isWrongAnswer, tooManyCodes, wrongAnswer } from './challenge.rules.ts';
import { provePasskey } from './passkey-proof.service.ts';
import { hashOfCode } from './recovery-code.rules.ts';
import { SecondFactor } from './second-factor.entity.ts';
import { openSecret } from './secret.ts';
import { stepOf } from './totp.rules.ts';

/** What somebody answers with: exactly one of them. */
export type FactorAnswer = { [F in AnswerField]?: string | null };

/** A second factor that was right; it counts once `claim` has won, in the transaction of what it is for. */
export interface FactorProof {
  userId: string;
  method: ProofMethod;
  /** Takes its one turn, whoever else brings the same. Refuses INVALID for whoever comes later. */
  claim: (em: EntityManager) => Promise<void>;
}

const METHODS = { code: 'OTP', recoveryCode: 'REC', passkey: 'KEY' } as const satisfies Record<
  AnswerField,
  ProofMethod
>;

/** Attempts wait in memory, so that a crowd at one person's codes holds four connections and not the whole pool. */
const inLine = lanes(4, 512, 4_000);

/**
 * Checks somebody's answer and runs what it is for. Codes are counted before they are checked: ten wrong ones of a person
 * in an hour lock them for a quarter of one (identity R12). A wrong answer is written down.
 * Refuses INVALID for a wrong answer, also one another just took, and LIMIT_REACHED while codes are locked.
 * @param run must call `claim` in its transaction.
 */
export async function withFactor<T>(
  ctx: Context,
  challenge: Pick<Challenge, 'userId' | 'answers'> & Partial<Challenge>,
  answer: FactorAnswer,
  run: (proof: FactorProof) => Promise<T>,
): Promise<T> {
  const [field, typed] = onlyOne(answer);
  const method = METHODS[field];
  const { userId, answers } = challenge;
  return inLine(async () => {
    try {
      if (!answers.includes(method)) throw wrongAnswer(field);
      if (field === 'passkey') return await run(await provePasskey(ctx, challenge as Challenge, typed));
      if (userId === null) throw wrongAnswer(field);
      await claimAttempt(ctx, userId, method);
      const claim = field === 'code' ? await claimOfCode(ctx, userId, typed) : claimOfRecoveryCode(ctx, userId, typed);
      return await run({ userId, method, claim: (em) => claim(em).then(() => unclaimFactor(ctx, em, userId)) });
    } catch (error) {
      if (isWrongAnswer(error))
        await inPlatform(ctx, async (em) => record(ctx, em, { outcome: 'BAD_FACTOR', method, userId }));
      throw error;
    }
  });
}

function onlyOne(answer: FactorAnswer): [AnswerField, string] {
  const given = (Object.keys(METHODS) as AnswerField[]).flatMap((field) => {
    const typed = answer[field];
    return typed == null ? [] : [[field, typed] as [AnswerField, string]];
  });
  const [only] = given;
  if (!only || given.length > 1) throw badInput('An answer is a code, a recovery code or a passkey: one of them.');
  if (!isPlain(only[1])) throw badInput('A text holds what no text can hold.');
  return only;
}

const inPlatform = <T>(ctx: Context, run: (em: EntityManager) => Promise<T>): Promise<T> =>
  ctx.inTenant(PLATFORM_TENANT).tx(run);

async function claimAttempt(ctx: Context, userId: string, method: ProofMethod): Promise<void> {
  const isOpen = await inPlatform(ctx, async (em) => {
    const claimed = await claimFactor(ctx, em, userId);
    if (claimed === 'REFUSED') record(ctx, em, { outcome: 'LOCKED', method, userId });
    else if (claimed) emit(em, 'identity.sign_in.locked', { userId, lockedUntil: claimed.toISOString() });
    return claimed !== 'REFUSED';
  });
  if (!isOpen) throw tooManyCodes();
}

/** A code is good once: its step must be later than that of the last one, in the statement that takes it. */
async function claimOfCode(ctx: Context, userId: string, typed: string): Promise<FactorProof['claim']> {
  const { factor, now } = await readBriefly(ctx, async (em) => ({
    factor: await em.findOne(SecondFactor, { userId, state: 'ACTIVE' }),
    now: (await presentOf(em)).now,
  }));
  const step = factor ? stepOf(openSecret(ctx, factor), typed, now) : undefined;
  if (step === undefined) throw wrongAnswer('code');
  return async (em) => {
    const taken = await em.execute(
      `update identity.second_factor set last_step = ?
       where user_id = ? and state = 'ACTIVE' and (last_step is null or last_step < ?) returning user_id`,
      [step, userId, step],
    );
    if (taken.length === 0) throw wrongAnswer('code');
  };
}

function claimOfRecoveryCode(ctx: Context, userId: string, typed: string): FactorProof['claim'] {
  const hash = hashOfCode(typed) ?? '';
  return async (em) => {
    const taken = await em.execute(
      `update identity.recovery_code set used_at = clock_timestamp()
       where user_id = ? and hash = ? and used_at is null returning user_id`,
      [userId, hash],
    );
    if (taken.length === 0) throw wrongAnswer('recoveryCode');
    await warn(ctx, em, 'CODE_USED', userId);
  };
}
