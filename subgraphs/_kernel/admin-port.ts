import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from './config.ts';
import { printMetrics, registry, watchProcess } from './metrics.ts';
import type { Logger } from './telemetry.ts';

export interface AdminPort {
  port: number;
  close(): Promise<void>;
}

/**
 * Opens the door of those who run this: `GET /metrics`, in Prometheus' text format, on an address and a port of its own
 * that no proxy passes on. Undefined where ADMIN_PORT is not set. Rejects when the port is taken.
 */
export async function openAdminPort(
  { ADMIN_PORT, ADMIN_HOST }: Pick<Config, 'ADMIN_PORT' | 'ADMIN_HOST'>,
  log: Logger,
): Promise<AdminPort | undefined> {
  if (ADMIN_PORT === undefined) return undefined;
  watchProcess();
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics')
      return void response
        .writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
        .end('There is nothing here.\n');
    printMetrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: Error) => {
        log.error({ err: error }, 'the metrics could not be printed');
        response.writeHead(500).end();
      },
    );
  });
  server.listen(ADMIN_PORT, ADMIN_HOST);
  await Promise.race([once(server, 'listening'), once(server, 'error').then(([error]) => Promise.reject(error))]);
  const { port } = server.address() as AddressInfo;
  log.info({ adminPort: port }, 'metrics ready');
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
