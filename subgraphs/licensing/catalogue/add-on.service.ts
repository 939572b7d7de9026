import { uuidv7 } from 'uuidv7';
import { canonicalJson } from '../../../schema/canonical.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { AddOn, AddOnVersion, type PluginTier } from './add-on.entity.ts';
import { type AddOnContent, type AddOnTerms, checkAddOnTerms } from './add-on.rules.ts';
import { changingCatalogue } from './plan.service.ts';
import { advanceVersion } from './version.rules.ts';

export interface AddOnWanted extends AddOnTerms {
  ladder: PluginTier;
}

/**
 * Puts an add-on on the marketplace, or its next version, which whoever buys it from now on gets; the former one stays
 * valid for those who hold it, at its price. What is for sale already is not published again. Refuses with INVALID what it
 * may not say.
 */
export function publishAddOn(ctx: Context, { ladder, ...terms }: AddOnWanted): Promise<AddOn> {
  return changingCatalogue(ctx, async (em) => {
    const { code, name, content } = checkAddOnTerms(terms);
    const known = await em.findOne(AddOn, { code });
    const addOn = known ? em.assign(known, { name, ladder }) : em.create(AddOn, { id: uuidv7(), code, name, ladder });
    em.persist(addOn);
    const [last] = await em.find(AddOnVersion, { addOnId: addOn.id }, { orderBy: { version: 'desc' }, limit: 1 });
    if (last?.status === 'PUBLISHED') {
      if (isSame(last, content)) return addOn;
      last.status = advanceVersion(last.status, 'RETIRED');
    }
    await em.flush(); // one version of an add-on is for sale at any moment
    const version = (last?.version ?? 0) + 1;
    const made = { id: uuidv7(), addOnId: addOn.id, version, status: 'PUBLISHED' } as const;
    em.persist(em.create(AddOnVersion, { ...made, ...content }));
    const [price, setupFee] = [content.priceMinor.toString(), content.setupFeeMinor.toString()];
    emit(em, 'licensing.add_on.published', {
      ...{ addOnId: addOn.id, code, version, currency: content.currency },
      ...{ priceMinor: price, setupFeeMinor: setupFee },
    });
    return addOn;
  });
}

/**
 * Takes an add-on off the marketplace; those who hold it keep it. Refuses with NOT_FOUND an unknown one, with INVALID_STATE
 * one that is not for sale.
 */
export function retireAddOn(ctx: Context, id: string): Promise<AddOn> {
  return changingCatalogue(ctx, async (em) => {
    const addOn = isId(id) ? await em.findOne(AddOn, { id }) : null;
    if (!addOn) throw new Refusal('NOT_FOUND', 'There is no such add-on.', 'id');
    const version = await forSale(em, addOn);
    if (!version) throw new Refusal('INVALID_STATE', `${addOn.code} is not for sale.`, 'id');
    version.status = advanceVersion(version.status, 'RETIRED');
    return addOn;
  });
}

const forSale = (em: EntityManager, addOn: AddOn) =>
  em.findOne(AddOnVersion, { addOnId: addOn.id, status: 'PUBLISHED' });

function isSame(version: AddOnVersion, content: AddOnContent): boolean {
  const { priceMinor, setupFeeMinor, currency, features, limits, requires, maxQuantity, meter } = version;
  const said = { priceMinor, setupFeeMinor, currency, features, limits, requires, maxQuantity, meter };
  return canonicalJson(said) === canonicalJson(content);
}
