import { isIP } from 'node:net';
import { ClientError } from '../schema/errors.ts';
import type { FanOut } from '../subgraphs/_kernel/fan-out.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { Ask } from './ask.ts';
import type { Caller } from './auth.ts';
import { HeldCopies } from './held-copies.ts';

/** Whose the names are under which clients come. */
export interface Hosts {
  /** Throws FORBIDDEN, reason HOST_MISMATCH, for a caller of one tenant under the name of another (tenancy R1). */
  check(host: string | undefined, caller: Pick<Caller, 'tenantId'>): Promise<void>;
  refresh(): Promise<void>;
  close(): Promise<void>;
}

interface Owner {
  tenantId: string;
}

/** Knows whose hosts are, live by tenancy's feed; a host that is nobody's chooses nothing. */
export function holdHosts(ask: Ask, fanOut: FanOut, log: Logger, publicUrl: string): Hosts {
  const own = new URL(publicUrl).hostname;
  const owners = new HeldCopies<Owner>(
    {
      feed: 'hosts',
      async load(hosts) {
        const { hostOwners } = await ask<{ hostOwners: { host: string; tenantId: string }[] }>(
          'tenancy',
          'query($hosts: [String!]!) { hostOwners(hosts: $hosts) { host tenantId } }',
          { hosts },
        );
        return new Map(hostOwners.map(({ host, tenantId }) => [host, { tenantId }]));
      },
      async readFeed(afterSeq, first) {
        const { hostFeed } = await ask<{ hostFeed: { head: number; hosts: string[] } }>(
          'tenancy',
          'query($afterSeq: Int!, $first: Int!) { hostFeed(afterSeq: $afterSeq, first: $first) { head hosts } }',
          { afterSeq, first },
        );
        return { head: hostFeed.head, changed: hostFeed.hosts.map((host) => [host, undefined] as const) };
      },
      patienceMs: 15 * 60_000,
      maxHeld: 50_000,
    },
    fanOut,
    log,
  );
  return {
    async check(given, { tenantId }) {
      const host = given && nameIn(given);
      if (!tenantId || !host || host === own) return;
      const owner = await owners.get(host);
      if (owner && owner.tenantId !== tenantId)
        throw new ClientError('FORBIDDEN', 'You are not signed in here.', { reason: 'HOST_MISMATCH' });
    },
    refresh: () => owners.refresh(),
    close: () => owners.close(),
  };
}

const MAX_NAME = 253;

/** The name in a Host header; undefined for an address, a single label, and what is too long for a name. */
function nameIn(header: string): string | undefined {
  const name = header.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
  return name.length <= MAX_NAME && name.includes('.') && isIP(name) === 0 ? name : undefined;
}
