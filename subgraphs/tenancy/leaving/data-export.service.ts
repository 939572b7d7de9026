import { LockMode } from '@mikro-orm/postgresql';
import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { DOMAINS, type ExportedFile, exportFolder, exportTables } from '../../_kernel/departure.ts';
import { emit } from '../../_kernel/events.ts';
import { deleteFile, signFile } from '../../_kernel/files.ts';
import { findOrRefuse } from '../tenant.service.ts';
import { DataExport, type DataExportFile } from './data-export.entity.ts';
import { answered, domainsToExport, KEPT_MS, LINK_MS, PATIENCE_MS } from './data-export.rules.ts';
import { inEach } from './sweep.ts';

/** Exports swept at once. */
const BATCH = 200;

const ALL = ['tenancy', ...DOMAINS];

/** Asks every domain for what it holds of the caller's tenant. One at a time: a second is CONFLICT. */
export function requestDataExport(ctx: Context, domains?: readonly string[] | null): Promise<DataExport> {
  return ctx.tx(async (em) => {
    await findOrRefuse(em, ctx.tenantId); // one request after the other
    const wanted = domainsToExport(domains, ALL);
    if (await em.findOne(DataExport, { state: { $in: ['REQUESTED', 'RUNNING'] } }))
      throw new Refusal('CONFLICT', 'An export is being made already.');
    const made = em.create(DataExport, {
      id: uuidv7(),
      state: 'REQUESTED',
      domains: wanted,
      waitingFor: wanted,
      files: [],
      requestedAt: new Date(),
      requestedBy: ctx.actorId,
    });
    em.persist(made);
    emit(em, 'tenancy.export.requested', { exportId: made.id });
    return made;
  });
}

/** An export of the caller's tenant. */
export async function dataExport(ctx: Context, id: string): Promise<DataExport | null> {
  return isId(id) ? (await ctx.em()).findOne(DataExport, { id }) : null;
}

/** What tenancy itself holds of the tenant. */
export function exportTenancy(ctx: Context, exportId: string): Promise<void> {
  return ctx.tx(async (em) => countIn(ctx, em, 'tenancy', exportId, await exportTables(ctx, em, 'tenancy', exportId)));
}

/** A domain has written its files. The last one makes the export ready. */
export function countInExport(ctx: Context, domain: string, exportId: string, files: ExportedFile[]): Promise<void> {
  return ctx.tx((em) => countIn(ctx, em, domain, exportId, files));
}

async function countIn(
  ctx: Context,
  em: EntityManager,
  domain: string,
  exportId: string,
  files: ExportedFile[],
): Promise<void> {
  const held = await em.findOne(DataExport, { id: exportId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  const next =
    held &&
    answered(
      held,
      domain,
      files.map((file) => ({ domain, ...file })),
    );
  if (!next) {
    if (!held?.domains.includes(domain)) for (const { fileId } of files) await deleteFile(ctx, fileId);
    return;
  }
  Object.assign(held, next);
  if (next.state !== 'READY') return;
  const now = new Date();
  Object.assign(held, { readyAt: now, expiresAt: new Date(now.getTime() + KEPT_MS) });
  emit(em, 'tenancy.export.completed', { exportId });
}

/** The address one file of an export is fetched at, once, within a quarter of an hour. */
export const linkTo = (ctx: Context, file: DataExportFile): string =>
  signFile(ctx, file.fileId, {
    type: 'application/jsonl',
    endsAt: new Date(Date.now() + LINK_MS),
    isOnce: true,
  });

/** Deletes the files of exports that are over, and gives up those some domain has not answered for a day. */
export async function expireExports(ctx: Context): Promise<void> {
  const due = await ctx.acrossTenants((em) =>
    em.execute(
      `select tenant_id from tenancy.data_export
        where (state = 'READY' and expires_at <= now()) or (state in ('REQUESTED', 'RUNNING') and requested_at <= ?)
        order by requested_at limit ?`,
      [new Date(Date.now() - PATIENCE_MS), BATCH],
    ),
  );
  await inEach(ctx, due, expireIn);
}

async function expireIn(own: Context): Promise<void> {
  const [now, longAgo] = [new Date(), new Date(Date.now() - PATIENCE_MS)];
  const over = await own.tx(async (em) => {
    const found = await em.find(DataExport, {
      $or: [
        { state: 'READY', expiresAt: { $lte: now } },
        { state: { $in: ['REQUESTED', 'RUNNING'] }, requestedAt: { $lte: longAgo } },
      ],
    });
    for (const one of found) one.state = one.state === 'READY' ? 'EXPIRED' : 'FAILED';
    return found;
  });
  for (const { id } of over) await deleteFile(own, exportFolder(id));
}
