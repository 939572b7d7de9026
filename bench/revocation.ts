import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, testConfig } from '../tests/setup/database.ts';
import { GatewayClient } from '../tests/setup/gateway.ts';
import { withGateways } from './deployments.ts';
import { Readers, type Reading } from './revocation/readers.ts';
import { median, percentile, type Result } from './setup.ts';

const GATEWAYS = 3;
const TRIALS = 100;
const PER_SECOND = 500;
/** How long the right stays taken, and given, after the change is answered, milliseconds. */
const TAKEN_MS = 40;
const GIVEN_MS = 20;
/** How long one rests who was turned away, milliseconds. */
const REST_MS = 500;
/** From an answer to the last request served with what was taken. */
const LAST_MS = 1_000;
/** What a mutation that revokes may wait, and what it takes besides. */
const LONGEST_MS = 1_000;

/** Only who holds `billing.invoice.read` may ask it. */
const QUERY = '{ invoice(id: "01990000-0000-7000-8000-000000000000") { id } }';
const MEMBER = '{ members(first: 100) { nodes { id version user { displayName } } } }';
const SET = `mutation($input: MemberRolesInput!) {
  setMemberRoles(input: $input) { membership { version } userErrors { message } }
}`;

interface Trial {
  askedAt: number;
  answeredAt: number;
  /** When it was asked to be given back. */
  restoredAt: number;
}

/**
 * A role is taken from somebody and given back, again and again, while they ask at three gateways, every part in a process
 * of its own: no request sent after the answer is served with what they held (identity R18).
 */
export async function revocation(): Promise<Result[]> {
  const database = await createTestDatabase();
  const config = testConfig(database.url);
  const product = await withGateways(config, GATEWAYS, {});
  try {
    const gateways = product.ports.map((port) => new GatewayClient(port));
    const setRoles = await rolesOf('Mira Petrov', gateways, String(config.SEED_PASSWORD));
    const door = gateways[0] as GatewayClient;
    const { token } = await door.signIn('mira@northwind.example', String(config.SEED_PASSWORD));
    const readers = new Readers(product.ports, QUERY, token, PER_SECOND);
    await sleep(1_000);
    const trials: Trial[] = [];
    let turnedAway = 0;
    for (let i = 0; i < TRIALS; i++) {
      const askedAt = performance.now();
      if (!(await setRoles(i, ['sales']))) {
        turnedAway += 1;
        await sleep(REST_MS);
        continue;
      }
      const answeredAt = performance.now();
      await sleep(TAKEN_MS);
      trials.push({ askedAt, answeredAt, restoredAt: performance.now() });
      while (!(await setRoles(i + 1, ['billing_manager']))) await sleep(REST_MS);
      await sleep(GIVEN_MS);
    }
    if (turnedAway > 0) console.log(`  ${turnedAway} of ${TRIALS} revocations were turned away for the load`);
    return judge(await readers.stop(), trials);
  } finally {
    await product.stop();
    await database.drop();
  }
}

/** How an administrator changes somebody's roles at the gateways in turn; false where one turns them away for its load. */
async function rolesOf(name: string, gateways: GatewayClient[], password: string) {
  const { token } = await (gateways[0] as GatewayClient).signIn('ingrid@northwind.example', password);
  const { data } = await (gateways[0] as GatewayClient).post<{
    members: { nodes: { id: string; version: number; user: { displayName: string } }[] };
  }>(MEMBER, {}, token);
  const member = data?.members.nodes.find(({ user }) => user.displayName === name);
  let version = member?.version ?? 0;
  return async (i: number, roles: string[]) => {
    const input = { membershipId: member?.id, expectedVersion: version, roles };
    const gateway = gateways[i % gateways.length] as GatewayClient;
    const answer = await gateway.post<{ setMemberRoles: { membership: { version: number } | null } }, object>(
      SET,
      { input },
      token,
    );
    if (answer.errors?.[0]?.extensions.code === 'OVERLOADED') return false;
    const changed = answer.data?.setMemberRoles.membership;
    if (!changed) throw new Error(JSON.stringify(answer));
    version = changed.version;
    return true;
  };
}

function judge(readings: Reading[], trials: Trial[]): Result[] {
  const late: number[] = [];
  let [after, asked] = [0, 0];
  for (const { answeredAt, restoredAt } of trials) {
    const between = readings.filter((one) => one.answeredAt >= answeredAt && one.answeredAt < restoredAt);
    const served = between.filter(({ was }) => was === 'SERVED');
    late.push(Math.max(0, ...served.map((one) => one.answeredAt - answeredAt)));
    asked += between.filter(({ sentAt }) => sentAt >= answeredAt).length;
    after += served.filter(({ sentAt }) => sentAt >= answeredAt).length;
  }
  const took = trials.map(({ askedAt, answeredAt }) => answeredAt - askedAt);
  const [p99, p95] = [percentile(late, 0.99), percentile(took, 0.95)];
  const count = (what: Reading['was']) => readings.filter(({ was }) => was === what).length;
  const seconds = ((readings.at(-1)?.sentAt ?? 0) - (readings[0]?.sentAt ?? 0)) / 1_000;
  return [
    {
      what: `requests sent after the answer and served with what was taken, ${trials.length} revocations at ${GATEWAYS} gateways`,
      figure: `${after} of ${asked} (${(readings.length / seconds).toFixed(0)} requests/s: ${count('SERVED')} served, ${count('REFUSED')} refused, ${count('OTHER')} else)`,
      bound: '0',
      holds: after === 0 && asked > trials.length,
    },
    {
      what: 'from the answer to the last request served with what was taken, p99',
      figure: `${p99.toFixed(1)} ms (median ${median(late).toFixed(1)} ms)`,
      bound: `≤ ${LAST_MS} ms`,
      holds: p99 <= LAST_MS,
    },
    {
      what: 'a mutation that revokes, its wait for the gateways included, p95',
      figure: `${p95.toFixed(0)} ms (median ${median(took).toFixed(0)} ms)`,
      bound: `≤ ${LONGEST_MS} ms`,
      holds: p95 <= LONGEST_MS,
    },
  ];
}
