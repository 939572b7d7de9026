import { Pool } from 'undici';

/** Portals that ask for something a licence gates, so many times a second, whatever the answers do. */
const BODY = JSON.stringify({ query: '{ leads(first: 1) { nodes { number } } }' });
const CONNECTIONS = 100;
/** How often what is due is sent, milliseconds. */
const TICK_MS = 4;

/** `stop` waits for the last answers and tells what became of all. */
export type ReadOrder =
  | { do: 'start'; ports: number[]; tokens: string[]; perSecond: number }
  /** Whoever asks from now on does so with these. */
  | { do: 'renew'; tokens: string[] }
  | { do: 'stop' };

/** A gated VALUE, the licence's NO, or anything else. */
export const [VALUE, NO, OTHER] = [0, 1, 2];

/** One request: when it was sent and answered, milliseconds of the machine's own clock, and what the answer was. */
export type Reading = [sentAt: number, answeredAt: number, was: number];

/** What became of all requests, and what the others among them were told, by how many. */
export interface Read {
  readings: Reading[];
  others: Record<string, number>;
}

/** The clock that all processes of a machine share, milliseconds. */
export const machineClock = () => Number(process.hrtime.bigint()) / 1e6;

let tokens: string[] = [];
let stop: () => Promise<Read> = async () => ({ readings: [], others: {} });

function start({ ports, perSecond }: Extract<ReadOrder, { do: 'start' }>): void {
  const pools = ports.map((port) => new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS }));
  const readings: Reading[] = [];
  const others: Record<string, number> = {};
  const open = new Set<Promise<void>>();
  const ask = async (i: number) => {
    const sentAt = machineClock();
    let was = OTHER;
    let told = 'no answer';
    try {
      const { statusCode, body } = await (pools[i % pools.length] as Pool).request({
        method: 'POST',
        path: '/graphql',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[i % tokens.length]}` },
        body: BODY,
      });
      const text = await body.text();
      told = `${statusCode} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`;
      if (statusCode === 200 && text.startsWith('{"data":{"leads":{"nodes":[') && !text.includes('"errors"'))
        was = VALUE;
      if (statusCode === 402 && text.includes('"FEATURE_NOT_LICENSED"') && text.includes('"leads":null')) was = NO;
    } catch {
      // there was none
    }
    if (was === OTHER) others[told] = (others[told] ?? 0) + 1;
    readings.push([sentAt, machineClock(), was]);
  };
  const beganAt = machineClock();
  let sent = 0;
  const timer = setInterval(() => {
    const due = ((machineClock() - beganAt) * perSecond) / 1_000;
    for (; sent < due; sent++) {
      const asking: Promise<void> = ask(sent).finally(() => open.delete(asking));
      open.add(asking);
    }
  }, TICK_MS);
  stop = async () => {
    clearInterval(timer);
    await Promise.all(open);
    await Promise.all(pools.map((pool) => pool.close()));
    return { readings, others };
  };
}

if (process.send) {
  process.on('message', async (order: ReadOrder) => {
    if (order.do !== 'stop') tokens = order.tokens;
    if (order.do === 'start') start(order);
    if (order.do === 'stop') process.send?.(await stop());
  });
  process.send({});
}
