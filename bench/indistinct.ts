import { randomUUID } from 'node:crypto';
import type { Person } from '../tests/setup/gateway.ts';
import { openGatewayWorld } from '../tests/setup/gateway.ts';
import type { World } from '../tests/setup/world.ts';
import { median, type Result } from './setup.ts';

const SAMPLES = 2_000;
/** Below this we would say that somebody can tell the two apart. */
const SIGNIFICANCE = 0.01;
const MAILS = 40;
const MAILS_BOUND_MS = 10;

/** What an outsider could tell from the time an answer takes: whether an id is another tenant's, whether a mail has an account. */
export async function indistinct(): Promise<Result[]> {
  const { world, client, password, close } = await openGatewayWorld({
    RATE_PER_CALLER: '100000',
    RATE_PER_ADDRESS: '100000',
  });
  try {
    const ingrid = await client.signIn('ingrid@northwind.example', password);
    const results: Result[] = [];
    for (const [field, table] of Object.entries(DOORS)) results.push(await foreignIds(world, ingrid, field, table));
    results.push(
      await mails(world, (email) =>
        client.post(SIGN_IN, { input: { email, password: 'not the right one', transport: 'BODY' } }),
      ),
    );
    return results;
  } finally {
    await close();
  }
}

/** Doors that take an id, and where other tenants' ids for them lie. */
const DOORS: Record<string, string> = {
  invoice: 'billing.invoice',
  customer: 'billing.customer',
  member: 'identity.membership',
  ticket: 'tickets.ticket',
};
const SIGN_IN =
  'mutation($input: SignInInput!) { signIn(input: $input) { session { sessionId } userErrors { code } } }';

async function foreignIds(world: World, asker: Person, field: string, table: string): Promise<Result> {
  const rows = await world.sql(
    `select id from ${table} where tenant_id <> (select tenant_id from kernel.tenant_profile where slug = 'northwind')`,
  );
  const foreign = rows.map(({ id }) => String(id));
  if (foreign.length === 0) throw new Error(`No other tenant has a row in ${table}.`);
  const took = { foreign: [] as number[], random: [] as number[] };
  const look = async (kind: keyof typeof took, id: string) => {
    const beganAt = performance.now();
    const { data } = await asker.ask<Record<string, null>, object>(`query($id: ID!) { ${field}(id: $id) { id } }`, {
      id,
    });
    took[kind].push(performance.now() - beganAt);
    if (data?.[field] !== null) throw new Error(`${field}(${id}) answered ${JSON.stringify(data)}`);
  };
  for (let i = 0; i < 100; i++) await look('random', randomUUID());
  took.random.length = 0;
  while (took.foreign.length + took.random.length < SAMPLES) {
    const kinds = Math.random() < 0.5 ? (['foreign', 'random'] as const) : (['random', 'foreign'] as const);
    for (const kind of kinds)
      await look(
        kind,
        kind === 'random' ? randomUUID() : (foreign[Math.floor(Math.random() * foreign.length)] as string),
      );
  }
  const p = rankTest(took.foreign, took.random);
  return {
    what: `${field}: another tenant's id against a random one, ${SAMPLES.toLocaleString('en')} looks`,
    figure: `p = ${p.toFixed(3)} (medians ${median(took.foreign).toFixed(2)} and ${median(took.random).toFixed(2)} ms)`,
    bound: `p > ${SIGNIFICANCE}`,
    holds: p > SIGNIFICANCE,
  };
}

/** A wrong password for mails that have an account and for such as have none; few for each, so that none is locked. */
async function mails(world: World, signIn: (email: string) => Promise<unknown>): Promise<Result> {
  const rows = await world.sql(
    "select email from identity.user where realm = 'STAFF' and state = 'ACTIVE' order by email",
  );
  const took = { known: [] as number[], unknown: [] as number[] };
  const look = async (kind: keyof typeof took, email: string) => {
    await world.sql('delete from identity.sign_in_bucket'); // the address would be shut out
    const beganAt = performance.now();
    await signIn(email);
    took[kind].push(performance.now() - beganAt);
  };
  for (let i = 0; i < MAILS; i++) {
    await look('known', String(rows[i % rows.length].email));
    await look('unknown', `nobody-${randomUUID()}@northwind.example`);
  }
  const [known, unknown] = [median(took.known), median(took.unknown)];
  return {
    what: 'a wrong password for a mail that is known against one that is not, medians',
    figure: `${known.toFixed(1)} and ${unknown.toFixed(1)} ms`,
    bound: `within ${MAILS_BOUND_MS} ms`,
    holds: Math.abs(known - unknown) <= MAILS_BOUND_MS,
  };
}

/**
 * The probability that two samples of one distribution differ as much as these do: the two-sided Mann–Whitney U test by its
 * normal approximation, which holds from some twenty values on (Mann, Whitney: Annals of Mathematical Statistics 18, 1947).
 */
function rankTest(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((value) => ({ value, isA: true })), ...b.map((value) => ({ value, isA: false }))].sort(
    (one, other) => one.value - other.value,
  );
  const rankSum = all.reduce((sum, { isA }, i) => sum + (isA ? i + 1 : 0), 0);
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const deviation = Math.sqrt((a.length * b.length * (all.length + 1)) / 12);
  return twoSided((u - (a.length * b.length) / 2) / deviation);
}

/** Two-sided tail of the normal distribution: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26. */
function twoSided(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const sum = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return sum * Math.exp(-x * x);
}
