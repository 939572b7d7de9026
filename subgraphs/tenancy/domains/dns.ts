import { Resolver } from 'node:dns/promises';
import type { Config } from '../../_kernel/config.ts';

/** The names of the platform, at whoever serves them. Each call may be repeated. */
export interface Dns {
  /** Makes a host below the platform's domain lead to the platform. Throws when that is refused. */
  point(host: string): Promise<void>;
  /** Takes such a host away; one that is not there is no error. */
  remove(host: string): Promise<void>;
}

/** How long a resolver is waited for, milliseconds. */
const RESOLVE_MS = 5_000;

/** In production a wildcard record leads every host below the platform's domain to it: all there is to do is to look. */
const wildcardDns: Dns = {
  async point(host) {
    await new Resolver({ timeout: RESOLVE_MS, tries: 2 }).resolve4(host);
  },
  async remove() {},
};

/** Hosts the fake lets pass although their name says that they are refused. */
const letPass = new Set<string>();

/** In development and test no name leaves the process; hosts that begin with `refuse-` are refused. */
const fakeDns: Dns = {
  async point(host) {
    if (host.startsWith('refuse-') && !letPass.has(host)) throw new Error('The name server refuses this host.');
  },
  async remove() {},
};

/** Lets the fake take a host it refused. */
export const letHostPass = (host: string): void => void letPass.add(host);

export const dnsOf = ({ NODE_ENV }: Pick<Config, 'NODE_ENV'>): Dns =>
  NODE_ENV === 'production' ? wildcardDns : fakeDns;
