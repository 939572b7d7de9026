import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { warn } from '../accounts/mails.service.ts';
import { noteProof } from '../refresh.service.ts';
import { selfOf } from '../session.service.ts';
import { presentOf } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { hasSecondFactor, wrongAnswer } from './challenge.rules.ts';
import { changeFactors, lockFactors } from './change-factors.service.ts';
import { heldFactorsOf } from './held-factors.service.ts';
import { drawRecoveryCodes, hashOfCode } from './recovery-code.rules.ts';
import { RecoveryCode, SecondFactor } from './second-factor.entity.ts';
import { openSecret, sealSecret } from './secret.ts';
import { drawSecret, spellSecret, stepOf, uriOf } from './totp.rules.ts';

const ISSUER = 'DotMac';

/** Gives somebody an authenticator app that counts at once. */
export function addTotp(ctx: Context, userId: string, secret: Buffer): Promise<void> {
  return ctx.tx(async (em) => {
    const sealed = sealSecret(ctx, userId, secret);
    em.persist(em.create(SecondFactor, { userId, sealed, state: 'ACTIVE', lastStep: null, madeAt: ctx.now() }));
  });
}

/** Draws a secret for a new app and shows it once. It counts for nothing until `confirmTotp` has seen a code of it. */
export function enrolTotp(ctx: Context): Promise<{ secret: string; uri: string }> {
  const { userId } = selfOf(ctx);
  return ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    await lockFactors(em, userId);
    await em.nativeDelete(SecondFactor, { userId, state: 'PENDING' });
    const { email } = await em.findOneOrFail(User, { id: userId });
    const { now } = await presentOf(em);
    const secret = drawSecret();
    const sealed = sealSecret(ctx, userId, secret);
    em.persist(em.create(SecondFactor, { userId, sealed, state: 'PENDING', lastStep: null, madeAt: now }));
    return { secret: spellSecret(secret), uri: uriOf(secret, ISSUER, email ?? userId) };
  });
}

/**
 * Takes the new app into use, in place of the one before, and shows ten recovery codes once. The session that asks has
 * then proved its second factor; all others end. Refuses INVALID for a wrong code, INVALID_STATE when no app waits for one.
 */
export function confirmTotp(ctx: Context, code: string): Promise<string[]> {
  const { userId } = selfOf(ctx);
  return changeFactors(ctx, async (em, session) => {
    const pending = await em.findOne(SecondFactor, { userId, state: 'PENDING' });
    if (!pending) throw new Refusal('INVALID_STATE', 'Please begin with a new app.');
    const { now } = await presentOf(em);
    const step = stepOf(openSecret(ctx, pending), code, now);
    if (step === undefined) throw wrongAnswer('code');
    await em.nativeDelete(SecondFactor, { userId, state: 'ACTIVE' });
    await em.nativeUpdate(SecondFactor, { userId, state: 'PENDING' }, { state: 'ACTIVE', lastStep: step });
    noteProof(session, 'OTP', now);
    emit(em, 'identity.second_factor.enrolled', { userId });
    await warn(ctx, em, 'TOTP_ADDED', userId);
    return replaceCodes(em, userId);
  });
}

/** Takes the app out of use; recovery codes go with the last factor. Refuses INVALID_STATE when there is none. */
export function removeTotp(ctx: Context): Promise<void> {
  const { userId } = selfOf(ctx);
  return changeFactors(ctx, async (em) => {
    const removed = await em.nativeDelete(SecondFactor, { userId, state: 'ACTIVE' });
    if (removed === 0) throw new Refusal('INVALID_STATE', 'You have no authenticator app.');
    await em.nativeDelete(SecondFactor, { userId });
    await dropCodesWithLastFactor(em, userId);
    emit(em, 'identity.second_factor.removed', { userId });
    await warn(ctx, em, 'TOTP_REMOVED', userId);
  });
}

/** Ten new recovery codes; those before are worth nothing. Refuses INVALID_STATE for whoever has no second factor. */
export function renewRecoveryCodes(ctx: Context): Promise<string[]> {
  const { userId } = selfOf(ctx);
  return ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    await lockFactors(em, userId);
    if (!hasSecondFactor(await heldFactorsOf(em, userId)))
      throw new Refusal('INVALID_STATE', 'Recovery codes stand in for a second factor, and you have none.');
    await warn(ctx, em, 'CODES_MADE', userId);
    return replaceCodes(em, userId);
  });
}

/** Codes stand in for a second factor; without one they open nothing and go. */
export async function dropCodesWithLastFactor(em: EntityManager, userId: string): Promise<void> {
  if (!hasSecondFactor(await heldFactorsOf(em, userId))) await em.nativeDelete(RecoveryCode, { userId });
}

async function replaceCodes(em: EntityManager, userId: string): Promise<string[]> {
  await em.nativeDelete(RecoveryCode, { userId });
  const codes = drawRecoveryCodes();
  for (const code of codes)
    em.persist(em.create(RecoveryCode, { userId, hash: String(hashOfCode(code)), usedAt: null }));
  return codes;
}
