import { createHash, createHmac, hkdfSync, randomUUID, timingSafeEqual } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Config } from './config.ts';
import type { Context } from './context.ts';
import type { EntityManager } from './db.ts';

/** What is known of a file that was put. */
export interface StoredFile {
  name: string;
  bytes: number;
  /** Hex. */
  sha256: string;
}

/** A name is a path of plain parts, such as `exports/<id>/billing.invoice.jsonl`; none begins with a dot. */
const NAME = /^[A-Za-z0-9_][\w.-]{0,99}(\/[A-Za-z0-9_][\w.-]{0,99}){0,7}$/;

const homeOf = (config: Config, tenantId: string) => resolve(config.DATA_DIR, 'files', tenantId);

function placeOf(config: Config, tenantId: string, name: string): string {
  if (!NAME.test(name)) throw new Error('This is no name of a file.');
  return join(homeOf(config, tenantId), name);
}

/** A file that is being written: nobody finds it before it is kept. */
export interface FileWriter {
  write(content: string | Buffer): Promise<void>;
  keep(): Promise<StoredFile>;
  /** Leaves nothing behind. Harmless after it was kept or discarded. */
  discard(): Promise<void>;
}

/** Begins a file of the caller's tenant, which is kept in the place of one of the same name. */
export async function writeFile(ctx: Context, name: string): Promise<FileWriter> {
  const place = placeOf(ctx.machinery.config, ctx.tenantId, name);
  await mkdir(dirname(place), { recursive: true });
  const draft = `${place}.${randomUUID()}`;
  const file = await open(draft, 'w', 0o600);
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    async write(content) {
      await file.writeFile(content);
      hash.update(content);
      bytes += Buffer.byteLength(content);
    },
    async keep() {
      await file.sync();
      await file.close();
      await rename(draft, place);
      return { name, bytes, sha256: hash.digest('hex') };
    },
    async discard() {
      await file.close();
      await rm(draft, { force: true });
    },
  };
}

/**
 * Keeps a file of the caller's tenant, in the place of one of the same name. It is there once this returns, whatever
 * becomes of the transaction: a name that holds a new id leaves at worst a file nobody knows of.
 */
export async function putFile(ctx: Context, name: string, content: string | Buffer): Promise<StoredFile> {
  const file = await writeFile(ctx, name);
  try {
    await file.write(content);
    return await file.keep();
  } catch (error) {
    await file.discard();
    throw error;
  }
}

/** A file of the caller's tenant, or null. */
export async function getFile(ctx: Context, name: string): Promise<Buffer | null> {
  return readFile(placeOf(ctx.machinery.config, ctx.tenantId, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/** A part of a file of the caller's tenant, at most `bytes` long; null where there is no such file. */
export async function readFilePart(ctx: Context, name: string, offset: number, bytes: number): Promise<Buffer | null> {
  const file = await open(placeOf(ctx.machinery.config, ctx.tenantId, name)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!file) return null;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(bytes), 0, bytes, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Deletes a file of the caller's tenant, or all under a name that ends in no file. Deleting it again changes nothing. */
export async function deleteFile(ctx: Context, name: string): Promise<void> {
  await rm(placeOf(ctx.machinery.config, ctx.tenantId, name), { recursive: true, force: true });
}

/** Deletes every file of the caller's tenant. */
export async function deleteAllFiles(ctx: Context): Promise<void> {
  await rm(homeOf(ctx.machinery.config, ctx.tenantId), { recursive: true, force: true });
}

/** What a link to a file says. */
export interface FileLink {
  tenantId: string;
  name: string;
  /** As what it is served, such as `image/png`. */
  type: string;
  /** Epoch milliseconds. */
  endsAt: number;
  /** Of a link that opens once. */
  once?: string;
  /** Of a link to put a file, which opens none: how long it may be. */
  maxBytes?: number;
}

const linkMac = (config: Config, text: string) =>
  createHmac(
    'sha256',
    Buffer.from(hkdfSync('sha256', Buffer.from(config.MASTER_KEY, 'base64url'), '', 'file links', 32)),
  )
    .update(text)
    .digest();

interface LinkTerms {
  type: string;
  endsAt: Date;
  isOnce?: boolean;
  maxBytes?: number;
}

/**
 * The address under which whoever holds it gets a file of the caller's tenant from the gateway until `endsAt`; with
 * `isOnce` one time only.
 */
export const signFile = (ctx: Context, name: string, terms: Omit<LinkTerms, 'maxBytes'>): string =>
  address(ctx, name, terms);

/** The address at which whoever holds it may put a file for the caller's tenant until `endsAt`; who keeps it says where. */
export const signUpload = (ctx: Context, name: string, terms: LinkTerms & { maxBytes: number }): string =>
  address(ctx, name, terms);

const address = (ctx: Context, name: string, terms: LinkTerms): string =>
  `${ctx.machinery.config.PUBLIC_URL.replace(/\/$/, '')}/files/${fileToken(ctx, name, terms)}`;

/** The last part of that address, which alone says all. */
export function fileToken(ctx: Context, name: string, { type, endsAt, isOnce = false, maxBytes }: LinkTerms): string {
  const { config } = ctx.machinery;
  placeOf(config, ctx.tenantId, name);
  const link: FileLink = { tenantId: ctx.tenantId, name, type, endsAt: endsAt.getTime() };
  if (isOnce) link.once = randomUUID();
  if (maxBytes !== undefined) link.maxBytes = maxBytes;
  const text = Buffer.from(JSON.stringify(link)).toString('base64url');
  return `${text}.${linkMac(config, text).toString('base64url')}`;
}

/** What a link says, its last part given; null where we did not sign it or it has ended. */
export function readFileLink(config: Config, token: string, now: number): FileLink | null {
  const [text = '', mac = ''] = token.split('.');
  const given = Buffer.from(mac, 'base64url');
  const expected = linkMac(config, text);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const link = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as FileLink;
  return link.endsAt > now ? link : null;
}

/** Notes that a link was opened, in its tenant's transaction; false for one that opens once and was opened before. */
export async function useFileLink(em: EntityManager, { once, endsAt }: FileLink): Promise<boolean> {
  if (!once) return true;
  await em.execute('delete from kernel.file_link_use where ends_at < now()');
  const [isFirst] = await em.execute(
    'insert into kernel.file_link_use (id, ends_at) values (?, ?) on conflict do nothing returning 1 as is_first',
    [once, new Date(endsAt)],
  );
  return isFirst !== undefined;
}
