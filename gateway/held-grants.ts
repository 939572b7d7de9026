import { randomUUID } from 'node:crypto';
import type { FanOut } from '../subgraphs/_kernel/fan-out.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import { type Ask, confirmGrants } from './ask.ts';
import { Hangings } from './hangings.ts';
import { HeldCopies } from './held-copies.ts';

/** What identity says of a session: whose it is, where, and with which rights. */
export interface Grant {
  sessionId: string;
  state: 'ACTIVE' | 'ENDED';
  endReason: string | null;
  userId: string;
  membershipId: string | null;
  membershipVersion: number | null;
  membershipState: string | null;
  tenantId: string | null;
  kind: string | null;
  customerId: string | null;
  catalogue: string;
  bits: string;
  strongAt: number | null;
  proofs: string[];
  provedMail: string | null;
  mustDo: string[];
  operatorId: string | null;
  mode: 'READ' | 'ACT' | null;
  /** Subjects of the feed that change it beside its own. */
  hangsOn: string[];
}

/** What identity says of a key: whose it is, whether it opens anything, and what. */
export interface KeyGrant {
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

/** What is held of one kind of who asks. */
export interface Held<T> {
  /** The copy of one, null if there is none. Throws SUBGRAPH_UNAVAILABLE when nothing is known and nobody answers. */
  get(id: string): Promise<T | null>;
  /** The copy as it is held, fresh or not. */
  held(id: string): T | null | undefined;
  /** Calls back when it was replaced or dropped. Returns how to stop. */
  onChange(id: string, changed: () => void): () => void;
}

/** Who may what, by session and by the hash of an API key. */
export interface HeldGrants extends Pick<HeldCopies<unknown>, 'isFresh' | 'refresh' | 'close'> {
  sessions: Held<Grant>;
  keys: Held<KeyGrant>;
}

const GRANT =
  '{ sessionId state endReason userId membershipId membershipVersion membershipState tenantId kind customerId catalogue bits strongAt proofs provedMail mustDo operatorId mode hangsOn }';
const KEY_GRANT = '{ hash keyId tenantId isWorking catalogue bits addresses requestsPerSecond expiresAt }';
/** Sessions and keys known go on this long while identity is away, milliseconds: the life of a token. */
const PATIENCE_MS = 300_000;
/** What the feed calls the keys tokens are signed with. */
const TOKEN_KEYS = 'token_keys:all';
const MAX_HELD = 150_000;

/** The names of copies; a session is called in the feed as it is here. */
const SESSION = 'session:';
const HASH = 'hash:';
const without = (prefix: string, ids: readonly string[]) =>
  ids.filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length));
/** What changes a copy beside its own name in the feed. */
const subjectsOf = (grant: Grant | KeyGrant) => ('hash' in grant ? [`key:${grant.keyId}`] : grant.hangsOn);

/**
 * Holds who may what, live by identity's feed.
 * @param renewKeys fetches the keys tokens are signed with: when they changed, and when the feed is begun anew, for nobody
 *   knows then what was before.
 */
export function holdGrants(
  ask: Ask,
  fanOut: FanOut,
  log: Logger,
  renewKeys: () => Promise<void>,
  now?: () => number,
): HeldGrants {
  const nodeId = randomUUID();
  const hangings = new Hangings();
  const copies = new HeldCopies<Grant | KeyGrant>(
    {
      feed: 'grants',
      async load(ids) {
        const found = new Map<string, Grant | KeyGrant>();
        for (const grant of await askSessions(ask, without(SESSION, ids))) found.set(SESSION + grant.sessionId, grant);
        for (const grant of await askKeys(ask, without(HASH, ids))) found.set(HASH + grant.hash, grant);
        for (const [id, grant] of found) for (const subject of subjectsOf(grant)) hangings.add(subject, id);
        return found;
      },
      dropped(id, grant) {
        for (const subject of subjectsOf(grant)) hangings.remove(subject, id);
      },
      async readFeed(afterSeq, first) {
        const { grantFeed } = await ask<{ grantFeed: { head: number; subjects: string[] } }>(
          'identity',
          'query($afterSeq: Int!, $first: Int!) { grantFeed(afterSeq: $afterSeq, first: $first) { head subjects } }',
          { afterSeq, first },
        );
        const { head, subjects } = grantFeed;
        if (first === 0 || subjects.includes(TOKEN_KEYS)) await renewKeys();
        const stopped = subjects.flatMap((subject) => [subject, ...hangings.of(subject)]);
        return { head, changed: stopped.map((id) => [id, undefined] as const), mayConcernLoading: subjects.length > 0 };
      },
      confirm: (seq) => confirmGrants(ask, nodeId, seq),
      patienceMs: PATIENCE_MS,
      maxHeld: MAX_HELD,
    },
    fanOut,
    log,
    now,
  );
  const heldUnder = <T extends Grant | KeyGrant>(prefix: string): Held<T> => ({
    get: (id) => copies.get(prefix + id) as Promise<T | null>,
    held: (id) => copies.held(prefix + id) as T | null | undefined,
    onChange: (id, changed) => copies.onChange(prefix + id, changed),
  });
  return {
    sessions: heldUnder<Grant>(SESSION),
    keys: heldUnder<KeyGrant>(HASH),
    get isFresh() {
      return copies.isFresh;
    },
    refresh: () => copies.refresh(),
    close: () => copies.close(),
  };
}

async function askSessions(ask: Ask, ids: readonly string[]): Promise<Grant[]> {
  if (ids.length === 0) return [];
  const query = `query($ids: [ID!]!) { grants(sessionIds: $ids) ${GRANT} }`;
  return (await ask<{ grants: Grant[] }>('identity', query, { ids })).grants;
}

async function askKeys(ask: Ask, hashes: readonly string[]): Promise<KeyGrant[]> {
  if (hashes.length === 0) return [];
  const query = `query($hashes: [String!]!) { keyGrants(hashes: $hashes) ${KEY_GRANT} }`;
  return (await ask<{ keyGrants: KeyGrant[] }>('identity', query, { hashes })).keyGrants;
}
