import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ClientError } from '../schema/errors.ts';
import type { Config } from '../subgraphs/_kernel/config.ts';
import { readFileLink } from '../subgraphs/_kernel/files.ts';
import type { Ask } from './ask.ts';
import { readBody, refuse } from './graph-over-http.ts';

/** A file that a link led to. */
interface OpenedFile {
  type: string;
  name: string;
  ticket: string;
}

export interface Files {
  /** Opens the file of a link's token; one of one use is used up by it. Null where there is none. */
  open(token: string): Promise<OpenedFile | null>;
  /** A part of it from an offset on; empty at its end. */
  part(file: OpenedFile, offset: number): Promise<Buffer>;
  /** How many bytes may be put where a token leads; 0 where nothing may. */
  roomAt(token: string): number;
  put(token: string, content: Buffer): Promise<'KEPT' | 'UNFIT' | 'GONE'>;
}

/** Files as tenancy hands them out, which alone knows whether a link was used. It is not asked about forged ones. */
export const filesOf = (ask: Ask, config: Config): Files => ({
  async open(token) {
    if (!readFileLink(config, token, Date.now())) return null;
    const { openFile } = await ask<{ openFile: OpenedFile | null }>(
      'tenancy',
      'mutation($token: String!) { openFile(token: $token) { type name ticket } }',
      { token },
    );
    return openFile;
  },
  async part({ ticket }, offset) {
    const { filePart } = await ask<{ filePart: string | null }>(
      'tenancy',
      'query($ticket: String!, $offset: Float!) { filePart(ticket: $ticket, offset: $offset) }',
      { ticket, offset },
    );
    if (filePart === null) throw new Error('A file went while it was being read.');
    return Buffer.from(filePart, 'base64');
  },
  roomAt: (token) => readFileLink(config, token, Date.now())?.maxBytes ?? 0,
  async put(token, content) {
    const { putUpload } = await ask<{ putUpload: 'KEPT' | 'UNFIT' | 'GONE' }>(
      'tenancy',
      'mutation($token: String!, $content: String!) { putUpload(token: $token, content: $content) }',
      { token, content: content.toString('base64') },
    );
    return putUpload;
  },
});

const NOTHING = new ClientError('BAD_USER_INPUT', 'There is nothing here.');

/** Takes the file somebody puts where a link leads. Of more than may be put there nothing is read to its end. */
export async function receiveFile(
  files: Files,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const room = files.roomAt(token);
  if (room === 0) return refuse(response, NOTHING, 404);
  const verdict = await files.put(token, await readBody(request, room));
  if (verdict === 'KEPT') return void response.writeHead(204).end();
  if (verdict === 'GONE') return refuse(response, NOTHING, 404);
  refuse(response, new ClientError('BAD_USER_INPUT', 'This is no file of the kind that is awaited here.'));
}

/** Serves the file a link leads to, as fast as its reader takes it. Nobody else keeps it. */
export async function sendFile(files: Files, token: string, response: ServerResponse): Promise<void> {
  const file = await files.open(token);
  if (!file) return refuse(response, NOTHING, 404);
  response.writeHead(200, {
    'content-type': file.type,
    'content-disposition': `attachment; filename="${file.name}"`,
    'cache-control': 'private, no-store',
  });
  let offset = 0;
  for (let part = await files.part(file, 0); part.length > 0; part = await files.part(file, offset)) {
    offset += part.length;
    const isRoomLeft = response.write(part);
    if (response.destroyed) return; // its reader left
    if (!isRoomLeft) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end();
}
