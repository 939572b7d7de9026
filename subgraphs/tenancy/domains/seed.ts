import { publishRecord } from '../../_kernel/dns.ts';
import type { SeedTenant, SeedWorld } from '../../_kernel/seed-world.ts';
import { checkDomain } from './check-domain.service.ts';
import { addPlatformName } from './platform-name.service.ts';
import { addDomain } from './tenant-domain.service.ts';

/**
 * The domains of the example world: the name of each tenant below the platform's, a domain that is served, and one whose
 * DNS has yet to prove it.
 */
export async function seedDomains(world: SeedWorld, slugs: readonly SeedTenant[]): Promise<void> {
  for (const slug of slugs) await world.inTenant(slug, (ctx) => ctx.tx((em) => addPlatformName(em, ctx, slug)));
  await world.inTenant('northwind', async (ctx) => {
    const domain = await addDomain(ctx, { host: 'portal.northwind.example', method: 'DNS_TXT' });
    publishRecord(String(domain.recordName), String(domain.recordValue));
    await checkDomain(ctx, domain.id);
  });
  await world.inTenant('atlas', (ctx) => addDomain(ctx, { host: 'clientes.atlas.example', method: 'DNS_CNAME' }));
}
