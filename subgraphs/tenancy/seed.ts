import type { Context } from '../_kernel/context.ts';
import type { SeedWorld } from '../_kernel/seed-world.ts';
import { seedBranding } from './branding/seed.ts';
import { seedDomains } from './domains/seed.ts';
import { seedInvitations } from './invitations/seed.ts';
import { suspensionTerms } from './leaving/suspension.rules.ts';
import { seedFailedRun } from './provisioning/seed.ts';
import { seedSettings } from './settings/seed.ts';
import { findOrRefuse, registerTenant, saveTenant } from './tenant.service.ts';

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
  await world.inTenant('sable', (ctx) => suspendSable(ctx));
  await seedFailedRun(world);
  await seedSettings(world);
  await seedBranding(world);
  await seedDomains(
    world,
    TENANTS.flatMap(([slug]) => (slug === 'platform' ? [] : [slug])),
  );
  await seedInvitations(world);
}

/** Its licence lapsed a week ago. Nobody is told now: the other domains lay down for themselves what they made of it. */
function suspendSable(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    const sable = await findOrRefuse(em, ctx.tenantId);
    const aWeekAgo = new Date(Date.now() - 7 * 86_400_000);
    Object.assign(sable, { state: 'SUSPENDED' }, suspensionTerms({ reason: 'LICENSE_LAPSED' }, aWeekAgo));
    await saveTenant(em, sable);
  });
}
