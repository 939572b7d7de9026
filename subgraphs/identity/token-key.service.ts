import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { openWith, sealWith } from '../_kernel/cipher.ts';
import type { Context, Machinery } from '../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../_kernel/db.ts';
import { ed25519FromSeed } from '../_kernel/dev-secrets.ts';
import { tellGateways } from '../_kernel/events.ts';
import { presentOf, readBriefly } from './tenant.service.ts';
import { TokenKey } from './token-key.entity.ts';
import { isIdle, planKeys, type TokenKeyState } from './token-key.rules.ts';

/** One rotation at a time, over all processes. */
const LOCK = 7_190_000_061;
/** How long a process signs with the key it has read, milliseconds. */
const HELD_MS = 60_000;
const LIVE: TokenKeyState[] = ['NEXT', 'ACTIVE', 'RETIRING'];

const dataKey = (machinery: Machinery) => Buffer.from(machinery.config.IDENTITY_DATA_KEY, 'base64url');

/** The keys a verifier must know, after whatever is due with them. */
export async function tokenKeys(ctx: Context): Promise<TokenKey[]> {
  const { keys, plan } = await readBriefly(ctx, readKeys);
  return isIdle(plan) ? keys : rotateTokenKeys(ctx);
}

/**
 * Makes the first key, publishes its successor, lets that take over, and destroys private halves that are done. Gateways
 * are told of each move: what a key that is gone has signed is refused at once.
 */
export function rotateTokenKeys(ctx: Context): Promise<TokenKey[]> {
  return ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    await em.execute('select pg_advisory_xact_lock(?)', [LOCK]);
    const { keys, plan, now } = await readKeys(em);
    if (!isIdle(plan)) tellGateways(em, 'grants', 'token_keys:all');
    for (const key of keys) if (plan.retire.includes(key.kid)) Object.assign(key, { state: 'RETIRED', sealed: null });
    const made = plan.make ? makeKey(ctx, em, plan.make, now) : undefined;
    if (plan.activate) {
      for (const key of keys) if (key.state === 'ACTIVE') Object.assign(key, { state: 'RETIRING', retiringAt: now });
      await em.flush(); // one key is ACTIVE at a time
      for (const key of keys) if (key.kid === plan.activate) Object.assign(key, { state: 'ACTIVE', activeAt: now });
    }
    await em.flush();
    return [...keys, ...(made ? [made] : [])].filter((key) => LIVE.includes(key.state));
  });
}

async function readKeys(em: EntityManager) {
  const { now } = await presentOf(em);
  const keys = await em.find(TokenKey, { state: { $in: LIVE } }, { orderBy: { madeAt: 'asc' } });
  return { keys, now, plan: planKeys(keys, now) };
}

function makeKey({ machinery }: Context, em: EntityManager, state: 'ACTIVE' | 'NEXT', now: Date): TokenKey {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const kid = uuidv7();
  const sealed = sealWith(dataKey(machinery), kid, Buffer.from(String(d), 'base64url'));
  const key = em.create(TokenKey, {
    kid,
    publicKey: String(x),
    sealed,
    state,
    madeAt: now,
    activeAt: state === 'ACTIVE' ? now : null,
  });
  em.persist(key);
  return key;
}

export interface SigningKey {
  kid: string;
  privateKey: KeyObject;
}

const held = new WeakMap<Machinery, { until: number; key: Promise<SigningKey> }>();

/** The key tokens are signed with now, kept a minute per process. */
export function signingKey(ctx: Context): Promise<SigningKey> {
  const known = held.get(ctx.machinery);
  if (known && known.until > performance.now()) return known.key;
  const key = readSigningKey(ctx);
  held.set(ctx.machinery, { until: performance.now() + HELD_MS, key });
  key.catch(() => held.delete(ctx.machinery));
  return key;
}

async function readSigningKey(ctx: Context): Promise<SigningKey> {
  const active = (await tokenKeys(ctx)).find((key) => key.state === 'ACTIVE');
  if (!active?.sealed) throw new Error('There is no active token key.');
  const seed = openWith(dataKey(ctx.machinery), active.kid, active.sealed);
  return { kid: active.kid, privateKey: ed25519FromSeed(seed.toString('base64url')) };
}
