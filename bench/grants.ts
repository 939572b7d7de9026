import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createAuthenticator } from '../gateway/auth.ts';
import { PERMISSIONS, packPermissions } from '../schema/permissions.ts';
import type { Config } from '../subgraphs/_kernel/config.ts';
import { createLog } from '../subgraphs/_kernel/telemetry.ts';
import { type OwnRoles, permissionsOfRole } from '../subgraphs/identity/roles/role.rules.ts';
import { percentile, type Result } from './setup.ts';

const GRANTS = 100_000;
const GRANTS_BOUND_MB = 60;
const ROLES = 50;
/** What the bound for expanding them was set for. */
const CATALOGUE = 400;
const EXPANSION_BOUND_MS = 5;
const ROUNDS = 200;

/** What a gateway's memory of who may what takes, and what it takes to find out what a tenant's own roles allow. */
export async function grants(): Promise<Result[]> {
  return [await heldGrants(), expansion()];
}

/** Sessions of 100,000 people as identity tells of them, read and kept as a gateway does. */
async function heldGrants(): Promise<Result> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const answers: [of: string, answer: (variables: Record<string, unknown>) => object][] = [
    ['redeemSocketTicket', ({ ticket }) => ({ sessionId: ticket, membershipId: `m-${ticket}`, expiresAt })],
    ['grantFeed', () => ({ head: 0, subjects: [] })],
    ['tokenKeys', () => []],
    ['confirmGrants', () => ({})],
    ['grants', ({ ids }) => (ids as string[]).map(grantOf)],
  ];
  const ask = async <T>(_subgraph: string, query: string, variables: Record<string, unknown> = {}): Promise<T> => {
    const [name, answer] = answers.find(([of]) => query.includes(`${of}(`) || query.includes(`{ ${of} `)) ?? [];
    if (!name || !answer) throw new Error(`Nobody answers ${query}`);
    return JSON.parse(JSON.stringify({ [name]: answer(variables) }));
  };
  const fanOut = { onFeed: () => () => undefined } as never;
  const auth = createAuthenticator(ask, fanOut, createLog({ LOG_LEVEL: 'silent' } as Config, 'bench'), 'https://bench');
  const sessions = Array.from({ length: GRANTS }, () => randomUUID());
  await auth.redeem(sessions[0] as string);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (const session of sessions) await auth.redeem(session);
  collect();
  const heldMb = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  const { userId } = await auth.redeem(sessions.at(-1) as string);
  await auth.close();
  return {
    what: `memory of ${GRANTS.toLocaleString('en')} grants in a gateway`,
    figure: `${heldMb.toFixed(0)} MB (${((heldMb * 2 ** 20) / GRANTS).toFixed(0)} bytes each)`,
    bound: `≤ ${GRANTS_BOUND_MB} MB`,
    holds: heldMb <= GRANTS_BOUND_MB && userId !== null,
  };
}

const HELD = packPermissions(PERMISSIONS.filter((_, i) => i % 2 === 0));

const grantOf = (sessionId: string) => ({
  ...{ sessionId, state: 'ACTIVE', endReason: null, userId: randomUUID(), membershipId: `m-${sessionId}` },
  ...{ membershipVersion: 1, membershipState: 'ACTIVE', tenantId: randomUUID(), kind: 'STAFF', customerId: null },
  ...{ ...HELD, strongAt: 1_790_000_000, proofs: ['PASSWORD', 'TOTP'], provedMail: randomUUID(), mustDo: [] },
  ...{ operatorId: null, mode: null, hangsOn: [`membership:m-${sessionId}`] },
});

/** As many own roles as a tenant may have, three on one another, with five patterns each, all of them expanded. */
function expansion(): Result {
  const own: OwnRoles = new Map(
    Array.from({ length: ROLES }, (_, i) => {
      const basedOn = i % 3 === 0 ? 'support_agent' : `role_${i - 1}`;
      const adds = [
        'billing.invoice.*',
        'network.inventory.manage',
        `${PERMISSIONS[i]}`,
        'tickets.ticket.*',
        '*.*.read',
      ];
      return [
        `role_${i}`,
        { key: `role_${i}`, name: `Role ${i}`, basedOn, adds, removes: ['identity.*'], maxMembers: null },
      ];
    }),
  );
  const took: number[] = [];
  let allowed = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const beganAt = performance.now();
    for (const key of own.keys()) allowed += permissionsOfRole(key, own).size;
    took.push(performance.now() - beganAt);
  }
  const [p50, p99] = [percentile(took, 0.5), percentile(took, 0.99)];
  const boundMs = (EXPANSION_BOUND_MS * PERMISSIONS.length) / CATALOGUE;
  return {
    what: `expansion of ${ROLES} roles × ${PERMISSIONS.length} permissions, median (p99)`,
    figure: `${p50.toFixed(2)} ms (${p99.toFixed(2)} ms)`,
    bound: `≤ ${boundMs.toFixed(2)} ms, which is ${EXPANSION_BOUND_MS} ms for ${CATALOGUE} permissions`,
    holds: p50 <= boundMs && allowed > 0,
  };
}
