import { badInput } from '../schema/errors.ts';
import type { Ask } from './ask.ts';

export const CALLBACK_PATH = '/auth/callback/';

/** A provider is asked who came, and may be slow, milliseconds. */
const TIMEOUT_MS = 10_000;
const LONGEST_ADDRESS = 8_192;

/** Where a browser goes on to that came back from another provider. Throws BAD_USER_INPUT for a return nobody waits for. */
export type ReturnFrom = (address: string) => Promise<string>;

/** Identity checks what the provider says; here nothing of it is looked at or kept. */
export function oauthReturn(ask: Ask): ReturnFrom {
  return async (address) => {
    const [path = '', query = ''] = address.split(/\?(.*)/s);
    const connection = path.slice(CALLBACK_PATH.length);
    if (address.length > LONGEST_ADDRESS || !/^[\w-]{1,64}$/.test(connection)) throw noLonger();
    const { finishOAuth: location } = await ask<{ finishOAuth: string | null }>(
      'identity',
      'mutation($connection: String!, $query: String!) { finishOAuth(connection: $connection, query: $query) }',
      { connection, query },
      TIMEOUT_MS,
    );
    if (location === null) throw noLonger();
    return location;
  };
}

const noLonger = () => badInput('This link no longer works.');
