import { Resolver } from 'node:dns/promises';
import type { Config } from './config.ts';

/** What name servers say. */
export interface Dns {
  /** The TXT records of a name, each as one text; none where there is no such name or nobody answers. */
  txt(name: string): Promise<string[]>;
}

/** How long a name server is waited for, milliseconds. */
const RESOLVE_MS = 3_000;

const publicDns: Dns = {
  async txt(name) {
    const found = await new Resolver({ timeout: RESOLVE_MS, tries: 2 }).resolveTxt(name).catch(() => []);
    return found.map((parts) => parts.join(''));
  },
};

const fakeRecords = new Map<string, string[]>();

/** In development and test no question leaves the process. */
const fakeDns: Dns = { txt: async (name) => fakeRecords.get(name) ?? [] };

/** What the fake says of a name from now on. */
export const setTxt = (name: string, records: readonly string[]): void => void fakeRecords.set(name, [...records]);

export const dnsOf = ({ NODE_ENV }: Pick<Config, 'NODE_ENV'>): Dns => (NODE_ENV === 'production' ? publicDns : fakeDns);
