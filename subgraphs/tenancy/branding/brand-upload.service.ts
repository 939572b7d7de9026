import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { Upload } from '../../../schema/upload.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { readFileLink, signUpload } from '../../_kernel/files.ts';
import { BrandUpload } from './brand-upload.entity.ts';
import { MAX_IMAGE, pictureType } from './branding.rules.ts';

/** How long a picture may be put, and how long one that was put waits to be used, milliseconds. */
const PUT_MS = 15 * 60_000;
const UNUSED_MS = 24 * 3_600_000;
/** Pictures of a tenant that are awaited, or wait to be used. */
const MAX_OPEN = 20;

/** Opens a place to put a picture for the looks of the caller's tenant. Refuses LIMIT_REACHED for the 21st that waits. */
export function requestBrandUpload(ctx: Context): Promise<Upload> {
  return ctx.tx(async (em) => {
    await em.execute('select from kernel.tenant_profile for update'); // one after the other
    const now = Date.now();
    await em.nativeDelete(BrandUpload, { endsAt: { $lte: new Date(now) } });
    if ((await em.count(BrandUpload)) >= MAX_OPEN)
      throw new Refusal('LIMIT_REACHED', `At most ${MAX_OPEN} pictures wait to be used.`);
    const { id, endsAt } = em.create(BrandUpload, { id: uuidv7(), endsAt: new Date(now + PUT_MS) }, { persist: true });
    const url = signUpload(ctx, `brand/${id}`, { type: 'image/*', endsAt, maxBytes: MAX_IMAGE });
    return { id, url, maxBytes: MAX_IMAGE, expiresAt: endsAt };
  });
}

/** What became of a picture that was put: UNFIT is none, or too large; GONE is a place that is over, or was used. */
export type PutVerdict = 'KEPT' | 'UNFIT' | 'GONE';

/** Keeps what was put where a link leads, once. */
export async function putUpload(ctx: Context, token: string, content: Buffer): Promise<PutVerdict> {
  const link = readFileLink(ctx.machinery.config, token, Date.now());
  if (!link?.maxBytes) return 'GONE';
  if (content.length > link.maxBytes || !pictureType(content)) return 'UNFIT';
  const id = link.name.split('/').at(-1) as string;
  const kept = await ctx
    .inTenant(link.tenantId)
    .tx((em) =>
      em.nativeUpdate(
        BrandUpload,
        { id, content: null, endsAt: { $gt: new Date() } },
        { content, endsAt: new Date(Date.now() + UNUSED_MS) },
      ),
    );
  return kept === 1 ? 'KEPT' : 'GONE';
}

/** Takes a picture that was put, once. Refuses NOT_FOUND for one that was not, is over, or is another tenant's. */
export async function takeUpload(em: EntityManager, id: string, field: string): Promise<Buffer> {
  const upload = await em.findOne(BrandUpload, { id, content: { $ne: null }, endsAt: { $gt: new Date() } });
  if (!upload?.content) throw new Refusal('NOT_FOUND', 'There is no such upload.', field);
  em.remove(upload);
  return Buffer.from(upload.content);
}
