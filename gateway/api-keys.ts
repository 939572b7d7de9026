import { randomUUID } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import { unauthenticated } from '../schema/errors.ts';
import { hashOfKey, isKeyText } from '../subgraphs/_kernel/api-key.ts';
import type { FanOut } from '../subgraphs/_kernel/fan-out.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import { type Ask, confirmGrants } from './ask.ts';
import type { Caller } from './auth.ts';
import { HeldCopies } from './held-copies.ts';

/** What identity says of a key: whose it is, whether it opens anything, and what. */
interface KeyGrant {
  hash: string;
  keyId: string;
  tenantId: string;
  isWorking: boolean;
  catalogue: string;
  bits: string;
  addresses: string[];
  requestsPerSecond: number;
  expiresAt: number;
}

export interface Keyring {
  /** The caller a key names. Throws UNAUTHENTICATED for a broken, unknown or ended one, and from a foreign network. */
  callerOf(key: string, address: string): Promise<Caller>;
  /** The same caller with what the key opens now; throws when it has ended. */
  renew(caller: Caller): Promise<Caller>;
  isAsBefore(caller: Caller): boolean;
  onChange(caller: Caller, changed: () => void): () => void;
  readonly isFresh: boolean;
  refresh(): Promise<void>;
  close(): Promise<void>;
}

const GRANT = '{ hash keyId tenantId isWorking catalogue bits addresses requestsPerSecond expiresAt }';
/** How the feed names keys. */
const KEY = 'key:';
/** Known keys go on this long while identity is away, milliseconds. */
const PATIENCE_MS = 300_000;
const HOUR_MS = 3_600_000;
/** Which keys were used is told identity this often, milliseconds. */
const NOTE_MS = 1_000;
/** Keys told of at once. */
const MAX_NOTED = 500;

/** Knows programs by their API key. What keys open is held in memory by their hash, live by identity's feed. */
export function holdApiKeys(ask: Ask, fanOut: FanOut, log: Logger, now?: () => number): Keyring {
  const nodeId = randomUUID();
  const hashOf = new Map<string, string>();
  const held = new HeldCopies<KeyGrant>(
    {
      feed: 'grants',
      async load(hashes) {
        const { keyGrants } = await ask<{ keyGrants: KeyGrant[] }>(
          'identity',
          `query($hashes: [String!]!) { keyGrants(hashes: $hashes) ${GRANT} }`,
          { hashes },
        );
        for (const { keyId, hash } of keyGrants) hashOf.set(keyId, hash);
        return new Map(keyGrants.map((grant) => [grant.hash, grant]));
      },
      dropped: (_hash, { keyId }) => void hashOf.delete(keyId),
      async readFeed(afterSeq, first) {
        const { grantFeed } = await ask<{ grantFeed: { head: number; subjects: string[] } }>(
          'identity',
          'query($afterSeq: Int!, $first: Int!) { grantFeed(afterSeq: $afterSeq, first: $first) { head subjects } }',
          { afterSeq, first },
        );
        const ids = grantFeed.subjects
          .filter((subject) => subject.startsWith(KEY))
          .map((subject) => subject.slice(KEY.length));
        const changed = ids.flatMap((id) => hashOf.get(id) ?? []).map((hash) => [hash, undefined] as const);
        return { head: grantFeed.head, changed, mayConcernLoading: ids.length > 0 };
      },
      confirm: (seq) => confirmGrants(ask, nodeId, seq),
      patienceMs: PATIENCE_MS,
      maxHeld: 50_000,
    },
    fanOut,
    log,
    now,
  );
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
    get isFresh() {
      return held.isFresh;
    },
    refresh: () => held.refresh(),
    async close() {
      clearInterval(timer);
      await Promise.all([held.close(), tellUse()]);
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
