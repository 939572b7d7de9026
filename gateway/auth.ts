import { createPublicKey, type KeyObject } from 'node:crypto';
import { ClientError, unauthenticated } from '../schema/errors.ts';
import { type PermissionSet, packPermissions } from '../schema/permissions.ts';
import { type AccessClaims, verifyAccessToken } from '../subgraphs/_kernel/access-token.ts';
import { looksLikeKey } from '../subgraphs/_kernel/api-key.ts';
import type { FanOut } from '../subgraphs/_kernel/fan-out.ts';
import type { CallerKind, Envelope } from '../subgraphs/_kernel/signed-context.ts';
import type { Logger } from '../subgraphs/_kernel/telemetry.ts';
import { holdApiKeys } from './api-keys.ts';
import type { Ask } from './ask.ts';
import { type Grant, holdGrants } from './held-grants.ts';
import { authenticationSeconds } from './metrics.ts';

/** Who sends a request. */
export interface Caller {
  kind: Extract<CallerKind, 'ANONYMOUS' | 'USER' | 'API_KEY' | 'INSTALLATION'>;
  userId: string | null;
  /** Of an API key. */
  keyId: string | null;
  sessionId: string | null;
  membershipId: string | null;
  tenantId: string | null;
  customerId: string | null;
  /** The operator who acts in their name, and how; `sessionId` is the impersonation then. */
  actingFor?: NonNullable<Envelope['actingFor']>;
  permissions: PermissionSet;
  strongAt: number | null;
  /** Operations a second, of an API key. */
  requestsPerSecond?: number;
  /** What they can give a strong proof with. */
  proofs: readonly string[];
  /** Keyed mark of the mail they have proved, of staff. */
  provedMail?: string | null;
  /** What they must do before anything else is open to them. */
  mustDo: readonly string[];
  /** When the token ends, epoch milliseconds. */
  expiresAt: number;
}

/** Whom limits count: a person wherever they sign in, or a key. Undefined for strangers. */
export const principalOf = ({ userId, keyId }: Pick<Caller, 'userId' | 'keyId'>): string | undefined =>
  userId ?? keyId ?? undefined;

export const ANONYMOUS: Caller = {
  kind: 'ANONYMOUS',
  userId: null,
  keyId: null,
  sessionId: null,
  membershipId: null,
  tenantId: null,
  customerId: null,
  permissions: packPermissions([]),
  strongAt: null,
  proofs: [],
  mustDo: [],
  expiresAt: Number.POSITIVE_INFINITY,
};

export interface Authenticator {
  /**
   * The caller an `Authorization` header names, by access token or API key, ANONYMOUS without one. Throws UNAUTHENTICATED
   * for anything not right.
   * @param address it came from.
   */
  authenticate(authorization: string | undefined, address: string): Promise<Caller>;
  /** Ends an API key that was found in an address, where it lies in logs and histories. */
  reportLeak(key: string): Promise<void>;
  /** The caller a socket ticket was made for; it is good once. Throws UNAUTHENTICATED for anything not right. */
  redeem(ticket: string): Promise<Caller>;
  /** The same caller with the rights it has now; throws when it has been stopped or its token has ended. */
  renew(caller: Caller): Promise<Caller>;
  /** Whether what is held of the caller's session is still what they were made from. */
  isAsBefore(caller: Caller): boolean;
  /** Calls back when something about the caller's session or membership changed. */
  onChange(caller: Caller, changed: () => void): () => void;
  keySet(): Promise<object>;
  readonly isFresh: boolean;
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** An unknown key makes us ask identity for its keys, at most this often, milliseconds. */
const REFETCH_MS = 10_000;
/** Tokens whose signature is remembered. */
const MAX_KNOWN = 50_000;

interface KeyRow {
  kid: string;
  publicKey: string;
  state: string;
}

/** Knows callers by their access token. Grants are held in memory, live by identity's feed. */
export function createAuthenticator(
  ask: Ask,
  fanOut: FanOut,
  log: Logger,
  issuer: string,
  now?: () => number,
): Authenticator {
  let keys = new Map<string, KeyObject>();
  let rows: KeyRow[] = [];
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;
  const fetchKeys = () => {
    fetching ??= ask<{ tokenKeys: KeyRow[] }>('identity', '{ tokenKeys { kid publicKey state } }')
      .then(({ tokenKeys }) => {
        rows = tokenKeys;
        const before = keys;
        keys = new Map(
          tokenKeys.map(({ kid, publicKey }) => [
            kid,
            createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' }),
          ]),
        );
        if ([...before.keys()].some((kid) => !keys.has(kid))) known.clear(); // what a key that is gone has signed
        fetchedAt = performance.now();
      })
      .finally(() => {
        fetching = undefined;
      });
    return fetching;
  };
  /** What is being fetched may be from before the change that was heard of. */
  const fetchKeysAnew = async () => {
    await fetching?.catch(() => undefined);
    await fetchKeys();
  };
  const grants = holdGrants(ask, fanOut, log, fetchKeysAnew, now);
  const keyring = holdApiKeys(ask, log, grants.keys);

  const madeFrom = new WeakMap<Caller, Grant>();
  const known = new Map<string, AccessClaims>();
  const verify = async (token: string): Promise<AccessClaims> => {
    const held = known.get(token);
    if (held) return held;
    let isUnknownKey = false;
    const keyOf = (kid: string) => {
      isUnknownKey = !keys.has(kid);
      return keys.get(kid);
    };
    let verdict = verifyAccessToken(token, keyOf, { issuer, now: Date.now() });
    if (isUnknownKey && performance.now() - fetchedAt > REFETCH_MS) {
      await fetchKeys();
      verdict = verifyAccessToken(token, keyOf, { issuer, now: Date.now() });
    }
    if (!verdict.claims) throw unauthenticated(verdict.refused === 'EXPIRED' ? 'EXPIRED' : undefined);
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value as string);
    known.set(token, verdict.claims);
    return verdict.claims;
  };

  /** A token is as good as its session: ended, switched to another tenant or suspended there, it is refused. */
  const callerOf = async (sessionId: string, membershipId: string | null, expiresAt: number): Promise<Caller> => {
    if (expiresAt <= Date.now()) throw unauthenticated('EXPIRED');
    const grant = await grants.sessions.get(sessionId);
    if (grant?.state !== 'ACTIVE' || grant.membershipId !== membershipId) throw unauthenticated('REVOKED');
    if (membershipId !== null && grant.membershipState !== 'ACTIVE') throw unauthenticated('REVOKED');
    const caller: Caller = {
      kind: 'USER',
      userId: grant.userId,
      keyId: null,
      sessionId,
      membershipId,
      tenantId: grant.tenantId,
      customerId: grant.customerId,
      ...(grant.operatorId && grant.mode
        ? { actingFor: { operator: grant.operatorId, impersonation: sessionId, mode: grant.mode } }
        : {}),
      permissions: { catalogue: grant.catalogue, bits: grant.bits },
      strongAt: grant.strongAt,
      proofs: grant.proofs,
      provedMail: grant.provedMail,
      mustDo: grant.mustDo,
      expiresAt,
    };
    madeFrom.set(caller, grant);
    return caller;
  };

  return {
    async authenticate(authorization, address) {
      const token = bearerOf(authorization);
      if (token === undefined) return ANONYMOUS;
      const isKey = looksLikeKey(token);
      const credential = isKey ? 'key' : known.has(token) ? 'known_token' : 'new_token';
      const startedAt = performance.now();
      try {
        if (isKey) return await keyring.callerOf(token, address);
        const claims = await verify(token);
        return await callerOf(claims.sid, claims.mid ?? null, claims.exp * 1000);
      } finally {
        authenticationSeconds(credential).observe((performance.now() - startedAt) / 1_000);
      }
    },
    async reportLeak(key) {
      const input = { key };
      await ask('identity', 'mutation($input: LeakedKeyInput!) { revokeLeakedKey(input: $input) { isDone } }', {
        input,
      });
    },
    async redeem(ticket) {
      const { redeemSocketTicket: held } = await ask<{
        redeemSocketTicket: { sessionId: string; membershipId: string | null; expiresAt: string } | null;
      }>(
        'identity',
        'mutation($ticket: String!) { redeemSocketTicket(ticket: $ticket) { sessionId membershipId expiresAt } }',
        {
          ticket,
        },
      );
      if (!held) throw unauthenticated();
      return callerOf(held.sessionId, held.membershipId, new Date(held.expiresAt).getTime());
    },
    async renew(caller) {
      if (caller.keyId) return keyring.renew(caller);
      return caller.sessionId ? callerOf(caller.sessionId, caller.membershipId, caller.expiresAt) : caller;
    },
    isAsBefore(caller) {
      if (caller.keyId) return keyring.isAsBefore(caller);
      return !caller.sessionId || grants.sessions.held(caller.sessionId) === madeFrom.get(caller);
    },
    onChange(caller, changed) {
      if (caller.keyId) return keyring.onChange(caller, changed);
      return caller.sessionId ? grants.sessions.onChange(caller.sessionId, changed) : () => undefined;
    },
    async keySet() {
      if (rows.length === 0 || performance.now() - fetchedAt > REFETCH_MS) await fetchKeys();
      return {
        keys: rows.map(({ kid, publicKey }) => ({
          kty: 'OKP',
          crv: 'Ed25519',
          alg: 'EdDSA',
          use: 'sig',
          kid,
          x: publicKey,
        })),
      };
    },
    get isFresh() {
      return grants.isFresh;
    },
    refresh: () => grants.refresh(),
    async close() {
      await Promise.all([grants.close(), keyring.close()]);
    },
  };
}

/** The token of an `Authorization: Bearer` header; another scheme is refused. */
function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  const [scheme, token, ...rest] = header.split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || !token || rest.length > 0)
    throw new ClientError('UNAUTHENTICATED', 'Please sign in.');
  return token;
}
