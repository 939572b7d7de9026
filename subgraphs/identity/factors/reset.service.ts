import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { warn } from '../accounts/mails.service.ts';
import { stopSessions, tellEnds } from '../end-sessions.service.ts';
import { Membership } from '../membership.entity.ts';
import { type MemberChange, memberById } from '../membership.service.ts';
import { everyPlaceOf } from '../place.service.ts';
import { presentOf } from '../tenant.service.ts';
import { lockFactors } from './change-factors.service.ts';
import { Passkey } from './passkey.entity.ts';
import { resetVerdict } from './reset.rules.ts';
import { FactorReset, RecoveryCode, SecondFactor } from './second-factor.entity.ts';

/**
 * Takes all second factors of somebody who has lost them; their sessions end, and the password alone lets them in to enrol
 * anew. See `resetVerdict` for who may. Answers false while a second person of the platform has to ask for the same.
 * Refuses NOT_FOUND for no member of the tenant and CONFLICT for an older version.
 */
export async function resetMemberSecondFactor(ctx: Context, asked: MemberChange): Promise<boolean> {
  const member = await memberOrRefuse(ctx, asked.membershipId);
  expectVersion(member.version, asked.expectedVersion, 'member');
  const places = await everyPlaceOf(ctx, member.userId);
  const isOwnAlone = member.homeId === ctx.tenantId && places.every(({ id }) => id === member.id);
  const ended = await ctx.tx(async (em) => {
    await lockFactors(em, member.userId);
    const waiting = await em.findOne(FactorReset, { userId: member.userId });
    const { now } = await presentOf(em);
    const { actorId: askerId, isPlatform } = ctx;
    const verdict = resetVerdict({ askerId, isPlatform, member, isOwnAlone, waiting }, now);
    if (verdict !== 'RESET') {
      await em.upsert(FactorReset, { userId: member.userId, askedBy: String(askerId), askedAt: now });
      return null;
    }
    await drop(em, member.userId);
    await warn(ctx, em, 'FACTORS_RESET', member.userId);
    return stopSessions(em, member.userId, 'FACTOR_CHANGED');
  });
  if (ended) await tellEnds(ctx, ended);
  return ended !== null;
}

/** A member of this tenant; of any, for the platform. */
async function memberOrRefuse(ctx: Context, id: string): Promise<Membership> {
  const found =
    ctx.isPlatform && isId(id)
      ? await ctx.acrossTenants((em) => em.findOne(Membership, { id }))
      : await memberById(ctx, id);
  if (!found || found.state === 'ENDED') throw new Refusal('NOT_FOUND', 'There is no such member.', 'membershipId');
  return found;
}

async function drop(em: EntityManager, userId: string): Promise<void> {
  await em.nativeDelete(SecondFactor, { userId });
  await em.nativeDelete(RecoveryCode, { userId });
  await em.nativeDelete(Passkey, { userId });
  await em.nativeDelete(FactorReset, { userId });
  emit(em, 'identity.second_factor.removed', { userId });
}
