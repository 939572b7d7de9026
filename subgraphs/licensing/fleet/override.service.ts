import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { type Changed, changing } from '../licenses/license-change.service.ts';
import { Override } from '../terms/override.entity.ts';
import { checkOverride, checkReason, type OverrideTerms } from './override.rules.ts';

/**
 * Makes an exception for the tenant of the context; one that stands for the same key is replaced whole, so a field left
 * out inherits again. Refuses with INVALID what `checkOverride` refuses, and with NOT_FOUND a tenant without a licence.
 */
export function setOverride(ctx: Context, terms: OverrideTerms): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, ({ license, overrides }) => {
      const { key, reason, ...said } = checkOverride(terms, ctx.now());
      const fields = {
        isEnabled: said.isEnabled ?? null,
        limit: said.limit ?? null,
        isUnlimited: said.isUnlimited ?? false,
        policy: said.policy ?? null,
        softMarginPercent: said.softMarginPercent ?? null,
        unitRate: said.unitRate ?? null,
        expiresAt: said.expiresAt ?? null,
        reason,
      };
      const standing = overrides.find((override) => override.key === key);
      if (standing) em.assign(standing, fields);
      else em.persist(em.create(Override, { id: uuidv7(), licenseId: license.id, key, ...fields }));
      return { cause: 'OVERRIDE_SET', reason };
    }),
  );
}

/** Takes an exception back: what stands below it holds again. Refuses with NOT_FOUND a key without one. */
export function removeOverride(ctx: Context, key: string, reason: string): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, ({ overrides }) => {
      const standing = overrides.find((override) => override.key === key);
      if (!standing) throw new Refusal('NOT_FOUND', 'There is no such override.', 'key');
      em.remove(standing);
      return { cause: 'OVERRIDE_REMOVED', reason: checkReason(reason) };
    }),
  );
}
