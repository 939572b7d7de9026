import { type SeedTenant, type SeedWorld, seedId } from '../../_kernel/seed-world.ts';
import { addInvitation, expireDue } from './invitation.service.ts';

const DAY_MS = 24 * 3_600_000;

const INVITED: [tenant: SeedTenant, email: string, role: string, by: string, daysLeft: number][] = [
  ['kestrel', 'otis@kestrel.example', 'support_agent', '6011', 5],
  ['harbour', 'amara@harbour.example', 'billing_manager', '6041', 6],
  ['harbour', 'tunde@harbour.example', 'technician', '6041', -1],
];

/** Who was asked to work at the tenants of the example world, and has not come yet. No mail is sent. */
export async function seedInvitations(world: SeedWorld): Promise<void> {
  for (const [slug, email, role, by, daysLeft] of INVITED)
    await world.inTenant(slug, (ctx) =>
      ctx.tx(async (em) => {
        const expiresAt = new Date(ctx.now().getTime() + daysLeft * DAY_MS);
        addInvitation(ctx, em, { email, role, invitedBy: seedId(by), expiresAt });
        await em.flush();
        await expireDue(em, ctx.now());
      }),
    );
}
