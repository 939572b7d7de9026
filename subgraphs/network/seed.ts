import { addDays } from '../../schema/calendar.ts';
import type { Context } from '../_kernel/context.ts';
import { type SeedTenant, type SeedWorld, seedId } from '../_kernel/seed-world.ts';
import { requestService, takeOverService } from './access/service.service.ts';
import { publishServicePlan } from './access/service-plan.service.ts';
import { commissionDevice, registerDevice } from './inventory/device.service.ts';
import { registerSite } from './inventory/site.service.ts';
import { PARTS, type SeedPart } from './seed.data.ts';

/** How long the services of the example world have been on line, days. */
const ON_LINE_DAYS = 90;

/** The networks of the example world and what their customers have. */
export async function seed(world: SeedWorld): Promise<void> {
  for (const [slug, part] of Object.entries(PARTS) as [SeedTenant, SeedPart][])
    await world.inTenant(slug, (ctx) => ctx.tx(() => seedTenant(ctx, slug, part)));
}

async function seedTenant(ctx: Context, slug: SeedTenant, part: SeedPart): Promise<void> {
  const { network, ids, city, country, services } = part;
  // The canary is found in the texts of one tenant only, so that a leak shows.
  const addressOf = (line1: string) => ({ line1, line2: `CANARY-${slug.toUpperCase()}`, city, country });
  const idOf = (n: number) => seedId(`${ids}${String(n).padStart(2, '0')}`);
  const siteIds = new Map(network.sites.map((site, i) => [site.name, idOf(i)]));

  for (const site of network.sites)
    await registerSite(ctx, { ...site, address: addressOf(site.name) }, siteIds.get(site.name));
  for (const [i, { site, ...device }] of network.devices.entries()) {
    const { id } = await registerDevice(ctx, { ...device, siteId: siteIds.get(site) }, idOf(20 + i));
    await commissionDevice(ctx, id);
  }
  for (const plan of network.plans) await publishServicePlan(ctx, plan);
  for (const [i, [customer, planCode, isOnlyRequested]] of services.entries()) {
    const wanted = { customerId: seedId(customer), planCode, premises: { address: addressOf(`Line ${i + 1}`) } };
    const activatedAt = addDays(ctx.now(), -ON_LINE_DAYS, 'UTC');
    if (isOnlyRequested) await requestService(ctx, { ...wanted, idempotencyKey: `seed:${customer}:${planCode}` });
    else await takeOverService(ctx, { ...wanted, id: idOf(60 + i), activatedAt });
  }
}
