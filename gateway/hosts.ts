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
  /** Where pages under a host are now, an origin: its white label has ended. Null where they are here (tenancy R11). */
  leadsTo(host: string | undefined): Promise<string | null>;
  refresh(): Promise<void>;
  close(): Promise<void>;
}

interface Owner {
  tenantId: string;
  redirectTo: string | null;
  redirectUntil: string | null;
}

const OWNERS = 'query($hosts: [String!]!) { hostOwners(hosts: $hosts) { host tenantId redirectTo redirectUntil } }';

/** Knows whose hosts are, live by tenancy's feed; a host that is nobody's chooses nothing. */
export function holdHosts(ask: Ask, fanOut: FanOut, log: Logger, publicUrl: string): Hosts {
  const own = new URL(publicUrl).hostname;
  const owners = new HeldCopies<Owner>(
    {
      feed: 'hosts',
      async load(hosts) {
        const { hostOwners } = await ask<{ hostOwners: (Owner & { host: string })[] }>('tenancy', OWNERS, { hosts });
        return new Map(hostOwners.map(({ host, ...owner }) => [host, owner]));
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
  const ownerOf = async (given: string | undefined) => {
    const host = given && nameIn(given);
    return host && host !== own ? owners.get(host) : null;
  };
  return {
    async check(given, { tenantId }) {
      const owner = tenantId ? await ownerOf(given) : null;
      if (owner && owner.tenantId !== tenantId)
        throw new ClientError('FORBIDDEN', 'You are not signed in here.', { reason: 'HOST_MISMATCH' });
    },
    async leadsTo(given) {
      const { redirectTo = null, redirectUntil = null } = (await ownerOf(given)) ?? {};
      return redirectUntil !== null && Date.now() < Date.parse(redirectUntil) ? redirectTo : null;
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
