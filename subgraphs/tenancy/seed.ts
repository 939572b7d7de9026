import type { SeedWorld } from '../_kernel/seed-world.ts';
import { seedBranding } from './branding/seed.ts';
import { seedDomains } from './domains/seed.ts';
import { seedInvitations } from './invitations/seed.ts';
import { seedSettings } from './settings/seed.ts';
import { registerTenant } from './tenant.service.ts';

const TENANTS = [
  ['platform', 'Platform Operations', 'PLATFORM', 'IE', 'UTC', 'en-IE', 'USD'],
  ['kestrel', 'Kestrel Wireless', 'PRODUCTION', 'US', 'America/Denver', 'en-US', 'USD'],
  ['northwind', 'Northwind Fibre', 'PRODUCTION', 'DE', 'Europe/Berlin', 'de-DE', 'EUR'],
  ['harbour', 'Harbour Net', 'PRODUCTION', 'NG', 'Africa/Lagos', 'en-NG', 'NGN'],
  ['sable', 'Sable Telecom', 'PRODUCTION', 'PH', 'Asia/Manila', 'en-PH', 'PHP'],
  ['atlas', 'Atlas Broadband', 'PRODUCTION', 'BR', 'America/Sao_Paulo', 'pt-BR', 'BRL'],
  ['oldtown', 'Oldtown Cable', 'PRODUCTION', 'PL', 'Europe/Warsaw', 'pl-PL', 'PLN'],
  ['fable', 'Fable Net', 'SANDBOX', 'GB', 'Europe/London', 'en-GB', 'GBP'],
] as const;

/** The tenants of the example world. */
export async function seed(world: SeedWorld): Promise<void> {
  for (const [slug, name, kind, country, zone, locale, currency] of TENANTS) {
    await world.inTenant(slug, (ctx) =>
      registerTenant(ctx, { id: world.tenantId(slug), slug, name, kind, country, zone, locale, currency }),
    );
  }
  await seedSettings(world);
  await seedBranding(world);
  await seedDomains(world);
  await seedInvitations(world);
}
