import { createPublicKey, type KeyObject } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import type { Config } from '../../_kernel/config.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { purgeTables } from '../../_kernel/departure.ts';
import { ed25519FromSeed } from '../../_kernel/dev-secrets.ts';
import { emitToPlatform, tellGateways } from '../../_kernel/events.ts';
import { deleteAllFiles } from '../../_kernel/files.ts';
import { Placement } from '../placement/placement.entity.ts';
import { forgetHome, homeOf, leaveHome } from '../placement/placement.service.ts';
import { type CertificateClaims, readCertificate, sha256, signCertificate } from './certificate.rules.ts';
import type { Purge } from './purge.entity.ts';
import { KEPT_BY_LAW } from './purge.rules.ts';

const DAY_MS = 86_400_000;

const keyOf = (config: Config): KeyObject => ed25519FromSeed(config.CERTIFICATE_KEY);

/**
 * Deletes what tenancy and the kernel hold of the context's tenant, its data key and its files among it, counts every
 * table once more and puts up the tombstone. Throws when a row is left, and then nothing of this has happened.
 * @param droppedAt when the database was dropped that the tenant had for itself.
 */
export async function finishPurge(
  ctx: Context,
  em: EntityManager,
  purge: Purge,
  droppedAt: Date | null,
): Promise<void> {
  const { tenantId } = ctx;
  const [tenant] = await em.execute('select slug from tenancy.tenant');
  const placement = await em.findOneOrFail(Placement, { id: tenantId });
  const home = await homeOf(em, placement);
  await leaveHome(em, placement);
  const deleted = sumOf([purge.counts, await purgeOwn(em, 'tenancy'), await purgeOwn(em, 'kernel')]);
  await forgetHome(em, home);
  await deleteAllFiles(ctx);
  const [row] = await em.execute('select kernel.rows_left() as left_over');
  const left = Object.keys(row?.left_over);
  if (left.length > 0) throw new Error(`Rows of a tenant that is being deleted are left in ${left.join(', ')}.`);
  const now = new Date();
  const claims: CertificateClaims = {
    id: uuidv7(),
    tenantIdHash: sha256(tenantId),
    deleted,
    zeroAt: now.toISOString(),
    keyDestroyedAt: now.toISOString(),
    databaseDroppedAt: droppedAt?.toISOString() ?? null,
    lastBackupEndsOn: new Date(now.getTime() + ctx.machinery.config.BACKUP_DAYS * DAY_MS).toISOString().slice(0, 10),
    kept: KEPT_BY_LAW,
    approvedBy: purge.approvedBy,
  };
  await em.execute('insert into tenancy.tombstone (id, slug_hash, certificate_id, certificate) values (?, ?, ?, ?)', [
    ...[tenantId, sha256(tenant?.slug), claims.id, signCertificate(claims, keyOf(ctx.machinery.config))],
  ]);
  emitToPlatform(em, 'tenancy.tenant.purged', { certificateId: claims.id });
  tellGateways(em, 'tenants', tenantId);
}

function sumOf(parts: readonly Record<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [table, rows] of parts.flatMap(Object.entries<number>)) sum[table] = (sum[table] ?? 0) + rows;
  return sum;
}

async function purgeOwn(em: EntityManager, schema: string): Promise<Record<string, number>> {
  const counts = Object.entries(await purgeTables(em, schema)).filter(([, rows]) => rows > 0);
  return Object.fromEntries(counts.map(([noun, rows]) => [`${schema}.${noun}`, rows]));
}

/** What a certificate says if we signed it and every letter is as it was. */
export function verifyDeletionCertificate(ctx: Context, document: string): CertificateClaims | null {
  return readCertificate(document, createPublicKey(keyOf(ctx.machinery.config)));
}
