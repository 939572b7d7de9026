import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { text } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import type { Tenant } from '../tenant.entity.ts';
import { findOrRefuse, inTenant } from '../tenant.service.ts';
import { LegalHold } from './legal-hold.entity.ts';

/** Keeps a tenant from being deleted until the hold is lifted. Refuses with CONFLICT a second one. */
export function placeLegalHold(ctx: Context, tenantId: string, reason: string): Promise<Tenant> {
  return inTenant(ctx, tenantId).tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    if (tenant.state === 'PURGING')
      throw new Refusal('INVALID_STATE', 'This tenant is being deleted already.', 'tenantId');
    if (await openHold(em)) throw new Refusal('CONFLICT', 'This tenant is under legal hold already.', 'tenantId');
    const hold = em.create(LegalHold, {
      id: uuidv7(),
      reason: text(reason, 500, 'reason', { name: 'A reason', min: 3 }),
      placedAt: new Date(),
      placedBy: ctx.actorId as string,
    });
    em.persist(hold);
    return tenant;
  });
}

/** Lifts a hold. Refuses with INVALID_STATE where there is none. */
export function liftLegalHold(ctx: Context, tenantId: string): Promise<Tenant> {
  return inTenant(ctx, tenantId).tx(async (em) => {
    const tenant = await findOrRefuse(em, tenantId);
    const hold = await openHold(em);
    if (!hold) throw new Refusal('INVALID_STATE', 'This tenant is under no legal hold.', 'tenantId');
    Object.assign(hold, { liftedAt: new Date(), liftedBy: ctx.actorId });
    return tenant;
  });
}

export const openHold = (em: EntityManager): Promise<LegalHold | null> => em.findOne(LegalHold, { liftedAt: null });
