import { Resolver } from 'node:dns/promises';
import type { Config } from '../../_kernel/config.ts';
import type { ProofMethod } from './tenant-domain.rules.ts';

/** The names of the platform and of its tenants, at whoever serves them. Each call may be repeated. */
export interface Dns {
  /** Makes a host below the platform's domain lead to the platform. Throws when that is refused. */
  point(host: string): Promise<void>;
  /** Takes such a host away; one that is not there is no error. */
  remove(host: string): Promise<void>;
  /** Whether every resolver sees a record with this value. Throws when one of them does not answer. */
  shows(method: ProofMethod, name: string, value: string): Promise<boolean>;
}

/** How long a resolver is waited for, milliseconds. */
const RESOLVE_MS = 5_000;
const MISSING = ['ENOTFOUND', 'ENODATA'];

/** In production a wildcard record leads every host below the platform's domain to it: all there is to do is to look. */
const realDns = ({ DNS_RESOLVERS }: Pick<Config, 'DNS_RESOLVERS'>): Dns => ({
  async point(host) {
    await new Resolver({ timeout: RESOLVE_MS, tries: 2 }).resolve4(host);
  },
  async remove() {},
  async shows(method, name, value) {
    const seen = await Promise.all(DNS_RESOLVERS.map((server) => valuesAt(server, method, name)));
    return seen.every((values) => values.includes(value));
  },
});

/** The values of a record as one resolver sees it. */
async function valuesAt(server: string, method: ProofMethod, name: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: RESOLVE_MS, tries: 2 });
  resolver.setServers([server]);
  try {
    if (method === 'DNS_TXT') return (await resolver.resolveTxt(name)).map((parts) => parts.join(''));
    return (await resolver.resolveCname(name)).map((host) => host.toLowerCase().replace(/\.$/, ''));
  } catch (error) {
    if (MISSING.includes(String((error as NodeJS.ErrnoException).code))) return [];
    throw error;
  }
}

/** Hosts the fake lets pass although their name says that they are refused. */
const letPass = new Set<string>();
/** What the fake's records hold, by name. */
const published = new Map<string, Set<string>>();

/** In development and test no name leaves the process; hosts that begin with `refuse-` are refused. */
const fakeDns: Dns = {
  async point(host) {
    if (host.startsWith('refuse-') && !letPass.has(host)) throw new Error('The name server refuses this host.');
  },
  async remove() {},
  async shows(_method, name, value) {
    return published.get(name)?.has(value) ?? false;
  },
};

/** Lets the fake take a host it refused. */
export const letHostPass = (host: string): void => void letPass.add(host);

/** Lets the fake show a record. */
export const publishRecord = (name: string, value: string): void =>
  void published.set(name, new Set([...(published.get(name) ?? []), value]));

/** Takes all records of a name from the fake. */
export const withdrawRecords = (name: string): void => void published.delete(name);

export const dnsOf = (config: Pick<Config, 'NODE_ENV' | 'DNS_RESOLVERS'>): Dns =>
  config.NODE_ENV === 'production' ? realDns(config) : fakeDns;
