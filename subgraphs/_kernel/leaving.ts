import type { ServerResponse } from 'node:http';

/** Aborted when whoever asked hangs up before they are answered. */
export function leaving(response: ServerResponse): AbortSignal {
  const left = new AbortController();
  if (response.destroyed) left.abort();
  response.once('close', () => response.writableFinished || left.abort());
  return left.signal;
}
