import { domainToASCII } from 'node:url';
import { Refusal } from '../../../schema/errors.ts';
import { trimmed } from '../../../schema/words.ts';

export type EmailDomainState = 'PENDING' | 'PROVED' | 'LOST';

/** Domains a tenant may claim. */
export const MAX_DOMAINS = 20;
/** Checks in a row that find nothing and lose a proved domain. */
const MOST_FAILURES = 3;

const HOST = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** A domain as mails spell it, lower-case ASCII. Refuses INVALID for what is none. */
export function checkDomain(typed: string): string {
  const domain = domainToASCII(trimmed(typed)).toLowerCase();
  if (!HOST.test(domain)) throw new Refusal('INVALID', 'A domain looks like example.com.', 'domain');
  return domain;
}

/** Where the proof stands, and what it says. */
export const recordName = (domain: string): string => `_isp-login.${domain}`;
export const recordValue = (token: string): string => `isp-login=${token}`;

export interface DomainStanding {
  state: EmailDomainState;
  failures: number;
}

/** What a daily check makes of a domain: three in a row that find nothing lose it, one that finds it brings it back. */
export function standingAfter({ state, failures }: DomainStanding, isFound: boolean): DomainStanding {
  if (isFound) return { state: 'PROVED', failures: 0 };
  const missed = failures + 1;
  return { state: state === 'PROVED' && missed >= MOST_FAILURES ? 'LOST' : state, failures: missed };
}

export const notProved = (field: string) => new Refusal('CONFLICT', 'This domain is not proved.', field);
