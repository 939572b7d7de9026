import { setTimeout as sleep } from 'node:timers/promises';
import { Part } from '../part.ts';
import { median, percentile, type Result } from '../setup.ts';
import { machineClock, NO, type Read, type Reading, type ReadOrder, VALUE } from './readers.ts';
import type { LivenessWorld } from './world.ts';

const TRIALS = 500;
const PER_SECOND = 500;
/** How long a feature stays shut, and open, after the change is acknowledged, milliseconds. */
const SHUT_MS = 40;
const OPEN_MS = 20;

/** Tokens live five minutes; new ones are taken after so many trials. */
const TRIALS_OF_A_TOKEN = 100;
/** A machine on which it takes longer is too slow to tell, milliseconds. */
const LONGEST_MS = 180_000;

const LAST_MS = 1_000;
const API_MS = 200;
const MIN_ACHIEVED = 0.95;
const MIN_HELD = 0.99;

/** One revocation: acknowledged, and taken back; `byAll` says that every gateway held it. */
interface Trial {
  openAt: number;
  revokedAt: number;
  acknowledgedAt: number;
  byAll: boolean;
  restoredAt: number;
}

/** CRM is taken from a tenant and given back, again and again, while its people ask for it at every gateway. */
export async function revocation(world: LivenessWorld): Promise<Result[]> {
  const readers = new Part<Partial<Read>>('license-liveness/readers.ts');
  const { product, gateways } = world;
  const figures = () =>
    product.figures('dotmac_license_cache_hits', 'dotmac_license_cache_requests', 'process_cpu_seconds_total');
  const tokens = async () => [await world.tokenOf('wren@kestrel.example')];
  try {
    await Promise.all([world.turn('kestrel', true, 0), readers.next()]);
    const start = { do: 'start', ports: product.ports, tokens: await tokens(), perSecond: PER_SECOND } as const;
    readers.tell(start satisfies ReadOrder);
    await sleep(1_000);
    const before = await figures();
    const trials: Trial[] = [];
    const beganAt = machineClock();
    let openAt = beganAt;
    for (let i = 0; i < TRIALS && machineClock() - beganAt < LONGEST_MS; i++) {
      if (i % TRIALS_OF_A_TOKEN === TRIALS_OF_A_TOKEN - 1) {
        await world.renew();
        readers.tell({ do: 'renew', tokens: await tokens() } satisfies ReadOrder);
      }
      const revokedAt = machineClock();
      const { propagation } = await world.turn('kestrel', false, i % gateways.length);
      const acknowledgedAt = machineClock();
      await sleep(SHUT_MS);
      const restoredAt = machineClock();
      await world.turn('kestrel', true, (i + 1) % gateways.length);
      const byAll = propagation.nodes === gateways.length && propagation.acknowledged === propagation.nodes;
      trials.push({ openAt, revokedAt, acknowledgedAt, byAll, restoredAt });
      openAt = machineClock();
      await sleep(OPEN_MS);
    }
    const seconds = (machineClock() - beganAt) / 1_000;
    const [hits = 0, requests = 0, cpu = 0] = (await figures()).map((figure, i) => figure - (before[i] ?? 0));
    const { readings = [], others = {} } = await readers.ask({ do: 'stop' } satisfies ReadOrder);
    return judge({ readings, others }, trials, { held: hits / requests, busy: cpu / seconds });
  } finally {
    await readers.stop();
  }
}

/** @param held share of look-ups served from memory; `busy` is how many processors gateways and subgraphs took. */
function judge({ readings, others }: Read, trials: Trial[], { held, busy }: { held: number; busy: number }): Result[] {
  const late: number[] = [];
  let [within, after, unclear, idle] = [0, 0, 0, 0];
  let at = 0;
  const bySending = [...readings].sort(([a], [b]) => a - b);
  for (const { openAt, acknowledgedAt, byAll, restoredAt } of trials) {
    while (at < bySending.length && (bySending[at] as Reading)[0] < openAt) at += 1;
    let [last, wasOpen, wasShut] = [0, false, false];
    for (let i = at; i < bySending.length && (bySending[i] as Reading)[0] < restoredAt; i++) {
      const [sentAt, answeredAt, was] = bySending[i] as Reading;
      if (was === NO && sentAt >= acknowledgedAt) wasShut = true;
      if (was !== VALUE) continue;
      if (answeredAt < acknowledgedAt) wasOpen = true;
      else if (answeredAt >= restoredAt) unclear += 1;
      else {
        last = Math.max(last, answeredAt - acknowledgedAt);
        if (sentAt >= acknowledgedAt) byAll ? after++ : within++;
      }
    }
    if (!wasOpen || !wasShut) idle += 1;
    late.push(last);
  }
  const count = (what: number) => readings.filter(([, , was]) => was === what).length;
  const [values, refused] = [count(VALUE), count(NO)];
  const rest = Object.entries(others).map(([told, some]) => `, ${some} ${told}`);
  const seconds = ((bySending.at(-1)?.[0] ?? 0) - (bySending[0]?.[0] ?? 0)) / 1_000;
  const achieved = (values + refused) / seconds;
  const took = readings.map(([sentAt, answeredAt]) => answeredAt - sentAt);
  const [p99, p95] = [percentile(late, 0.99), percentile(took, 0.95)];
  const all = trials.filter(({ byAll }) => byAll).length;
  const longest = percentile(
    trials.map(({ revokedAt, acknowledgedAt }) => acknowledgedAt - revokedAt),
    0.95,
  );
  return [
    {
      what: `requests answered a second while CRM is taken away ${trials.length} times, of ${PER_SECOND} asked for`,
      figure: `${achieved.toFixed(0)}/s (${values} with a value, ${refused} refused for the licence${rest.join('')}; gateways and subgraphs took ${busy.toFixed(2)} processors)`,
      bound: `≥ ${PER_SECOND * MIN_ACHIEVED}/s, ${TRIALS} times`,
      holds: achieved >= PER_SECOND * MIN_ACHIEVED && trials.length === TRIALS,
    },
    {
      what: 'last gated value after a revocation is acknowledged, p99',
      figure: `${p99.toFixed(1)} ms (median ${median(late).toFixed(1)} ms, worst ${Math.max(...late).toFixed(1)} ms; acknowledged in ${longest.toFixed(0)} ms at p95)`,
      bound: `≤ ${LAST_MS} ms`,
      holds: p99 <= LAST_MS && idle <= trials.length / 10,
    },
    {
      what: `gated values to requests begun after all gateways acknowledged, in ${all} such trials of ${trials.length}`,
      figure: `${after} (${within} where not all had; ${unclear} answered after CRM was given back; ${idle} trials in which nobody asked in time)`,
      bound: '0',
      holds: after === 0 && all >= trials.length / 2,
    },
    {
      what: 'p95 of these requests, every gate on',
      figure: `${p95.toFixed(1)} ms (median ${median(took).toFixed(1)} ms)`,
      bound: `< ${API_MS} ms`,
      holds: p95 < API_MS,
    },
    {
      what: 'licences found in memory under this load',
      figure: `${(held * 100).toFixed(2)} %`,
      bound: `≥ ${MIN_HELD * 100} %`,
      holds: held >= MIN_HELD,
    },
  ];
}
