import { randomBytes } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import { asId, keyAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import { optionalText } from '../../../schema/words.ts';
import { hashOfKey, isKeyText, keyText } from '../../_kernel/api-key.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { tenantProfile } from '../../_kernel/tenant-profile.ts';
import { lockAdmins } from '../membership.steps.ts';
import { ApiKey } from './api-key.entity.ts';
import { type ApiKeyState, type AskedKey, checkKey, LIVE, MAX_KEYS } from './api-key.rules.ts';
import { moveKey, wakeForKeys } from './key-care.service.ts';

/** The caller's keys, newest first. */
export async function listKeys(ctx: Context, state: ApiKeyState | null, page: PageArgs): Promise<Connection<ApiKey>> {
  const after = keyAfter(page, asId);
  const where = { ...(state ? { state } : {}), ...(after ? { id: { $lt: after } } : {}) };
  const rows = await (await ctx.em()).find(ApiKey, where, { orderBy: { id: 'desc' }, limit: page.first + 1 });
  return connect(rows, page, ({ id }) => [id]);
}

export async function keyById(ctx: Context, id: string): Promise<ApiKey | null> {
  return isId(id) ? (await ctx.em()).findOne(ApiKey, { id }) : null;
}

/** A key, and its text the first time it is answered. */
export interface MadeKey {
  apiKey: ApiKey;
  key: string | null;
}

/**
 * Makes a key; asked again under the same idempotency key it is shown without its text, which is kept nowhere.
 * Refuses INVALID as `checkKey`, LIMIT_REACHED for the 101st; throws FORBIDDEN for a right the maker lacks.
 */
export function createApiKey(
  ctx: Context,
  { idempotencyKey, ...asked }: AskedKey & { idempotencyKey: string },
): Promise<MadeKey> {
  return ctx.tx((em) => makeOnce(ctx, em, 'createApiKey', idempotencyKey, asked, () => make(ctx, em, asked)));
}

/**
 * Puts another key with the same terms in a key's place; both work for so many hours, 0 to 168. The new one lasts as long
 * as the old one was made for. Refuses as `createApiKey`, and INVALID_STATE for a key that does not work.
 */
export function rotateApiKey(
  ctx: Context,
  { idempotencyKey, ...asked }: { id: string; overlapHours: number; idempotencyKey: string },
): Promise<MadeKey> {
  const { id, overlapHours } = asked;
  if (overlapHours < 0 || overlapHours > 168)
    throw new Refusal('INVALID', 'Keys overlap for 0 to 168 hours.', 'overlapHours');
  return ctx.tx((em) =>
    makeOnce(ctx, em, 'rotateApiKey', idempotencyKey, asked, async () => {
      const old = await lockOrRefuse(em, ApiKey, id, 'key', { field: 'id' });
      const lasted = old.expiresAt.getTime() - old.createdAt.getTime();
      const expiresAt = new Date(ctx.now().getTime() + lasted);
      moveKey(em, old, 'ROTATING');
      old.retiresAt = new Date(ctx.now().getTime() + overlapHours * 3_600_000);
      if (overlapHours === 0) moveKey(em, old, 'RETIRED');
      const made = await make(ctx, em, { ...old, expiresAt });
      old.replacedBy = made.apiKey.id;
      emit(em, 'identity.api_key.rotated', { keyId: old.id, replacedBy: made.apiKey.id });
      return made;
    }),
  );
}

async function makeOnce(
  ctx: Context,
  em: EntityManager,
  door: string,
  key: string,
  request: object,
  run: () => Promise<MadeKey>,
): Promise<MadeKey> {
  let made: MadeKey | undefined;
  const id = await once(ctx, em, { door, key, request }, async () => {
    made = await run();
    await em.flush();
    await wakeForKeys(em);
    return made.apiKey.id;
  });
  return made ?? { apiKey: await em.findOneOrFail(ApiKey, { id }), key: null };
}

async function make(ctx: Context, em: EntityManager, asked: AskedKey): Promise<MadeKey> {
  await lockAdmins(em); // two who make the last one at once come one after the other
  const terms = checkKey(asked, (permission) => ctx.can(permission), ctx.now());
  if ((await em.count(ApiKey, { state: { $in: [...LIVE] } })) >= MAX_KEYS)
    throw new Refusal('LIMIT_REACHED', `A tenant has at most ${MAX_KEYS} keys.`);
  const mode = (await tenantProfile(em)).kind === 'SANDBOX' ? 'TEST' : 'LIVE';
  const key = keyText(mode, randomBytes(32));
  const apiKey = em.create(ApiKey, {
    ...terms,
    id: uuidv7(),
    mode,
    start: key.slice(0, 12),
    hash: hashOfKey(key),
    state: 'ACTIVE',
    madeBy: ctx.envelope.caller.kind === 'USER' ? ctx.actorId : null,
    ...{ replacedBy: null, retiresAt: null, reviewSince: null, warnedDays: null, lastUsedAt: null },
    version: 1,
    createdAt: ctx.now(),
  });
  em.persist(apiKey);
  emit(em, 'identity.api_key.created', { keyId: apiKey.id });
  return { apiKey, key };
}

/** Answers for a key whose maker no longer can; refuses INVALID_STATE for another, throws FORBIDDEN without its rights. */
export function confirmApiKey(ctx: Context, id: string): Promise<ApiKey> {
  return ctx.tx(async (em) => {
    const key = await lockOrRefuse(em, ApiKey, id, 'key', { field: 'id' });
    if (key.state !== 'REVIEW' && key.state !== 'SUSPENDED')
      throw new Refusal('INVALID_STATE', 'This key needs no confirmation.', 'id');
    checkKey({ ...key, expiresAt: null }, (permission) => ctx.can(permission), ctx.now());
    moveKey(em, key, 'ACTIVE');
    key.madeBy = ctx.actorId;
    key.reviewSince = null;
    await em.flush();
    await wakeForKeys(em);
    return key;
  });
}

/** Ends a key for good: it is refused within a second. */
export function revokeApiKey(ctx: Context, id: string, reason: string | null): Promise<ApiKey> {
  return ctx.tx(async (em) => {
    const key = await lockOrRefuse(em, ApiKey, id, 'key', { field: 'id' });
    moveKey(em, key, 'REVOKED');
    const why = optionalText(reason, 200, 'reason', { name: 'A reason' }) ?? 'REVOKED';
    emit(em, 'identity.api_key.revoked', { keyId: key.id, reason: why });
    return key;
  });
}

/**
 * Ends the key whoever calls holds, so that who finds one may end it. Answers alike whether there is such a key.
 */
export async function revokeLeakedKey(ctx: Context, text: string): Promise<void> {
  if (!isKeyText(text)) return;
  const hash = hashOfKey(text);
  const found = await ctx.acrossTenants((em) => em.findOne(ApiKey, { hash }));
  if (!found) return;
  await ctx.inTenant(found.homeId).tx(async (em) => {
    const key = await lockOrRefuse(em, ApiKey, found.id, 'key', { field: 'key' });
    if (!LIVE.includes(key.state)) return;
    moveKey(em, key, 'REVOKED');
    emit(em, 'identity.api_key.revoked', { keyId: key.id, reason: 'LEAKED' });
  });
}
