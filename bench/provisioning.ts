import { setTimeout as sleep } from 'node:timers/promises';
import { openGatewayWorld, type Person } from '../tests/setup/gateway.ts';
import type { World } from '../tests/setup/world.ts';
import { aRequest, follow, type Progress, requestTenant } from '../tests/tenancy/provisioning/trial.ts';
import { percentile, type Result } from './setup.ts';

const PARALLEL = 50;
const BOUND_MS = 5_000;
const FOLLOWED = 10;
const SEEN_BOUND_MS = 500;

/** Asks for a tenant; a gateway that is busy says so, and its client comes again with the same key. */
async function asked(ngozi: Person): Promise<Progress> {
  const request = aRequest();
  for (;;) {
    const answer = await requestTenant(ngozi, request).catch((error: Error) => {
      if (!error.message.includes('OVERLOADED')) throw error;
    });
    if (answer?.run) return answer.run;
    if (answer) throw new Error(JSON.stringify(answer.userErrors));
    await sleep(50);
  }
}

/** How long shared tenants take from being asked for until they are ACTIVE, all at once, milliseconds. */
async function setUpMany({ sql }: World, ngozi: Person): Promise<number[]> {
  const runs = await Promise.all(Array.from({ length: PARALLEL }, () => asked(ngozi)));
  for (;;) {
    const done = await sql(
      `select r.state, extract(epoch from e.committed_at - r.created_at) * 1000 as ms from tenancy.provisioning_run r
         left join kernel.event e on e.tenant_id = r.tenant_id and e.name = 'tenancy.provisioning.succeeded'
        where r.id = any($1::uuid[])`,
      [runs.map(({ runId }) => runId)],
    );
    if (done.some(({ state }) => state === 'FAILED')) throw new Error('A run has failed.');
    if (done.every(({ ms }) => ms !== null)) return done.map(({ ms }) => Number(ms));
    await sleep(500);
  }
}

/** How long after a change is written whoever follows the run has it, milliseconds. */
async function followSome({ sql }: World, ngozi: Person): Promise<number[]> {
  const late: number[] = [];
  for (let i = 0; i < FOLLOWED; i++) {
    const { runId } = await asked(ngozi);
    const stream = follow(ngozi, { runId, after: 1 });
    const seen = new Map<number, number>();
    for (let state = ''; state !== 'SUCCEEDED'; ) {
      const told = (await stream.next()).data?.provisioningProgress;
      if (!told || told.state === 'FAILED') throw new Error(String(told?.error));
      seen.set(told.seq, Date.now());
      state = told.state;
    }
    await stream.stop();
    const changes = await sql(
      `select (payload ->> 'seq')::int as seq, committed_at from kernel.event
        where name = 'tenancy.provisioning.changed' and payload ->> 'runId' = $1 and (payload ->> 'seq')::int > 1`,
      [runId],
    );
    for (const { seq, committed_at: at } of changes)
      late.push(Math.max(0, (seen.get(seq) ?? Number.POSITIVE_INFINITY) - at.getTime()));
  }
  return late;
}

/** Setting tenants up, through the gateway: how fast many at once, and how soon whoever follows one sees each change. */
export async function provisioning(): Promise<Result[]> {
  const { world, client, password, close } = await openGatewayWorld();
  try {
    const ngozi = await client.signIn('ngozi@platform.example', password);
    const late = await followSome(world, ngozi);
    const whole = await setUpMany(world, ngozi);
    const [p95, p99] = [percentile(whole, 0.95), percentile(late, 0.99)];
    return [
      {
        what: `${PARALLEL} shared tenants asked for at once, each until ACTIVE, p95`,
        figure: `${p95.toFixed(0)} ms, median ${percentile(whole, 0.5).toFixed(0)} ms`,
        bound: `≤ ${BOUND_MS} ms`,
        holds: p95 <= BOUND_MS,
      },
      {
        what: `change of a run written → seen over the socket, ${late.length} changes, p99`,
        figure: `${p99.toFixed(0)} ms, median ${percentile(late, 0.5).toFixed(0)} ms`,
        bound: `≤ ${SEEN_BOUND_MS} ms`,
        holds: p99 <= SEEN_BOUND_MS,
      },
    ];
  } finally {
    await close();
  }
}
