import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import { badInput, ClientError } from '../schema/errors.ts';
import type { GraphRequest } from '../subgraphs/_kernel/subgraph.ts';
import { retryAfter, statusOf } from './denials.ts';
import { type Answer, bodyText, dataOf } from './graph.ts';
import type { PublicDocument } from './license-documents.ts';
import { MAX_BODY } from './limits.ts';
import { observeRefusal } from './metrics.ts';
import type { OperationReference } from './persisted-operations.ts';

const JSON_BODY = /^application\/(graphql\+)?json\b/;

/** Reads a POST of GraphQL over HTTP. Throws BAD_USER_INPUT for what is none, OPERATION_LIMIT (413) for too much. */
export async function readGraphRequest(request: IncomingMessage): Promise<GraphRequest & OperationReference> {
  if (!JSON_BODY.test(String(request.headers['content-type'])))
    throw badInput('A request is sent as application/json.');
  let body: unknown;
  const text = (await readBody(request, MAX_BODY)).toString('utf8');
  try {
    body = JSON.parse(text);
  } catch {
    throw badInput('The request is no JSON.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw badInput('A request is one JSON object.');
  const { query, variables, operationName, extensions, id, documentId } = body as GraphRequest & OperationReference;
  return { query, variables, operationName, extensions, id, documentId } as GraphRequest & OperationReference;
}

/** What a request brings. Throws OPERATION_LIMIT (413) for more bytes than it may, and reads no more of it. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        request.pause().removeAllListeners('data');
        reject(new ClientError('OPERATION_LIMIT', `A request has at most ${maxBytes / 1024} kB.`, { status: 413 }));
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => request.complete || reject(badInput('The request was not sent to its end.')));
  });
}

const JSON_TYPE = 'application/json';
const RESPONSE_TYPE = 'application/graphql-response+json';

/** The media type an answer has: what the client names first, JSON if it does not care. Throws BAD_USER_INPUT (406). */
export function answerType({ headers: { accept } }: IncomingMessage): string {
  if (accept === undefined || accept === JSON_TYPE || accept === '*/*') return JSON_TYPE;
  for (const part of accept.split(',')) {
    const [type = ''] = part.trim().split(';');
    if (type === RESPONSE_TYPE) return RESPONSE_TYPE;
    if (type === JSON_TYPE || type === '*/*' || type === 'application/*') return JSON_TYPE;
  }
  throw new ClientError('BAD_USER_INPUT', `An answer is ${RESPONSE_TYPE} or ${JSON_TYPE}.`, { status: 406 });
}

export function sendAnswer(response: ServerResponse, answer: Answer, type: string): void {
  const status = answer.errors ? statusOf(dataOf(answer), answer.errors) : 200;
  const body = bodyText(answer);
  const length = Buffer.byteLength(body);
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'cache-control': 'no-store',
    'content-length': length,
    ...(answer.errors ? retryAfter(answer.errors) : {}),
  });
  response.end(body, length === body.length ? 'latin1' : 'utf8'); // all ASCII, which is written far faster so
}

const STATUS: Record<string, number> = {
  UNAUTHENTICATED: 401,
  RATE_LIMITED: 429,
  OVERLOADED: 503,
  SUBGRAPH_UNAVAILABLE: 503,
  SUBGRAPH_TIMEOUT: 504,
};

/** Turns a request away before the graph was asked. What is left of it is not read. */
export function refuse(response: ServerResponse, error: ClientError, status?: number): void {
  observeRefusal(error.code);
  const { status: asked, ...extensions } = error.extensions;
  response.setHeader('connection', 'close');
  const errors: GraphQLFormattedError[] = [{ message: error.message, extensions }];
  const chosen = status ?? Number(asked ?? STATUS[error.code] ?? 400);
  sendJson(response, chosen, { errors }, retryAfter(errors));
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** Sends a public document, or says that the one the client has is still the same (RFC 9110, section 13). */
export function sendDocument(request: IncomingMessage, response: ServerResponse, document: PublicDocument): void {
  const { type, body, etag, maxAgeS } = document;
  const headers = { etag, 'cache-control': `public, max-age=${maxAgeS}, must-revalidate` };
  if (request.headers['if-none-match'] === etag) return void response.writeHead(304, headers).end();
  response.writeHead(200, { ...headers, 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body);
}
