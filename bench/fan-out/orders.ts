import { setTimeout as sleep } from 'node:timers/promises';

/** What the bench may ask of a server's process. */
export type Order = { do: 'publish'; name: string } | { do: 'when' } | { do: 'weigh' } | { do: 'close' };

export interface Server {
  port: number;
  token: string;
  publish(name: string): Promise<void>;
  /** When the last event was committed, epoch milliseconds. */
  publishedAt(): Promise<number>;
  close(): Promise<void>;
}

/** Collections after which what is left is held. */
const COLLECTIONS = 4;

/** Bytes the process holds, after what nobody holds was collected. */
async function weigh(): Promise<{ heap: number; rss: number }> {
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    await sleep(250);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

/** Says where a server is, and does what the bench asks of it. */
export function answerOrders(server: Server): void {
  process.on('message', async (order: Order) => {
    if (order.do === 'publish') {
      await server.publish(order.name);
      process.send?.({ isPublished: true });
    }
    if (order.do === 'when') process.send?.({ publishedAt: await server.publishedAt() });
    if (order.do === 'weigh') process.send?.(await weigh());
    if (order.do === 'close') {
      await server.close();
      process.exit(0);
    }
  });
  process.send?.({ port: server.port, token: server.token });
}
