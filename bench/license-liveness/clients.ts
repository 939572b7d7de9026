import { setTimeout as sleep } from 'node:timers/promises';
import { LightSocket } from '../light-socket.ts';

/** Portals that follow their licence, thousands in one process. */
const QUERY =
  'subscription($after: Int) { licenseUpdated(after: $after) { kind version previousVersion committedAt } }';
/** Sockets that shake hands at once. */
const AT_ONCE = 50;
/** Who was turned away comes back after this time, milliseconds. */
const RETRY_MS = 250;
/** Who has not heard by then will not, milliseconds. */
const LONGEST_MS = 70_000;

/** What portals may be told. */
export type Order =
  /** Opens `count` portals, and from then on comes back to one of the ports whenever a socket ends. */
  | { do: 'connect'; ports: number[]; tokens: string[]; count: number }
  /** Where to come back to from now on, and as whom. */
  | { do: 'return'; ports: number[]; tokens: string[] }
  /** Waits until all are at a version. */
  | { do: 'wait'; version: number }
  /** What was heard since the last time. */
  | { do: 'tell' };

export interface Heard {
  /** Deliveries of a delta, by the whole milliseconds since its commit. */
  lateMs: Record<number, number>;
  /** Times a portal was told something that does not follow on what it knows, for something between was not told. */
  gaps: number;
  /** Times it was told how things are instead of what happened since. */
  leaps: number;
  /** Times a portal was told a change it knows. */
  again: number;
  /** Sockets that ended, and attempts to come back that failed. */
  ended: number;
  refused: number;
  /** What the last of them was told. */
  why?: string;
}

export interface Said extends Partial<Heard> {
  connected?: number;
  isWaiting?: boolean;
  /** When the last portal heard it, epoch milliseconds, and how long after its commit. */
  lastAt?: number;
  lastMs?: number;
}

interface Portal {
  /** What it knows; undefined before it was told anything. */
  version: number | undefined;
  token: number;
}

const portals: Portal[] = [];
let heard: Heard = { lateMs: {}, gaps: 0, leaps: 0, again: 0, ended: 0, refused: 0 };
let home: { ports: number[]; tokens: string[] } = { ports: [], tokens: [] };
let turn = 0;
let waited: { version: number; left: number; done: (lastMs: number) => void } | undefined;

const now = () => performance.timeOrigin + performance.now();
const UPDATE = /"kind":"(\w+)","version":(\d+),"previousVersion":(\d+|null),"committedAt":"([^"]+)"/;

/** What a portal does with what it is told: it applies what follows on what it knows, and nothing else (R9). */
function hear(portal: Portal, message: string): void {
  const [, kind, told, previous, committedAt] = UPDATE.exec(message) ?? [];
  if (!kind) throw new Error(`A portal was told ${message}.`);
  const [version, known] = [Number(told), portal.version];
  if (known !== undefined && version <= known) {
    if (kind === 'DELTA') heard.again += 1;
    return;
  }
  const lateMs = now() - Date.parse(String(committedAt));
  if (kind === 'DELTA') heard.lateMs[Math.floor(lateMs)] = (heard.lateMs[Math.floor(lateMs)] ?? 0) + 1;
  if (known !== undefined && kind === 'SNAPSHOT') heard.leaps += 1;
  if (known !== undefined && kind === 'DELTA' && Number(previous) !== known) {
    heard.gaps += 1;
    return;
  }
  portal.version = version;
  if (version !== waited?.version) return;
  waited.left -= 1;
  if (waited.left === 0) waited.done(lateMs);
}

/** One life of a portal's socket; resolves when it has told how things are, rejects when it ended before. */
function open(portal: Portal, port: number, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let isThere = false;
    const socket = new LightSocket(port, token, {
      ready: () =>
        socket.send({
          id: '1',
          type: 'subscribe',
          payload: { query: QUERY, variables: { after: portal.version ?? null } },
        }),
      heard(message) {
        if (!message.includes('"type":"next"') || message.includes('"errors"')) {
          socket.close();
          return this.ended(new Error(message));
        }
        hear(portal, message);
        isThere = true;
        resolve();
      },
      ended(error) {
        if (!isThere) return reject(error);
        heard.ended += 1;
        comeBack(portal);
      },
    });
  });
}

const away: Portal[] = [];
let coming = 0;

/** Comes back, as many at once as there are hands. */
function comeBack(portal: Portal): void {
  away.push(portal);
  if (coming >= AT_ONCE) return;
  coming += 1;
  void (async () => {
    for (let next = away.pop(); next; next = away.pop()) await reopen(next);
    coming -= 1;
  })();
}

/** Opens a portal at a port of its home; who is turned away tries again. */
async function reopen(portal: Portal): Promise<void> {
  for (;;) {
    const { ports, tokens } = home;
    try {
      return await open(portal, ports[turn++ % ports.length] as number, tokens[portal.token % tokens.length] as string);
    } catch (error) {
      heard.refused += 1;
      heard.why = (error as Error).message;
      await sleep(RETRY_MS);
    }
  }
}

function connect({ count, ports, tokens }: Extract<Order, { do: 'connect' }>): Promise<unknown> {
  home = { ports, tokens };
  const mine = Array.from({ length: count }, (_, i): Portal => ({ version: undefined, token: i }));
  portals.push(...mine);
  let next = 0;
  const hand = async () => {
    for (let i = next++; i < mine.length; i = next++) await reopen(mine[i] as Portal);
  };
  return Promise.all(Array.from({ length: AT_ONCE }, hand));
}

function waitFor(version: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const left = portals.filter((portal) => portal.version !== version).length;
    const timer = setTimeout(
      () => reject(new Error(`${waited?.left} portals were not told of version ${version}.`)),
      LONGEST_MS,
    );
    const done = (lastMs: number) => {
      clearTimeout(timer);
      resolve(lastMs);
    };
    waited = { version, left, done };
    if (left === 0) done(0);
  });
}

process.on('message', async (order: Order) => {
  try {
    if (order.do === 'connect') {
      await connect(order);
      process.send?.({ connected: portals.length } satisfies Said);
    }
    if (order.do === 'return') home = order;
    if (order.do === 'wait') {
      const all = waitFor(order.version);
      process.send?.({ isWaiting: true } satisfies Said);
      const lastMs = await all;
      process.send?.({ lastAt: now(), lastMs } satisfies Said);
    }
    if (order.do === 'tell') {
      process.send?.(heard satisfies Said);
      heard = { lateMs: {}, gaps: 0, leaps: 0, again: 0, ended: 0, refused: 0 };
    }
  } catch (error) {
    process.send?.({ failure: (error as Error).message });
  }
});
process.send?.({});
