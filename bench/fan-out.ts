import { Part } from './part.ts';
import { median, type Result } from './setup.ts';

const SUBSCRIBERS = 5_000;
const ROUNDS = 3;
/** Events of one round. */
const EVENTS = 7;
/** The first of them, after which the process is weighed first: what is loaded and grown once is not counted. */
const WARM_UP = 1_000;

const LAST_MS = 70;
const BYTES = 12 * 1024;

interface Said {
  port?: number;
  token?: string;
  publishedAt?: number;
  lastAt?: number;
  heap?: number;
  rss?: number;
}

/** One event to everybody: from its commit to the last subscriber, milliseconds. */
async function publish(server: Part<Said>, clients: Part<Said>, name: string): Promise<number> {
  await clients.ask({ do: 'wait', name });
  const [, { lastAt }] = await Promise.all([server.ask({ do: 'publish', name }), clients.next()]);
  const { publishedAt } = await server.ask({ do: 'when' });
  return Number(lastAt) - Number(publishedAt);
}

/** 5,000 sockets with one subscription each, in a process of their own; the event is a change of the tenant they follow. */
export async function fanOut(): Promise<Result[]> {
  const parts: Part<Said>[] = [];
  const begin = (file: string) => {
    const part = new Part<Said>(`fan-out/${file}`);
    parts.push(part);
    return part;
  };
  try {
    const last: Record<string, number[]> = { ours: [], stock: [], 'ready-bytes': [] };
    const sides = await Promise.all(
      Object.keys(last).map(async (name) => {
        const server = begin(`${name}.ts`);
        const clients = begin('clients.ts');
        const [{ port, token }] = await Promise.all([server.next(), clients.next()]);
        return { name, server, clients, port, token };
      }),
    );
    const held: Record<string, { heap: number; rss: number }> = {};
    for (const { name, server, clients, port, token } of sides) {
      await clients.ask({ do: 'connect', port, token, count: WARM_UP });
      for (let i = 0; i < EVENTS; i++) await publish(server, clients, `Warm-up ${i}`);
      const before = await server.ask({ do: 'weigh' });
      const count = SUBSCRIBERS - WARM_UP;
      await clients.ask({ do: 'connect', port, token, count });
      const after = await server.ask({ do: 'weigh' });
      held[name] = {
        heap: (Number(after.heap) - Number(before.heap)) / count,
        rss: (Number(after.rss) - Number(before.rss)) / count,
      };
    }
    for (let round = 0; round < ROUNDS; round++)
      for (const { name, server, clients } of sides) {
        const events: number[] = [];
        for (let i = 0; i < EVENTS; i++) events.push(await publish(server, clients, `Kestrel ${round} ${i}`));
        last[name]?.push(median(events));
      }
    const [ours = 0, stock = 0, floor = 0] = Object.values(last).map(median);
    const bytes = Math.max(held.ours?.rss ?? 0, held.ours?.heap ?? 0);
    const kilobytes = (value = 0) => `${(value / 1024).toFixed(1)} KB`;
    return [
      {
        what: `commit → last of ${SUBSCRIBERS} subscribers, median`,
        figure: `${ours.toFixed(0)} ms (stock graphql-ws, from memory: ${stock.toFixed(0)} ms, ${(stock / ours).toFixed(1)} ×; ready bytes on bare sockets: ${floor.toFixed(0)} ms)`,
        bound: `≤ ${LAST_MS} ms`,
        holds: ours <= LAST_MS,
      },
      {
        what: 'memory per open subscription on a socket of its own',
        figure: `${kilobytes(held.ours?.rss)} resident, ${kilobytes(held.ours?.heap)} heap (stock: ${kilobytes(held.stock?.rss)}, ${kilobytes(held.stock?.heap)})`,
        bound: `≤ ${kilobytes(BYTES)}`,
        holds: bytes <= BYTES,
      },
    ];
  } finally {
    await Promise.all(parts.map((part) => part.stop()));
  }
}
