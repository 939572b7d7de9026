import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { once } from '../../_kernel/idempotency.ts';
import type { License } from '../licenses/license.entity.ts';
import { readChanged } from '../licenses/license.service.ts';
import { type Changed, changing } from '../licenses/license-change.service.ts';
import { Grant } from '../terms/grant.entity.ts';
import { type CheckedGrant, checkGrant, type GrantTerms } from './grant.rules.ts';
import { checkReason } from './override.rules.ts';

export interface NewGrant extends GrantTerms {
  idempotencyKey: string;
}

/**
 * Gives the tenant of the context a feature for a while, or an allowance on top of a counter. The same key gives once.
 * Refuses what `checkGrant` refuses.
 */
export function grantEntitlement(ctx: Context, { idempotencyKey: key, ...terms }: NewGrant): Promise<Changed> {
  return ctx.tx(async (em) => {
    const done = await once(ctx, em, { door: 'grantEntitlement', key, request: terms }, async () => {
      const { license, change } = await changing(ctx, em, (held) => {
        const { reason } = give(em, held.license, checkGrant(terms, ctx.now()));
        return { cause: 'GRANTED', reason };
      });
      return { licenseId: license.id, changeId: change?.id ?? null };
    });
    return readChanged(em, done);
  });
}

/** Ends a grant now; one that has not begun never will. Refuses with NOT_FOUND one that is unknown or over. */
export function endGrant(ctx: Context, id: string, reason: string): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, ({ grants }) => {
      const grant = grants.find((given) => given.id === id);
      if (!grant || (grant.expiresAt && grant.expiresAt <= ctx.now())) throw noSuchGrant();
      const startsAt = grant.startsAt < ctx.now() ? grant.startsAt : ctx.now();
      Object.assign(grant, { startsAt, expiresAt: ctx.now() });
      return { cause: 'GRANT_ENDED', reason: checkReason(reason) };
    }),
  );
}

/** Writes a grant down, within a change of its licence. */
export function give(em: EntityManager, license: License, terms: CheckedGrant): Grant {
  const grant = em.create(Grant, { id: uuidv7(), licenseId: license.id, ...terms, remaining: terms.amount });
  em.persist(grant);
  return grant;
}

export const noSuchGrant = () => new Refusal('NOT_FOUND', 'There is no such grant.', 'id');
