import type { Context } from '../../_kernel/context.ts';
import { systemContext } from '../../_kernel/context.ts';
import { checkDatabase } from './homes.ts';
import type { ProvisioningRun } from './provisioning-run.entity.ts';

/** Tenants whose rows must not be seen. */
const CANARIES = 2;

/** What a new tenant is asked about itself and others, at each table that every tenant has rows in. */
const LOOK = `select
  (select count(*) from tenancy.tenant where id = ?)::int as own,
  (select count(*) from tenancy.tenant where id = any(?::uuid[]))::int
  + (select count(*) from kernel.tenant_profile where tenant_id = any(?::uuid[]))::int
  + (select count(*) from kernel.entitlement where tenant_id = any(?::uuid[]))::int
  + (select count(*) from kernel.event where tenant_id = any(?::uuid[]))::int as others`;

/**
 * Enters the new tenant as any request does and reads: its own row must be there, and nothing of two tenants that are
 * there for certain. A database of its own must know nobody else at all. Throws otherwise.
 */
export async function lookForOthers(ctx: Context, run: ProvisioningRun): Promise<void> {
  const { machinery, tenantId } = ctx;
  if (run.wanted.isolation === 'DEDICATED') await checkDatabase(ctx, run);
  const probe = await systemContext(machinery, tenantId);
  try {
    const canaries = await probe.acrossTenants((em) =>
      em.execute('select id from tenancy.tenant where id <> ? order by id limit ?', [tenantId, CANARIES]),
    );
    if (canaries.length < CANARIES) throw new Error('There are no two other tenants to be told apart from.');
    const ids = `{${canaries.map(({ id }) => id).join(',')}}`;
    const [seen] = await (await probe.em()).execute(LOOK, [tenantId, ids, ids, ids, ids]);
    if (seen?.own !== 1 || seen.others !== 0) throw new Error('The new tenant does not see itself alone.');
  } finally {
    await probe.end();
  }
}
