import { type SeedWorld, seedId } from '../../_kernel/seed-world.ts';
import { Membership } from '../membership.entity.ts';
import { Impersonation } from './impersonation.entity.ts';
import { LIVE_MS } from './impersonation.rules.ts';

const DAY_MS = 86_400_000;
/** How long the tenant took to approve, and support to look. */
const [WAITED_MS, LOOKED_MS] = [240_000, 660_000];

const [TOMAS, INGRID, MIRA] = ['6002', '6021', '6023'].map(seedId) as [string, string, string];

/** The day before yesterday somebody of the platform's support saw Northwind as Mira does. */
export async function seedSupport(world: SeedWorld): Promise<void> {
  const operator = { userId: TOMAS, state: 'ACTIVE' } as const;
  const { id: operatorMembershipId } = await world.inTenant('platform', (ctx) =>
    ctx.tx((em) => em.findOneOrFail(Membership, operator)),
  );
  await world.inTenant('northwind', (ctx) =>
    ctx.tx(async (em) => {
      const { id: membershipId } = await em.findOneOrFail(Membership, { userId: MIRA });
      const requestedAt = new Date(ctx.now().getTime() - 2 * DAY_MS);
      const startedAt = new Date(requestedAt.getTime() + WAITED_MS);
      em.persist(
        em.create(Impersonation, {
          ...{ id: seedId('6029'), operatorId: TOMAS, operatorMembershipId, operatorSessionId: seedId('6003') },
          ...{ userId: MIRA, membershipId, mode: 'READ', reason: 'A total looks wrong to her.', ticket: 'T-2207' },
          ...{ approvedBy: INGRID, state: 'ENDED', endReason: 'BY_OPERATOR', requestedAt, startedAt },
          ...{ endsAt: new Date(startedAt.getTime() + LIVE_MS), endedAt: new Date(startedAt.getTime() + LOOKED_MS) },
        }),
      );
    }),
  );
}
