import { Pool } from 'undici';

const CONNECTIONS = 100;
/** How often what is due is sent, milliseconds. */
const TICK_MS = 4;

/** One request: when it was sent and answered, milliseconds, and what became of it. */
export interface Reading {
  sentAt: number;
  answeredAt: number;
  was: 'SERVED' | 'REFUSED' | 'OTHER';
}

/** Somebody who asks for one thing at each of the gateways in turn, so many times a second, whatever the answers do. */
export class Readers {
  private readonly readings: Reading[] = [];
  private readonly open = new Set<Promise<void>>();
  private readonly pools: Pool[];
  private readonly timer: NodeJS.Timeout;
  private readonly headers: Record<string, string>;
  private readonly body: string;

  constructor(ports: readonly number[], query: string, token: string, perSecond: number) {
    this.pools = ports.map((port) => new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS }));
    this.headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    this.body = JSON.stringify({ query });
    const beganAt = performance.now();
    let sent = 0;
    this.timer = setInterval(() => {
      const due = ((performance.now() - beganAt) * perSecond) / 1_000;
      for (; sent < due; sent++) {
        const asking: Promise<void> = this.ask(sent).finally(() => this.open.delete(asking));
        this.open.add(asking);
      }
    }, TICK_MS);
  }

  /** Waits for the last answers, and tells what became of all. */
  async stop(): Promise<Reading[]> {
    clearInterval(this.timer);
    await Promise.all(this.open);
    await Promise.all(this.pools.map((pool) => pool.close()));
    return this.readings;
  }

  private async ask(i: number): Promise<void> {
    const sentAt = performance.now();
    let was: Reading['was'] = 'OTHER';
    try {
      const pool = this.pools[i % this.pools.length] as Pool;
      const request = { method: 'POST', path: '/graphql', headers: this.headers, body: this.body } as const;
      const text = await (await pool.request(request)).body.text();
      if (text.includes('"FORBIDDEN"')) was = 'REFUSED';
      else if (!text.includes('"errors"')) was = 'SERVED';
    } catch {
      // there was no answer
    }
    this.readings.push({ sentAt, answeredAt: performance.now(), was });
  }
}
