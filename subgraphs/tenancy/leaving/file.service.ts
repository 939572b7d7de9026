import type { Context } from '../../_kernel/context.ts';
import { fileToken, readFileLink, readFilePart, useFileLink } from '../../_kernel/files.ts';

/** Whoever opened a file may read it so long, milliseconds. */
const READING_MS = 10 * 60_000;
/** A file travels to the gateway in parts of so many bytes. */
const PART = 1_048_576;

export interface OpenedFile {
  type: string;
  /** As what it is saved. */
  name: string;
  /** With which its parts are asked for. */
  ticket: string;
}

/** Opens the file a link leads to; one of one use is used up by it. Null for a link that is none, is over or was used. */
export async function openFile(ctx: Context, token: string): Promise<OpenedFile | null> {
  const link = readFileLink(ctx.machinery.config, token, Date.now());
  if (!link || link.maxBytes) return null;
  const own = ctx.inTenant(link.tenantId);
  if (!(await readFilePart(own, link.name, 0, 1))) return null;
  if (!(await own.tx((em) => useFileLink(em, link)))) return null;
  const ticket = fileToken(own, link.name, { type: link.type, endsAt: new Date(Date.now() + READING_MS) });
  return { type: link.type, name: link.name.split('/').at(-1) as string, ticket };
}

/** A part of an opened file from an offset on, in base64; empty at its end, null where it is gone. */
export async function readPart(ctx: Context, ticket: string, offset: number): Promise<string | null> {
  const link = readFileLink(ctx.machinery.config, ticket, Date.now());
  if (!link || link.once || link.maxBytes) return null;
  return (await readFilePart(ctx.inTenant(link.tenantId), link.name, offset, PART))?.toString('base64') ?? null;
}
