import { uuidv7 } from 'uuidv7';
import { asText, keyAfter } from '../../../schema/cursor.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import { type Conflicts, saveUnique } from './conflicts.ts';
import { Site } from './site.entity.ts';
import { checkSite, type NewSite } from './site.rules.ts';

const CONFLICTS: Conflicts = { site_name: ['There is a site of this name.', 'name'] };

/** Sites by name. */
export async function listSites(ctx: Context, page: PageArgs): Promise<Connection<Site>> {
  const after = keyAfter(page, asText);
  const rows = await (await ctx.em()).find(Site, after === null ? {} : { name: { $gt: after } }, {
    orderBy: { name: 'asc' },
    limit: page.first + 1,
  });
  return connect(rows, page, (site) => [site.name]);
}

/** Writes a place of the network down. Its zone is the tenant's unless given. */
export function registerSite(ctx: Context, given: NewSite, id = uuidv7()): Promise<Site> {
  return ctx.tx(async (em) => {
    const { zone } = await tenantProfile(em);
    const site = em.create(Site, { ...checkSite(given, zone), id, version: 1 });
    em.persist(site);
    await saveUnique(em, CONFLICTS);
    return site;
  });
}
