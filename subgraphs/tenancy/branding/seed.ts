import type { SeedWorld } from '../../_kernel/seed-world.ts';
import { updateBranding, updateWhiteLabel } from './branding.service.ts';

/** How Northwind looks in the example world. */
export async function seedBranding(world: SeedWorld): Promise<void> {
  await world.inTenant('northwind', async (ctx) => {
    const base = { displayName: 'Northwind Fibre', primaryColor: '#0A7E8C', supportEmail: 'help@northwind.example' };
    await updateBranding(ctx, { ...base, supportPhone: '+49301234567', expectedVersion: 1 });
    await updateWhiteLabel(ctx, { font: 'inter', accentColor: '#5B3CC4', hidePoweredBy: true, expectedVersion: 2 });
  });
}
