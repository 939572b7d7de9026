import { BlockList, isIPv6 } from 'node:net';
import { unauthenticated } from '../schema/errors.ts';
import { hashOfKey, isKeyText } from '../subgraphs/_kernel/api-key.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import type { Ask } from './ask.ts';
import type { Caller } from './auth.ts';
import type { Held, KeyGrant } from './held-grants.ts';

/** Knows programs by their API key. */
export interface Keyring {
  /** The caller a key names. Throws UNAUTHENTICATED for a broken, unknown or ended one, and from a foreign network. */
  callerOf(key: string, address: string): Promise<Caller>;
  /** The same caller with what the key opens now; throws when it has ended. */
  renew(caller: Caller): Promise<Caller>;
  isAsBefore(caller: Caller): boolean;
  onChange(caller: Caller, changed: () => void): () => void;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;
/** Which keys were used is told identity this often, milliseconds. */
const NOTE_MS = 1_000;
/** Keys told of at once. */
const MAX_NOTED = 500;

/** @param held what keys open, by their hash. */
export function holdApiKeys(ask: Ask, log: Logger, held: Held<KeyGrant>): Keyring {
  const madeFrom = new WeakMap<Caller, KeyGrant>();
  /** The networks of each held copy, ready to be asked. */
  const networksOf = new WeakMap<KeyGrant, BlockList>();
  const isWithin = (address: string, grant: KeyGrant): boolean => {
    if (grant.addresses.length === 0) return true;
    const networks = networksOf.get(grant) ?? listOf(grant.addresses);
    networksOf.set(grant, networks);
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
    return networks.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  };

  function caller(grant: KeyGrant): Caller {
    const { keyId, tenantId, catalogue, bits, requestsPerSecond, expiresAt } = grant;
    const made: Caller = {
      kind: 'API_KEY',
      ...{ userId: null, keyId, sessionId: null, membershipId: null, tenantId, customerId: null, strongAt: null },
      permissions: { catalogue, bits },
      proofs: [],
      mustDo: [],
      requestsPerSecond,
      expiresAt,
    };
    madeFrom.set(made, grant);
    return made;
  }

  async function working(hash: string): Promise<KeyGrant> {
    const grant = await held.get(hash);
    if (!grant) throw unauthenticated();
    if (grant.expiresAt <= Date.now()) throw unauthenticated('EXPIRED');
    if (!grant.isWorking) throw unauthenticated('REVOKED');
    return grant;
  }

  const notedAt = new Map<string, number>();
  const toNote = new Set<string>();
  function noteUse(keyId: string): void {
    const hour = Math.floor(Date.now() / HOUR_MS);
    if (notedAt.get(keyId) === hour) return;
    if (notedAt.size >= MAX_KNOWN_KEYS) notedAt.clear();
    notedAt.set(keyId, hour);
    toNote.add(keyId);
  }
  async function tellUse(): Promise<void> {
    const keyIds = [...toNote].slice(0, MAX_NOTED);
    if (keyIds.length === 0) return;
    for (const id of keyIds) toNote.delete(id);
    await ask('identity', 'mutation($keyIds: [ID!]!) { noteKeyUse(keyIds: $keyIds) }', { keyIds }).catch(
      (error: Error) => log.warn({ error: error.message }, 'the use of keys could not be noted'),
    );
  }
  const timer = setInterval(() => void tellUse(), NOTE_MS);
  timer.unref();

  return {
    async callerOf(key, address) {
      if (!isKeyText(key)) throw unauthenticated();
      const grant = await working(hashOfKey(key));
      if (!isWithin(address, grant)) throw unauthenticated();
      noteUse(grant.keyId);
      return caller(grant);
    },
    async renew(asked) {
      const grant = await working(madeFrom.get(asked)?.hash ?? '');
      return madeFrom.get(asked) === grant ? asked : caller(grant);
    },
    isAsBefore: (asked) => held.held(madeFrom.get(asked)?.hash ?? '') === madeFrom.get(asked),
    onChange: (asked, changed) => held.onChange(madeFrom.get(asked)?.hash ?? '', changed),
    async close() {
      clearInterval(timer);
      await tellUse();
    },
  };
}

const MAX_KNOWN_KEYS = 50_000;

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [first = '', bits] = network.split('/');
    list.addSubnet(first, Number(bits), isIPv6(first) ? 'ipv6' : 'ipv4');
  }
  return list;
}
