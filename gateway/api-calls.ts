import { randomUUID } from 'node:crypto';
import { ClientError } from '../schema/errors.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { Ask } from './ask.ts';
import type { Caller } from './auth.ts';

/** Calls leased at once at most. A tenant begins with one, and as it goes on gets twice as many each time. */
const MAX_LEASE = 100;
/** A lease is held this long; what is left of it then is given back. Looked after each second, so within 5; milliseconds. */
const HELD_MS = 3_000;
const TICK_MS = 1_000;

interface Lease {
  id: string;
  granted: number;
  left: number;
  since: number;
}

interface Tenant {
  lease?: Lease;
  /** How many calls were leased last. */
  size: number;
  asking?: Promise<void>;
}

interface Answer {
  granted: number;
  message: string | null;
  limit: string | null;
  used: string | null;
  resetsAt: string | null;
}

/** Counts what machines ask: operations by API key or installation, not those of people at a portal (licensing R19). */
export interface ApiCalls {
  /** Counts one accepted operation of the caller. Throws QUOTA_EXCEEDED when the licence leaves none. */
  take(caller: Pick<Caller, 'kind' | 'tenantId'>): Promise<void>;
  /** Gives back every call that was leased and not made. */
  close(): Promise<void>;
}

/**
 * Counts calls out of leases from licensing, so that a call waits for it once in a hundred. What is leased counts as
 * used, so that however many gateways there are, a limit is never passed; one that dies loses its lease.
 */
export function holdApiCalls(ask: Ask, log: Logger): ApiCalls {
  const tenants = new Map<string, Tenant>();
  /** Leases whose rest is not given back yet. */
  const owed = new Map<Lease, string>();

  async function renew(tenantId: string, tenant: Tenant): Promise<void> {
    if (tenant.lease) tenant.size = Math.min(MAX_LEASE, tenant.size * 2); // it was used up in its time
    const id = randomUUID();
    const since = performance.now();
    const { leaseApiCalls: answer } = await ask<{ leaseApiCalls: Answer }>(
      'licensing',
      `mutation($tenantId: ID!, $leaseId: ID!, $amount: Int!) {
        leaseApiCalls(tenantId: $tenantId, leaseId: $leaseId, amount: $amount) { granted message limit used resetsAt } }`,
      { tenantId, leaseId: id, amount: tenant.size },
    );
    const { granted, message, limit, used, resetsAt } = answer;
    if (granted === 0)
      throw new ClientError('QUOTA_EXCEEDED', String(message), { key: 'api_calls', limit, used, resetsAt });
    tenant.lease = { id, granted, left: granted, since };
  }

  async function giveBack(): Promise<void> {
    await Promise.all(
      [...owed].map(async ([lease, tenantId]) => {
        const { id: leaseId, granted, left: unused } = lease;
        await ask(
          'licensing',
          `mutation($tenantId: ID!, $leaseId: ID!, $granted: Int!, $unused: Int!) {
            returnApiCalls(tenantId: $tenantId, leaseId: $leaseId, granted: $granted, unused: $unused) }`,
          { tenantId, leaseId, granted, unused },
        ).then(
          () => owed.delete(lease),
          (error: Error) => log.warn({ tenantId, error: error.message }, 'calls could not be given back yet'),
        );
      }),
    );
  }

  function endLeases(isOver: (lease: Lease) => boolean): Promise<void> {
    for (const [tenantId, tenant] of tenants) {
      const { lease, asking } = tenant;
      if (asking || (lease && !isOver(lease))) continue;
      if (lease && lease.left > 0) owed.set(lease, tenantId);
      if (!lease || lease.left === lease.granted) tenants.delete(tenantId);
      else Object.assign(tenant, { lease: undefined, size: lease.granted - lease.left });
    }
    return giveBack();
  }

  const timer = setInterval(() => void endLeases(({ since }) => performance.now() - since >= HELD_MS), TICK_MS);
  timer.unref();

  return {
    async take({ kind, tenantId }) {
      if ((kind !== 'API_KEY' && kind !== 'INSTALLATION') || !tenantId) return;
      for (;;) {
        const tenant: Tenant = tenants.get(tenantId) ?? { size: 1 };
        tenants.set(tenantId, tenant);
        if (tenant.lease && tenant.lease.left > 0) {
          tenant.lease.left -= 1;
          return;
        }
        tenant.asking ??= renew(tenantId, tenant).finally(() => {
          tenant.asking = undefined;
        });
        await tenant.asking;
      }
    },
    async close() {
      clearInterval(timer);
      await endLeases(() => true);
    },
  };
}
