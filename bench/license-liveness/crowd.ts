import { Part } from '../part.ts';
import type { Heard, Order, Said } from './clients.ts';
import type { LivenessWorld } from './world.ts';

const PEOPLE = ['wren', 'ada', 'milo'];
/** The gateway that no portal is at: changes are made there. */
const ELSEWHERE = 2;

/** Deliveries of a crowd: how soon, and whether each was due. */
export interface Deliveries extends Heard {
  count: number;
  /** Within how many milliseconds of its commit a share of them came. */
  within(share: number): number;
}

/** Portals of one tenant, in as many processes as there are gateways for them: all hear each change. */
export class Crowd {
  /** How many there are. */
  size = 0;
  private readonly world: LivenessWorld;
  private readonly parts: Part<Said>[];
  private isOn = false;
  private version = 0;

  private constructor(world: LivenessWorld, parts: Part<Said>[]) {
    this.world = world;
    this.parts = parts;
  }

  static async begin(world: LivenessWorld, processes: number): Promise<Crowd> {
    const parts = Array.from({ length: processes }, () => new Part<Said>('license-liveness/clients.ts'));
    await Promise.all(parts.map((part) => part.next()));
    return new Crowd(world, parts);
  }

  /** Opens so many more portals at each of its gateways. */
  async grow(count: number): Promise<void> {
    const tokens = await this.tokens();
    const { ports } = this.world.product;
    await Promise.all(
      this.parts.map((part, i) =>
        part.ask({ do: 'connect', ports: [ports[i] as number], tokens, count } satisfies Order),
      ),
    );
    this.size += count * this.parts.length;
    await this.turn();
    await this.untilAllKnow();
    const { refused, why } = await this.heard();
    if (refused > 0) console.log(`  ${refused} portals were turned away at first: ${why}`);
  }

  /** Makes a change; answers how long after its commit the last portal heard it, milliseconds. */
  async change(): Promise<number> {
    const heard = await this.wait(this.version + 1);
    await this.turn();
    return Math.max(...(await heard()).map(({ lastMs }) => Number(lastMs)));
  }

  /** Makes a change without waiting for anybody to hear it. */
  async turn(): Promise<void> {
    this.isOn = !this.isOn;
    this.version = (await this.world.turn('kestrel', this.isOn, ELSEWHERE)).version;
  }

  /** Waits until every portal is at the last change; answers when the last one was, epoch milliseconds. */
  async untilAllKnow(): Promise<number> {
    const all = await (await this.wait(this.version))();
    return Math.max(...all.map(({ lastAt }) => Number(lastAt)));
  }

  /** From now on portals whose socket ends come back to these ports. */
  async returnTo(ports: number[]): Promise<void> {
    const tokens = await this.tokens();
    for (const part of this.parts) part.tell({ do: 'return', ports, tokens } satisfies Order);
  }

  /** What was heard since the last time. */
  async heard(): Promise<Deliveries> {
    const sum: Heard = { lateMs: {}, gaps: 0, leaps: 0, again: 0, ended: 0, refused: 0 };
    for (const said of await Promise.all(this.parts.map((part) => part.ask({ do: 'tell' } satisfies Order)))) {
      for (const [ms, count] of Object.entries(said.lateMs ?? {}))
        sum.lateMs[Number(ms)] = (sum.lateMs[Number(ms)] ?? 0) + count;
      for (const what of ['gaps', 'leaps', 'again', 'ended', 'refused'] as const) sum[what] += said[what] ?? 0;
      if (said.why) sum.why = said.why;
    }
    const times = Object.entries(sum.lateMs).sort(([a], [b]) => Number(a) - Number(b));
    const count = times.reduce((total, [, some]) => total + some, 0);
    const within = (share: number) => {
      let so = 0;
      const found = times.find(([, some]) => {
        so += some;
        return so >= count * share;
      });
      return Number(found?.[0]);
    };
    return { ...sum, count, within };
  }

  async stop(): Promise<void> {
    await Promise.all(this.parts.map((part) => part.stop()));
  }

  private tokens(): Promise<string[]> {
    return Promise.all(PEOPLE.map((name) => this.world.tokenOf(`${name}@kestrel.example`)));
  }

  /** Has every process wait for a version; answers how to hear that they have it. */
  private async wait(version: number): Promise<() => Promise<Said[]>> {
    await Promise.all(this.parts.map((part) => part.ask({ do: 'wait', version } satisfies Order)));
    return () => Promise.all(this.parts.map((part) => part.next()));
  }
}
