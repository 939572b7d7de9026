import { Resolver } from 'node:dns/promises';
import type { Config } from './config.ts';

/** What name servers say, and the names of tenants below the platform's. Each call may be repeated. */
export interface Dns {
  /** The records of a name that every resolver sees, each as one text. Throws when one of them does not answer. */
  seen(type: 'TXT' | 'CNAME', name: string): Promise<string[]>;
  /** Makes a host below the platform's domain lead to the platform. Throws when that is refused. */
  point(host: string): Promise<void>;
  /** Takes such a host away; one that is not there is no error. */
  remove(host: string): Promise<void>;
}

/** How long a resolver is waited for, milliseconds. */
const RESOLVE_MS = 5_000;
const MISSING = ['ENOTFOUND', 'ENODATA'];

/** In production a wildcard record leads every host below the platform's domain to it: all there is to do is to look. */
const realDns = ({ DNS_RESOLVERS }: Pick<Config, 'DNS_RESOLVERS'>): Dns => ({
  async seen(type, name) {
    const [first = [], ...others] = await Promise.all(DNS_RESOLVERS.map((server) => seenBy(server, type, name)));
    return first.filter((value) => others.every((values) => values.includes(value)));
  },
  async point(host) {
    await new Resolver({ timeout: RESOLVE_MS, tries: 2 }).resolve4(host);
  },
  async remove() {},
});

/** The records of a name as one resolver sees them. */
async function seenBy(server: string, type: 'TXT' | 'CNAME', name: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: RESOLVE_MS, tries: 2 });
  resolver.setServers([server]);
  try {
    if (type === 'TXT') return (await resolver.resolveTxt(name)).map((parts) => parts.join(''));
    return (await resolver.resolveCname(name)).map((host) => host.toLowerCase().replace(/\.$/, ''));
  } catch (error) {
    if (MISSING.includes(String((error as NodeJS.ErrnoException).code))) return [];
    throw error;
  }
}

/** What the fake's records hold, by name. */
const published = new Map<string, readonly string[]>();
/** Hosts the fake lets pass although their name says that they are refused. */
const letPass = new Set<string>();

/** In development and test no name leaves the process; hosts that begin with `refuse-` are refused. */
const fakeDns: Dns = {
  seen: async (_type, name) => [...(published.get(name) ?? [])],
  async point(host) {
    if (host.startsWith('refuse-') && !letPass.has(host)) throw new Error('The name server refuses this host.');
  },
  async remove() {},
};

/** What the fake says of a name from now on. */
export const setRecords = (name: string, values: readonly string[]): void => void published.set(name, [...values]);

/** Lets the fake show one record more. */
export const publishRecord = (name: string, value: string): void =>
  setRecords(name, [...(published.get(name) ?? []), value]);

/** Lets the fake take a host it refused. */
export const letHostPass = (host: string): void => void letPass.add(host);

export const dnsOf = (config: Pick<Config, 'NODE_ENV' | 'DNS_RESOLVERS'>): Dns =>
  config.NODE_ENV === 'production' ? realDns(config) : fakeDns;
