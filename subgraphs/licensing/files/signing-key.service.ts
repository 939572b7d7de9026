import { canonicalJson } from '../../../schema/canonical.ts';
import { Refusal } from '../../../schema/errors.ts';
import { text } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import type { Signer } from './jws.rules.ts';
import { checkSupply, newKey, signerOf } from './key-supply.service.ts';
import { SigningKey } from './signing-key.entity.ts';
import { checkRevocable, type KeyPlan, LIVE, planKeys, soonest } from './signing-key.rules.ts';

/** One change of the keys at a time, over all processes. */
const LOCK = 7_190_000_081;

export const checkReason = (typed: string): string => text(typed, 500, 'reason', { name: 'A reason', min: 5 });

const noneLeft = () =>
  new Refusal('INVALID_STATE', 'No further signing key is supplied. Add one to LICENSE_SIGNING_KEYS.');

/** Runs a change of the keys in the platform's tenant, the others waiting. */
function changingKeys<T>(ctx: Context, run: (em: EntityManager, platform: Context) => Promise<T>): Promise<T> {
  const platform = ctx.inTenant(PLATFORM_TENANT);
  return platform.tx(async (em) => {
    await em.execute('select pg_advisory_xact_lock(?)', [LOCK]);
    return run(em, platform);
  });
}

const liveKeys = (em: EntityManager) =>
  em.find(SigningKey, { status: { $in: [...LIVE] } }, { orderBy: { madeAt: 'asc', kid: 'asc' } });

/** Before the first request: refuses keys no installation would believe, and does what is due. */
export async function prepareSigningKeys(ctx: Context): Promise<void> {
  checkSupply(ctx.machinery.config);
  await tendSigningKeys(ctx);
}

/** Does what is due with the keys (R21): the first, a successor, its taking over, the end of what retires. Again, nothing. */
export function tendSigningKeys(ctx: Context): Promise<void> {
  return changingKeys(ctx, async (em, platform) => {
    const keys = await liveKeys(em);
    const plan = planKeys(keys, platform.now());
    if (!(await carryOut(platform, em, keys, plan)))
      platform.log.warn('no further signing key is supplied: add one to LICENSE_SIGNING_KEYS');
  });
}

/**
 * Brings the next key forward: it takes over at once if it has been published for 24 hours, and else when it has been.
 * Refuses with INVALID_STATE when none is supplied.
 */
export function rotateSigningKey(ctx: Context, typed: string): Promise<SigningKey> {
  const reason = checkReason(typed);
  return changingKeys(ctx, async (em, platform) => {
    const keys = await liveKeys(em);
    const now = platform.now();
    const next = keys.find(({ status }) => status === 'NEXT') ?? (await make(platform, em, 'NEXT', soonest(now)));
    if (!next) throw noneLeft();
    Object.assign(next, { activeAt: soonest(next.madeAt), reason });
    await carryOut(platform, em, [...new Set([...keys, next])], planKeys([...new Set([...keys, next])], now));
    return next;
  });
}

/**
 * Takes a key out of use for good: what it signed is refused as soon as an installation hears it. If it was the one that
 * signs, the next takes over at once. Refuses with NOT_FOUND an unknown one, with INVALID_STATE one that is revoked or has
 * nothing to follow it.
 */
export function revokeSigningKey(ctx: Context, kid: string, typed: string): Promise<SigningKey> {
  const reason = checkReason(typed);
  return changingKeys(ctx, async (em, platform) => {
    const key = await em.findOne(SigningKey, { kid });
    if (!key) throw new Refusal('NOT_FOUND', 'There is no such signing key.', 'kid');
    checkRevocable(key);
    Object.assign(key, { status: 'REVOKED', revokedAt: platform.now(), reason });
    await em.flush();
    const keys = await liveKeys(em);
    if (!(await carryOut(platform, em, keys, planKeys(keys, platform.now())))) throw noneLeft();
    return key;
  });
}

/** Carries a plan out; false when it asks for a key and none is supplied. */
async function carryOut(ctx: Context, em: EntityManager, keys: SigningKey[], plan: KeyPlan): Promise<boolean> {
  const now = ctx.now();
  for (const key of keys) if (plan.retire.includes(key.kid)) Object.assign(key, { status: 'RETIRED', retiredAt: now });
  if (plan.activate) {
    for (const key of keys) if (key.status === 'ACTIVE') Object.assign(key, { status: 'RETIRING', retiringAt: now });
    await em.flush(); // one key is ACTIVE at a time
    for (const key of keys) if (key.kid === plan.activate) Object.assign(key, { status: 'ACTIVE', activeAt: now });
    emit(em, 'licensing.key.rotated', { kid: plan.activate });
  }
  const made = plan.make && (await make(ctx, em, plan.make.status, plan.make.activeAt));
  if (made?.status === 'ACTIVE') emit(em, 'licensing.key.rotated', { kid: made.kid });
  await em.flush();
  return !plan.make || Boolean(made);
}

async function make(ctx: Context, em: EntityManager, status: 'ACTIVE' | 'NEXT', activeAt: Date) {
  const used = new Set((await em.find(SigningKey, {}, { fields: ['kid'] })).map(({ kid }) => kid));
  const supplied = newKey(ctx.machinery.config, used, ctx.now());
  if (!supplied) return undefined;
  const key = em.create(SigningKey, {
    ...supplied,
    ...{ status, madeAt: ctx.now(), activeAt },
    ...{ retiringAt: null, retiredAt: null, revokedAt: null, reason: null },
  });
  em.persist(key);
  return key;
}

/** Whoever signs now, or undefined where no key is supplied. */
export async function activeSigner(ctx: Context, em: EntityManager): Promise<Signer | undefined> {
  const active = await em.findOne(SigningKey, { status: 'ACTIVE' });
  return active ? signerOf(ctx.machinery.config, active.kid, await em.count(SigningKey)) : undefined;
}

/** The key set (RFC 7517) of NEXT, ACTIVE and RETIRING, each with the statement of its root. */
export function licenseKeySet(ctx: Context): Promise<string> {
  return ctx.acrossTenants(async (em) => {
    const keys = await liveKeys(em);
    return canonicalJson({
      keys: keys.map(({ kid, publicKey, statement }) => ({
        ...{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid, x: publicKey, statement },
      })),
    });
  });
}
