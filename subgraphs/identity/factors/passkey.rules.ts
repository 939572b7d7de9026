import { isIP } from 'node:net';
import { Refusal } from '../../../schema/errors.ts';
import { wrongAnswer } from './challenge.rules.ts';

/** The host passkeys of a portal are for; null for an address, which can have none. */
export function hostOf(origin: string): string | null {
  const { hostname } = new URL(origin);
  return isIP(hostname.replace(/^\[|\]$/g, '')) ? null : hostname;
}

/** What a browser's passkey answered, from its JSON. Refuses INVALID for what is none. */
export function readAnswer<A extends { id: string }>(typed: string): A {
  try {
    const answer = JSON.parse(typed);
    if (typeof answer?.id === 'string' && typeof answer.response === 'object') return answer;
  } catch {
    // falls through to the refusal
  }
  throw wrongAnswer('passkey');
}

const MAX_PASSKEYS = 10;

/** Refuses LIMIT_REACHED for whoever has enough. */
export function checkRoom(count: number): void {
  if (count >= MAX_PASSKEYS) throw new Refusal('LIMIT_REACHED', `A person has at most ${MAX_PASSKEYS} passkeys.`);
}
