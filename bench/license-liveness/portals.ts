import { setTimeout as sleep } from 'node:timers/promises';
import { withClient } from '../../tests/setup/database.ts';
import { Part } from '../part.ts';
import type { Result } from '../setup.ts';
import type { Heard, Order, Said } from './clients.ts';
import type { LivenessWorld } from './world.ts';

/** Portals of one process, at one gateway: all of one tenant, which is the worst case, for each hears each change. */
const PORTALS = 5_000;
const PEOPLE = ['wren', 'ada', 'milo'];
const CHANGES = 100;
const CHANGES_UNHEARD = 12;
const CHANGES_AWAY = 5;
/** Between two changes while portals come back, milliseconds. */
const AWAY_MS = 200;
const PROCESSES = 2;
/** The gateway that no portal is at: it stays up, and changes are made there. */
const THIRD = 2;

const [MEDIAN_MS, P99_MS, WORST_MS] = [50, 1_000, 2_000];
const CONVERGED_MS = 60_000;

type Clients = Part<Said>;

/** 10,000 portals of one tenant at two gateways: each hears every change, in order, whatever breaks. */
export async function portals(world: LivenessWorld): Promise<Result[]> {
  const { ports } = world.product;
  const clients = Array.from({ length: PROCESSES }, () => new Part<Said>('license-liveness/clients.ts'));
  const all = new Crowd(world, clients);
  try {
    await Promise.all(clients.map((part) => part.next()));
    const tokens = await all.tokens();
    await Promise.all(
      clients.map((part, i) =>
        part.ask({ do: 'connect', ports: [ports[i] as number], tokens, count: PORTALS } satisfies Order),
      ),
    );
    await all.change();
    await all.told();
    const last: number[] = [];
    for (let i = 0; i < CHANGES; i++) last.push(await all.change());
    const live = resultsOf('portal', CHANGES, await all.told(), last);
    const mend = await cutNews(world);
    const lastUnheard: number[] = [];
    for (let i = 0; i < CHANGES_UNHEARD; i++) {
      await sleep(Math.random() * 1_000);
      lastUnheard.push(await all.change());
    }
    const unheard = resultsOf('portal without notifications', CHANGES_UNHEARD, await all.told(), lastUnheard);
    await mend();
    const half = await all.comeBack([0], [ports[1] as number]);
    await world.product.restart(0);
    const whole = await all.comeBack([1], [ports[0] as number, ports[1] as number], () => world.product.restart(1));
    return [...live, ...unheard.slice(1), half, whole];
  } finally {
    await Promise.all(clients.map((part) => part.stop()));
  }
}

/** All portals, over their processes. */
class Crowd {
  private readonly world: LivenessWorld;
  private readonly clients: Clients[];
  private isOn = false;
  private version = 0;

  constructor(world: LivenessWorld, clients: Clients[]) {
    this.world = world;
    this.clients = clients;
  }

  tokens(): Promise<string[]> {
    return Promise.all(PEOPLE.map((name) => this.world.tokenOf(`${name}@kestrel.example`)));
  }

  /** Makes a change; answers how long after its commit the last portal heard it, milliseconds. */
  async change(): Promise<number> {
    if (this.version === 0) await this.turn();
    const heard = await this.wait(this.version + 1);
    await this.turn();
    return Math.max(...(await heard()).map(({ lastMs }) => Number(lastMs)));
  }

  /** What all have heard since the last time. Throws if anybody heard anything that was not due. */
  async told(): Promise<Heard> {
    const sum: Heard = { lateMs: {}, gaps: 0, again: 0, ended: 0, refused: 0 };
    for (const { lateMs = {}, gaps = 0, again = 0, ended = 0, refused = 0 } of await Promise.all(
      this.clients.map((part) => part.ask({ do: 'tell' } satisfies Order)),
    )) {
      for (const [ms, count] of Object.entries(lateMs)) sum.lateMs[Number(ms)] = (sum.lateMs[Number(ms)] ?? 0) + count;
      sum.gaps += gaps;
      sum.again += again;
      sum.ended += ended;
      sum.refused += refused;
    }
    return sum;
  }

  /** Kills gateways; their portals come back to `ports`, each behind the version it knows, while changes go on. */
  async comeBack(killed: number[], ports: number[], meanwhile: () => Promise<void> = async () => undefined) {
    const tokens = await this.tokens();
    for (const part of this.clients) part.tell({ do: 'return', ports, tokens } satisfies Order);
    const killedAt = performance.timeOrigin + performance.now();
    await Promise.all(killed.map((gateway) => this.world.product.kill(gateway)));
    const restarted = meanwhile();
    for (let i = 0; i < CHANGES_AWAY; i++) {
      await this.turn();
      await sleep(AWAY_MS);
    }
    const converged = await (await this.wait(this.version))();
    const tookMs = Math.max(...converged.map(({ lastAt }) => Number(lastAt))) - killedAt;
    await restarted;
    const { gaps, again, ended, refused } = await this.told();
    return {
      what: `${ended.toLocaleString('en')} portals come back with \`after\` when their gateway is killed; all ${(PORTALS * PROCESSES).toLocaleString('en')} at the last of ${CHANGES_AWAY} changes`,
      figure: `${(tookMs / 1_000).toFixed(1)} s (${refused} turned away at first; ${gaps} left out, ${again} told again)`,
      bound: `≤ ${CONVERGED_MS / 1_000} s, none left out`,
      holds: tookMs <= CONVERGED_MS && gaps === 0 && ended > 0,
    };
  }

  private async turn(): Promise<void> {
    this.isOn = !this.isOn;
    this.version = (await this.world.turn('kestrel', this.isOn, THIRD)).version;
  }

  /** Has every process wait for a version; answers how to hear that they have it. */
  private async wait(version: number): Promise<() => Promise<Said[]>> {
    await Promise.all(this.clients.map((part) => part.ask({ do: 'wait', version } satisfies Order)));
    return () => Promise.all(this.clients.map((part) => part.next()));
  }
}

function resultsOf(who: string, changes: number, { lateMs, gaps, again }: Heard, last: number[]): Result[] {
  const times = Object.keys(lateMs).map(Number);
  const count = times.reduce((sum, ms) => sum + (lateMs[ms] ?? 0), 0);
  const at = (share: number) => {
    let heard = 0;
    return times.find((ms) => {
      heard += lateMs[ms] ?? 0;
      return heard >= count * share;
    });
  };
  const expected = changes * PORTALS * PROCESSES;
  const [middle, late, worst] = [at(0.5), at(0.99), times.at(-1)].map(Number) as [number, number, number];
  const lastMiddle = [...last].sort((a, b) => a - b)[Math.floor(last.length / 2)] ?? Number.NaN;
  const whom = `commit → ${who}, ${changes} changes × ${(PORTALS * PROCESSES).toLocaleString('en')} portals of one tenant`;
  return [
    { what: `${whom}, median`, figure: `${middle} ms`, bound: `≤ ${MEDIAN_MS} ms`, holds: middle <= MEDIAN_MS },
    {
      what: `${whom}, p99 and worst`,
      figure: `${late} ms and ${worst} ms (the last of all: median ${lastMiddle.toFixed(0)} ms)`,
      bound: `≤ ${P99_MS} ms and ≤ ${WORST_MS} ms`,
      holds: late <= P99_MS && worst <= WORST_MS,
    },
    {
      what: `of ${expected.toLocaleString('en')} deltas, heard and in order`,
      figure: `${count.toLocaleString('en')}, ${gaps} left out, ${again} told again`,
      bound: 'all',
      holds: count === expected && gaps === 0,
    },
  ];
}

/** Nobody can listen any more, until the returned function is called and everybody does again. */
async function cutNews({ databaseUrl, product }: LivenessWorld): Promise<() => Promise<void>> {
  const run = (text: string) => withClient(databaseUrl, async (client) => void (await client.query(text)));
  const up = () => product.figure('dotmac_fan_out_up');
  const before = await up();
  await run('alter role dotmac_fan_out nologin');
  await run(`select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and usename = 'dotmac_fan_out'`);
  while ((await up()) > 0) await sleep(100);
  return async () => {
    await run('alter role dotmac_fan_out login');
    while ((await up()) < before) await sleep(100);
  };
}
