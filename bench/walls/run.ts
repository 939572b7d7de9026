import { localSubgraph } from '../../gateway/data-sources.ts';
import { startGateway } from '../../gateway/start.ts';
import { createLog } from '../../subgraphs/_kernel/telemetry.ts';
import { openGatewayWorld } from '../../tests/setup/gateway.ts';
import type { World } from '../../tests/setup/world.ts';
import { drawing } from '../fuzz.inputs.ts';
import { type Ground, type Operation, operationAt } from './operations.ts';
import { changesAcross, readOwners } from './owners.ts';
import { adminOf, type Principal, principalsOf, TENANTS } from './principals.ts';
import { followAll } from './streams.ts';
import { probe, type Troubles, trouble } from './trouble.ts';
import { type Finding, idsIn, Watch } from './watch.ts';

/** Connections of each subgraph's pool, and operations that are on their way at once. */
const POOL = 4;
const LANES = 10;
/** The deadline of a call to a subgraph at the gateway that is short of patience, milliseconds. */
const SHORT_MS = 100;
/** A token lives five minutes, milliseconds. */
const TOKEN_MS = 120_000;

interface Limits {
  operations: number;
  /** No operation is begun after so long, milliseconds. */
  forMs: number;
}

export interface Walls {
  findings: Finding[];
  /** What somebody changed in a tenant they are not of. */
  changesAcross: string[];
  troubles: Troubles;
  watch: Watch;
  /** Who asked, and how often they were answered with data. */
  askers: Map<string, { asked: number; withData: number }>;
  /** How operations ended, by code; several in one answer count each. */
  outcomes: Map<string, number>;
  /** Ids with an owner that were shown to somebody. */
  idsShown: number;
  seconds: number;
}

/**
 * Lets principals of four tenants ask whatever can be asked, with ids of one another, while connections are killed and
 * clients go away in the middle, and looks at everything that comes out.
 */
export async function runWalls(seed: number, limits: Limits): Promise<Walls> {
  const watch = new Watch();
  const logTo = { write: (line: string) => watch.logged(line) };
  const running = await openGatewayWorld({ DATABASE_POOL: String(POOL), LOG_LEVEL: 'debug' }, logTo);
  const { world, client, password } = running;
  const hurried = await startGateway(
    { ...world.config, SUBGRAPH_TIMEOUT_MS: SHORT_MS },
    new Map(world.serving.subgraphs.map((one) => [one.name, localSubgraph(one)])),
    world.serving.fanOut,
    createLog(world.config, 'gateway', logTo),
  );
  const followed: (() => Promise<void>)[] = [];
  try {
    const askers = await principalsOf(client, password);
    const atFirst = await readOwners(world);
    const { schema } = running.gateway.graph.supergraph;
    const ground: Ground = { schema, owners: atFirst, askers: askers.map(({ tenants }) => tenants) };
    for (const tenant of TENANTS) followed.push(followAll(client.url, adminOf(askers, tenant), atFirst, watch));
    const tally = new Tally(askers);
    const urls = { patient: client.url, hurried: `http://127.0.0.1:${hurried.port}/graphql` };
    const since = new Date();
    let isOver = false;
    const troubled = trouble(world, drawing(seed), () => isOver);
    troubled.catch(() => undefined); // it is heard below, and lanes first
    const seconds = await askAll(world, askers, limits, (n) => {
      const operation = operationAt(seed, n, ground);
      return ask(operation, n, askers[operation.asker] as Principal, urls, watch, tally);
    }).finally(() => {
      isOver = true;
    });
    const troubles = await troubled;
    await probe(world, troubles, POOL);
    const atLast = await readOwners(world);
    const known = [atFirst, atLast];
    return {
      findings: watch.findings(known),
      changesAcross: await changesAcross(world, atLast, since),
      troubles,
      watch,
      askers: tally.askers,
      outcomes: tally.outcomes,
      idsShown: watch.idsShown(known),
      seconds,
    };
  } finally {
    await Promise.all(followed.map((stop) => stop()));
    await hurried.stop();
    await running.close();
  }
}

/** Asks one after the other in each lane, with tokens that have not ended. Answers how long it took, seconds. */
async function askAll(
  world: World,
  askers: readonly Principal[],
  { operations, forMs }: Limits,
  askOne: (n: number) => Promise<void>,
): Promise<number> {
  const startedAt = performance.now();
  let signedInAt = startedAt;
  let next = 0;
  const lane = async () => {
    while (next < operations && performance.now() - startedAt < forMs) {
      const n = next++;
      if (performance.now() - signedInAt > TOKEN_MS) {
        signedInAt = performance.now();
        for (const who of askers) {
          await world.sql('delete from identity.sign_in_bucket'); // drawn sign-ins have failed from this address
          await who.renew();
        }
      }
      await askOne(n);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return (performance.now() - startedAt) / 1_000;
}

async function ask(
  { text, leavesAfter, isHurried }: Operation,
  n: number,
  who: Principal,
  urls: { patient: string; hurried: string },
  watch: Watch,
  tally: Tally,
): Promise<void> {
  try {
    const response = await fetch(isHurried ? urls.hurried : urls.patient, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${who.token}` },
      body: JSON.stringify({ query: text }),
      ...(leavesAfter === undefined ? {} : { signal: AbortSignal.timeout(leavesAfter) }),
    });
    const answer = await response.text();
    watch.answer(
      answer,
      who.tenants,
      new Set([...idsIn(text), ...who.own]),
      `operation ${n} of ${who.name}, ${text.slice(0, 1_500)}`,
    );
    tally.note(who, answer);
  } catch (error) {
    if (leavesAfter === undefined) throw error;
    tally.count('LEFT');
  }
}

class Tally {
  readonly outcomes = new Map<string, number>();
  readonly askers: Map<string, { asked: number; withData: number }>;

  constructor(askers: readonly Principal[]) {
    this.askers = new Map(askers.map(({ name }) => [name, { asked: 0, withData: 0 }]));
  }

  count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  note({ name }: Principal, text: string): void {
    const { data, errors } = JSON.parse(text) as {
      data?: Record<string, unknown> | null;
      errors?: { extensions?: { code?: string } }[];
    };
    const asker = this.askers.get(name) as { asked: number; withData: number };
    asker.asked++;
    if (data && Object.values(data).some((value) => value !== null)) asker.withData++;
    const codes = new Set((errors ?? []).map(({ extensions }) => extensions?.code ?? 'NO CODE'));
    for (const code of codes.size > 0 ? codes : ['OK']) this.count(code);
  }
}
