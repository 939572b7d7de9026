import { setTimeout as sleep } from 'node:timers/promises';
import { withClient } from '../../tests/setup/database.ts';
import { median, type Result } from '../setup.ts';
import { Crowd, type Deliveries } from './crowd.ts';
import type { LivenessWorld } from './world.ts';

/** Gateways that portals are at. */
const GATEWAYS = 2;
/** Portals at each of them: all of one tenant, which is the worst case, for each hears each change. */
const PORTALS = 5_000;
/** The first of them, to whom a change costs next to nothing: what is measured is the way, not how many go it. */
const FIRST = 10;
const CHANGES = 100;
const CHANGES_UNHEARD = 12;
const CHANGES_AWAY = 5;
/** Between two changes while portals come back, milliseconds. */
const AWAY_MS = 200;

const [MEDIAN_MS, P99_MS, WORST_MS] = [50, 1_000, 2_000];
const CONVERGED_MS = 60_000;

const many = (count: number) => count.toLocaleString('en');

/** 10,000 portals of one tenant at two gateways: each hears every change, in order, whatever breaks. */
export async function portals(world: LivenessWorld): Promise<Result[]> {
  const crowd = await Crowd.begin(world, GATEWAYS);
  try {
    await crowd.grow(FIRST);
    for (let i = 0; i < CHANGES; i++) await crowd.change();
    const few = soon(crowd, await crowd.heard());
    await crowd.grow(PORTALS - FIRST);
    const last: number[] = [];
    for (let i = 0; i < CHANGES; i++) last.push(await crowd.change());
    const all = late(crowd, await crowd.heard(), last);
    const unheard = await withoutNews(world, crowd);
    const [one, other] = world.product.ports as [number, number];
    const half = await comeBack(world, crowd, 0, [other]);
    await world.product.restart(0);
    const whole = await comeBack(world, crowd, 1, [one, other]);
    return [few, ...all, unheard, half, whole];
  } finally {
    await crowd.stop();
  }
}

function soon({ size }: Crowd, { count, within, gaps }: Deliveries): Result {
  const middle = within(0.5);
  return {
    what: `commit → portal, ${CHANGES} changes × ${size} portals, median`,
    figure: `${middle} ms (p99 ${within(0.99)} ms)`,
    bound: `≤ ${MEDIAN_MS} ms`,
    holds: middle <= MEDIAN_MS && count === CHANGES * size && gaps === 0,
  };
}

function late({ size }: Crowd, { count, within, gaps, again }: Deliveries, last: number[]): Result[] {
  const [p99, worst] = [within(0.99), within(1)];
  return [
    {
      what: `commit → portal, ${CHANGES} changes × ${many(size)} portals of one tenant, p99 and worst`,
      figure: `${p99} ms and ${worst} ms (median ${within(0.5)} ms; the last of all: median ${median(last).toFixed(0)} ms)`,
      bound: `≤ ${P99_MS} ms and ≤ ${WORST_MS} ms`,
      holds: p99 <= P99_MS && worst <= WORST_MS,
    },
    {
      what: `of ${many(CHANGES * size)} deltas, heard, each on the one before it`,
      figure: `${many(count)} (${gaps} left out, ${again} told again)`,
      bound: 'all, each once',
      holds: count === CHANGES * size && gaps === 0 && again === 0,
    },
  ];
}

/** Nobody hears of a change: each process finds it by looking. */
async function withoutNews(world: LivenessWorld, crowd: Crowd): Promise<Result> {
  const mend = await cutNews(world);
  for (let i = 0; i < CHANGES_UNHEARD; i++) {
    await sleep(Math.random() * 1_000);
    await crowd.change();
  }
  const { count, within, gaps } = await crowd.heard();
  await mend();
  const worst = within(1);
  return {
    what: `the same with notifications cut, ${CHANGES_UNHEARD} changes, worst`,
    figure: `${worst} ms (median ${within(0.5)} ms, p99 ${within(0.99)} ms)`,
    bound: `≤ ${WORST_MS} ms`,
    holds: worst <= WORST_MS && count === CHANGES_UNHEARD * crowd.size && gaps === 0,
  };
}

/** A gateway is killed; its portals come back to `ports`, each behind the version it knows, while changes go on. */
async function comeBack({ product }: LivenessWorld, crowd: Crowd, gateway: number, ports: number[]): Promise<Result> {
  await crowd.returnTo(ports);
  const killedAt = performance.timeOrigin + performance.now();
  await product.kill(gateway);
  const restarted = ports.includes(product.ports[gateway] as number) ? product.restart(gateway) : undefined;
  for (let i = 0; i < CHANGES_AWAY; i++) {
    await crowd.turn();
    await sleep(AWAY_MS);
  }
  const tookMs = (await crowd.untilAllKnow()) - killedAt;
  await restarted;
  const { gaps, leaps, again, ended, refused } = await crowd.heard();
  return {
    what: `a gateway is killed and ${many(ended)} portals come back with \`after\`, until all ${many(crowd.size)} know the last of ${CHANGES_AWAY} changes`,
    figure: `${(tookMs / 1_000).toFixed(1)} s (${refused} turned away at first; ${gaps} deltas left out, ${leaps} snapshots in their place, ${again} told again)`,
    bound: `≤ ${CONVERGED_MS / 1_000} s, none left out, none told again`,
    holds: tookMs <= CONVERGED_MS && gaps === 0 && again === 0 && ended > 0,
  };
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
