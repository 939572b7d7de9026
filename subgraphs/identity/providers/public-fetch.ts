import { type LookupAddress, lookup } from 'node:dns';
import { lookup as lookupAll } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, fetch } from 'undici';

/** How long a provider may take to answer one request, milliseconds. */
export const PROVIDER_MS = 3_000;
const MAX_ANSWER = 1024 * 1024;

/** The address leads into somebody's own network, ours or the provider's. */
export class PrivateAddress extends Error {
  override readonly name = 'PrivateAddress';
}

/** Whether anybody on the internet reaches an address. Loopback is let pass in development and test. */
export function isPublic(address: string, allowsLoopback: boolean): boolean {
  const range = ipaddr.process(address).range();
  return range === 'unicast' || (allowsLoopback && range === 'loopback');
}

const hostOf = (url: URL) => url.hostname.replace(/^\[|\]$/g, '');

/** Whether a URL may be asked at all: https, or in development http on this machine. */
export function isSecure(url: URL, allowsLoopback: boolean): boolean {
  if (url.username || url.password) return false;
  if (url.protocol === 'https:') return true;
  const host = hostOf(url);
  const isHere = host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback');
  return allowsLoopback && url.protocol === 'http:' && isHere;
}

/** Whether a URL is secure and every address its host has now is public. A host without address has none. */
export async function leadsOutside(url: URL, allowsLoopback: boolean): Promise<boolean> {
  if (!isSecure(url, allowsLoopback)) return false;
  const host = hostOf(url);
  if (isIP(host)) return isPublic(host, allowsLoopback);
  const found = await lookupAll(host, { all: true }).catch((): LookupAddress[] => []);
  return found.length > 0 && found.every(({ address }) => isPublic(address, allowsLoopback));
}

/** Resolves a name as Node does, and refuses it when an address of it is private: what is checked is what is connected to. */
const checkedLookup =
  (allowsLoopback: boolean): LookupFunction =>
  (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      const isSound = !error && found.every(({ address }) => isPublic(address, allowsLoopback));
      if (error) return done(error, '');
      if (!isSound) return done(new PrivateAddress(`${host} has an address that is not public.`), '');
      if (options.all) return done(null, found);
      const [first] = found;
      return done(null, first?.address ?? '', first?.family);
    });
  };

export type PublicFetch = (url: string, init?: object) => Promise<Response>;

const agents = new Map<boolean, Agent>();

/** The connections to providers, shared by all of them. */
function agentFor(allowsLoopback: boolean): Agent {
  const held = agents.get(allowsLoopback);
  if (held) return held;
  const agent = new Agent({
    connect: { lookup: checkedLookup(allowsLoopback), timeout: PROVIDER_MS },
    headersTimeout: PROVIDER_MS,
    bodyTimeout: PROVIDER_MS,
    maxResponseSize: MAX_ANSWER,
  });
  agents.set(allowsLoopback, agent);
  return agent;
}

/** A `fetch` that reaches public addresses only, follows no redirect and reads no more than a provider has to say. */
export function publicFetch(allowsLoopback: boolean): PublicFetch {
  const dispatcher = agentFor(allowsLoopback);
  return async (text, init = {}) => {
    const url = new URL(text);
    const host = hostOf(url);
    if (!isSecure(url, allowsLoopback) || (isIP(host) && !isPublic(host, allowsLoopback)))
      throw new PrivateAddress(`${url.origin} is not public.`);
    const asked = { signal: AbortSignal.timeout(PROVIDER_MS), ...init, redirect: 'manual' as const, dispatcher };
    return (await fetch(url, asked)) as unknown as Response;
  };
}
