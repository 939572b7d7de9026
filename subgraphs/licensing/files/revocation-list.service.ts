import { hashOf } from '../../../schema/canonical.ts';
import { ClientError } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { License } from '../licenses/license.entity.ts';
import { signJws } from './jws.rules.ts';
import { NAMED_AFTER_END_DAYS } from './license-file.rules.ts';
import { revokeFilesOf } from './license-file.service.ts';
import { RevocationList } from './revocation-list.entity.ts';
import { isCurrent, nextList, type Revoked } from './revocation-list.rules.ts';
import { SigningKey } from './signing-key.entity.ts';
import { activeSigner } from './signing-key.service.ts';

/** One publication at a time, over all processes. */
const LOCK = 7_190_000_082;
/** Tenants whose revoked licences are followed up in one sweep. */
const BATCH = 100;

/** What is revoked now, over all tenants. Files are named as long as they could be of use to anybody. */
async function readRevoked(em: EntityManager): Promise<Revoked> {
  const files = await em.execute(
    `select id from licensing.issued_file
      where revoked_at is not null and license_revoked_at is null and expires_at > now() - make_interval(days => ?)
      order by id`,
    [NAMED_AFTER_END_DAYS],
  );
  const tenants = await em.execute(
    `select licensed_tenant_id as tenant, max(epoch) + 1 as epoch from licensing.issued_file
      where license_revoked_at is not null and expires_at > now() - make_interval(days => ?) group by 1 order by 1`,
    [NAMED_AFTER_END_DAYS],
  );
  const keys = await em.execute("select kid from licensing.signing_key where status = 'REVOKED' order by kid");
  return {
    jtis: files.map(({ id }) => id),
    kids: keys.map(({ kid }) => kid),
    minEpochs: Object.fromEntries(tenants.map(({ tenant, epoch }) => [tenant, epoch])),
  };
}

async function lastList(em: EntityManager): Promise<RevocationList | undefined> {
  const [last] = await em.find(RevocationList, {}, { orderBy: { seq: 'desc' }, limit: 1 });
  return last;
}

/**
 * The signed list of what is revoked, made anew first where something was revoked since or a day is nearly over. Throws
 * SUBGRAPH_UNAVAILABLE where no key is supplied to sign it.
 */
export async function revocationList(ctx: Context): Promise<string> {
  const held = await ctx.acrossTenants(async (em) => {
    const last = await lastList(em);
    const [clock] = await em.execute('select now()');
    return last && isCurrent(last, hashOf(await readRevoked(em)), new Date(clock?.now)) ? last.jws : undefined;
  });
  return held ?? publish(ctx);
}

function publish(ctx: Context): Promise<string> {
  const platform = ctx.inTenant(PLATFORM_TENANT);
  return platform.tx(async (em) => {
    await em.execute('select pg_advisory_xact_lock(?)', [LOCK]);
    // Read behind the lock, so that no list forgets what the one before it named.
    const revoked = await platform.acrossTenants(readRevoked);
    const [last, contentHash] = [await lastList(em), hashOf(revoked)];
    if (last && isCurrent(last, contentHash, platform.now())) return last.jws;
    const signer = await activeSigner(platform, em);
    if (!signer) throw new ClientError('SUBGRAPH_UNAVAILABLE', 'This platform has no key to sign licences with.');
    const list = nextList(last?.seq ?? null, revoked, platform.now());
    const jws = signJws('isp-license-revocations+jwt', list, signer);
    const issuedAt = new Date(list.iat * 1_000);
    em.persist(em.create(RevocationList, { seq: BigInt(list.seq), issuedAt, contentHash, jws }));
    await em.flush();
    return jws;
  });
}

/** Revokes the files of licences that were revoked, tenant by tenant, and publishes what is to be published. */
export async function tendRevocations(ctx: Context): Promise<void> {
  const left = await ctx.acrossTenants((em) =>
    em.execute(
      `select distinct licensed_tenant_id as tenant from licensing.issued_file
        where license_revoked_at is not null and revoked_at is null limit ?`,
      [BATCH],
    ),
  );
  for (const { tenant } of left) {
    const inside = ctx.inTenant(tenant);
    await inside.tx(async (em) => {
      for (const { id } of await em.find(License, { revokedAt: { $ne: null } })) await revokeFilesOf(inside, em, id);
    });
  }
  const signing = await ctx.acrossTenants((em) => em.count(SigningKey, { status: 'ACTIVE' }));
  if (signing > 0) await revocationList(ctx);
}
