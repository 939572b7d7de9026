import { createHash } from 'node:crypto';
import { LockMode } from '@mikro-orm/postgresql';
import { uuidv7 } from 'uuidv7';
import { asWhole, keyAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Config } from '../../_kernel/config.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { countedOf } from '../../_kernel/quota-row.ts';
import { License } from '../licenses/license.entity.ts';
import { type Held, readHeld } from '../licenses/license-facts.service.ts';
import { stateAt } from '../terms/license.rules.ts';
import { signJws } from './jws.rules.ts';
import { LicenseFile } from './license-file.entity.ts';
import { type Counters, checkAsked, checkFileable, filePayload } from './license-file.rules.ts';
import { activeSigner, checkReason } from './signing-key.service.ts';

/** The largest integer of PostgreSQL; a cursor above it is as good as none. */
const MAX_EPOCH = 2_147_483_647;

export interface AskedFile {
  installationId: string | null;
  ttlHours: number;
  idempotencyKey: string;
}

/** A file's row and the file itself, which is kept nowhere. */
export interface IssuedFile {
  licenseFile: LicenseFile;
  jws: string;
}

/** Whether this process opens for tests what no licence holds: what it would sign might be believed elsewhere. */
export const isOverridden = ({ LICENSE_TIER, FEATURE_OVERRIDE = [] }: Config): boolean =>
  Boolean(LICENSE_TIER) || FEATURE_OVERRIDE.length > 0;

/**
 * Signs what the licence of the caller's tenant says, for an installation to carry. Refuses with INVALID a lifetime that is
 * not 1 to 720 hours, with NOT_FOUND a tenant without a licence, with INVALID_STATE a licence that is suspended, a process
 * that overrides licences, and one without a signing key.
 */
export function issueLicenseFile(ctx: Context, asked: AskedFile): Promise<IssuedFile> {
  return ctx.tx(async (em) => {
    const { idempotencyKey: key, ...request } = asked;
    const made = await once(ctx, em, { door: 'issueLicenseFile', key, request }, () => issue(ctx, em, request));
    return { licenseFile: await em.findOneOrFail(LicenseFile, { id: made.fileId }), jws: made.jws };
  });
}

async function issue(ctx: Context, em: EntityManager, asked: Omit<AskedFile, 'idempotencyKey'>) {
  const { config } = ctx.machinery;
  const { ttlHours, installationId } = asked;
  checkAsked(ttlHours, installationId);
  if (isOverridden(config))
    throw new Refusal('INVALID_STATE', 'This process overrides licences for tests and issues no file.');
  const { license, facts } = await lockHeld(ctx, em);
  checkFileable(stateAt(facts, ctx.now()));
  const signer = await activeSigner(ctx, em);
  if (!signer) throw new Refusal('INVALID_STATE', 'No signing key is supplied, so that no file can be issued.');
  const [fileId, epoch] = [uuidv7(), await nextEpoch(em)];
  const names = { issuer: config.PUBLIC_URL, tenantId: ctx.tenantId, installationId, fileId, epoch, ttlHours };
  const said = { ...names, licenseVersion: license.version };
  const payload = filePayload(facts, ctx.now(), said, await readCounters(em));
  const jws = signJws('isp-license+jwt', payload, signer);
  const instant = (seconds: number) => new Date(seconds * 1_000);
  em.persist(
    em.create(LicenseFile, {
      ...{ id: fileId, licenseId: license.id, epoch, licenseVersion: license.version, kid: signer.kid, installationId },
      ...{ issuedAt: instant(payload.iat), notBefore: instant(payload.nbf), expiresAt: instant(payload.exp) },
      ...{ sha256: createHash('sha256').update(jws).digest('hex'), revokedAt: null, reason: null },
    }),
  );
  emit(em, 'licensing.file.issued', { fileId, epoch });
  await em.flush();
  return { fileId, jws };
}

/** The licence in force, locked: epochs are given one after the other, and no change comes between facts and signature. */
async function lockHeld(ctx: Context, em: EntityManager): Promise<Held> {
  const license = await em.findOne(License, { revokedAt: null }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (!license) {
    const revoked = await em.findOne(License, { revokedAt: { $ne: null } });
    if (revoked) checkFileable('REVOKED');
    throw new Refusal('NOT_FOUND', 'This tenant has no licence.');
  }
  const [held] = await readHeld(em, [license], ctx.machinery.config);
  return held as Held;
}

async function readCounters(em: EntityManager): Promise<Counters> {
  const rows = await em.execute("select *, day::text as day from kernel.quota where kind = 'COUNTER'");
  return Object.fromEntries(rows.map((row) => [row.key, countedOf(row)]));
}

async function nextEpoch(em: EntityManager): Promise<number> {
  const [last] = await em.find(LicenseFile, {}, { orderBy: { epoch: 'desc' }, limit: 1 });
  return (last?.epoch ?? 0) + 1;
}

/** Revokes one file of the tenant of the context; again, it changes nothing. Refuses with NOT_FOUND an unknown one. */
export function revokeLicenseFile(ctx: Context, id: string, typed: string): Promise<LicenseFile> {
  const reason = checkReason(typed);
  return ctx.tx(async (em) => {
    const file = await em.findOne(LicenseFile, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (!file) throw noSuchFile();
    revoke(ctx, em, [file], reason);
    return file;
  });
}

/**
 * Revokes every file of a licence that was revoked, in the transaction of the tenant. The list of what is revoked names
 * them without this, too, by their epochs.
 */
export async function revokeFilesOf(ctx: Context, em: EntityManager, licenseId: string): Promise<void> {
  revoke(ctx, em, await em.find(LicenseFile, { licenseId, revokedAt: null }), 'The licence is revoked.');
  await em.flush();
}

function revoke(ctx: Context, em: EntityManager, files: LicenseFile[], reason: string): void {
  for (const file of files.filter(({ revokedAt }) => revokedAt === null)) {
    Object.assign(file, { revokedAt: ctx.now(), reason });
    emit(em, 'licensing.file.revoked', { fileId: file.id, epoch: file.epoch });
  }
}

/** The tenant a file was issued to, for the control plane. Refuses with NOT_FOUND an unknown one. */
export async function tenantOfFile(ctx: Context, id: string): Promise<string> {
  const [place] = isId(id)
    ? await ctx.acrossTenants((em) =>
        em.execute('select licensed_tenant_id from licensing.issued_file where id = ?', [id]),
      )
    : [];
  if (!place) throw noSuchFile();
  return place.licensed_tenant_id;
}

const noSuchFile = () => new Refusal('NOT_FOUND', 'There is no such licence file.', 'id');

/** The files of the caller's tenant, newest first. */
export async function licenseFiles(ctx: Context, page: PageArgs): Promise<Connection<LicenseFile>> {
  const em = await ctx.em();
  const after = keyAfter(page, asWhole);
  const where = after === null ? {} : { epoch: { $lt: Math.min(after, MAX_EPOCH) } };
  const rows = await em.find(LicenseFile, where, { orderBy: { epoch: 'desc' }, limit: page.first + 1 });
  return connect(rows, page, (file) => [file.epoch]);
}

/** One file of the caller's tenant. */
export async function licenseFileById(ctx: Context, id: string): Promise<LicenseFile | null> {
  return isId(id) ? (await ctx.em()).findOne(LicenseFile, { id }) : null;
}
