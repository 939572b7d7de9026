import { uuidv7 } from 'uuidv7';
import type { Feature } from '../../../schema/features.ts';
import type { Context } from '../../_kernel/context.ts';
import { type Changed, changing } from '../licenses/license-change.service.ts';
import type { GrantSource } from '../terms/entitlement.rules.ts';
import { Grant } from '../terms/grant.entity.ts';
import { checkEnd, checkReason } from './override.rules.ts';

export interface NewGrant {
  feature: Feature;
  startsAt?: Date;
  expiresAt: Date | null;
  source: GrantSource;
  reason: string;
}

/** Gives the tenant of the context a feature for a while. Refuses with INVALID an end that is past or too far. */
export function grantFeature(ctx: Context, wanted: NewGrant): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, ({ license }) => {
      const { feature, startsAt = ctx.now(), expiresAt, source } = wanted;
      checkEnd(expiresAt, startsAt, ctx.now(), 'expiresAt');
      const reason = checkReason(wanted.reason);
      const grant = em.create(Grant, {
        ...{ id: uuidv7(), licenseId: license.id, kind: 'FEATURE', key: feature, amount: null, remaining: null },
        ...{ priority: 50, startsAt, expiresAt, source, rolloverMax: 0n, reason },
      });
      em.persist(grant);
      return { cause: 'GRANTED', reason };
    }),
  );
}
