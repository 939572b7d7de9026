import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, setTimer, tellGateways } from '../../_kernel/events.ts';
import { Membership } from '../membership.entity.ts';
import { effectivePermissions } from '../membership.rules.ts';
import { PermissionGrant } from '../roles/role.entity.ts';
import { ownRolesOf } from '../roles/role.service.ts';
import { ApiKey } from './api-key.entity.ts';
import { type ApiKeyState, advanceKey, type KeyMove, LIVE, nextMoveOf } from './api-key.rules.ts';

const liveKeys = (em: EntityManager) => em.find(ApiKey, { state: { $in: [...LIVE] } }, { orderBy: { id: 'asc' } });

/** Moves a key, and tells whoever holds a copy of it. */
export function moveKey(em: EntityManager, key: ApiKey, to: ApiKeyState): void {
  key.state = advanceKey(key.state, to);
  key.version += 1;
  tellGateways(em, 'grants', `key:${key.id}`);
}

/** Wakes when time moves the tenant's keys next. */
export async function wakeForKeys(em: EntityManager): Promise<void> {
  const instants = (await liveKeys(em)).flatMap((key) => nextMoveOf(key)?.at.getTime() ?? []);
  if (instants.length > 0) setTimer(em, 'identity.tendKeys', new Date(Math.min(...instants)));
}

/** Does what time has made due: keys end, retire, are suspended after a review nobody made, and warn of their end. */
export function tendKeys(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    for (const key of await liveKeys(em))
      for (let due = nextMoveOf(key); due && due.at <= ctx.now(); due = nextMoveOf(key)) carryOut(em, key, due);
    await em.flush();
    await wakeForKeys(em);
  });
}

function carryOut(em: EntityManager, key: ApiKey, due: KeyMove): void {
  if (due.move === 'WARN') {
    key.warnedDays = due.days;
    emit(em, 'identity.api_key.expiring', { keyId: key.id, days: due.days });
  } else if (due.move === 'EXPIRE') {
    moveKey(em, key, 'EXPIRED');
    emit(em, 'identity.api_key.expired', { keyId: key.id });
  } else moveKey(em, key, due.move === 'RETIRE' ? 'RETIRED' : 'SUSPENDED');
}

/**
 * Marks for review the keys whose maker is no longer an active member here, or no longer holds what the key carries. They
 * go on working until somebody answers for them.
 */
export function reviewKeys(ctx: Context): Promise<void> {
  return ctx.tx(async (em) => {
    const keys = (await liveKeys(em)).filter(({ state, madeBy }) => state === 'ACTIVE' && madeBy !== null);
    if (keys.length === 0) return;
    const members = await em.find(Membership, {
      userId: { $in: keys.map(({ madeBy }) => String(madeBy)) },
      state: 'ACTIVE',
    });
    const own = await ownRolesOf(em);
    const grants = await em.find(PermissionGrant, { endedAt: null, until: { $gt: ctx.now() } });
    for (const key of keys) {
      const mine = members.filter(({ userId }) => userId === key.madeBy);
      const granted = grants.filter(({ membershipId }) => mine.some(({ id }) => id === membershipId));
      const held: readonly string[] = effectivePermissions(
        mine.flatMap(({ roles }) => roles),
        ctx.isPlatform,
        own,
        granted.map(({ permission }) => permission),
      );
      if (key.scopes.every((scope) => held.includes(scope))) continue;
      moveKey(em, key, 'REVIEW');
      key.reviewSince = ctx.now();
      emit(em, 'identity.api_key.review_needed', { keyId: key.id });
    }
    await em.flush();
    await wakeForKeys(em);
  });
}
