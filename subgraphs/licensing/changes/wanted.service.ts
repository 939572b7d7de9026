import { Refusal } from '../../../schema/errors.ts';
import { QUOTAS } from '../../../schema/features.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { AddOn, AddOnVersion } from '../catalogue/add-on.entity.ts';
import { isSellable } from '../catalogue/offer.rules.ts';
import { featuresOf } from '../catalogue/plan.rules.ts';
import { planForSale } from '../catalogue/plan.service.ts';
import type { BillingInterval } from '../catalogue/price.rules.ts';
import type { Held } from '../licenses/license-facts.service.ts';
import { factsWith, heldAddOns, type Wanted } from '../licenses/planned-change.service.ts';
import { isGivenAt } from '../terms/entitlement.rules.ts';
import type { Keep } from './plan-change.rules.ts';

/** The end state a caller wants; what is left out stays. */
export interface ChangeInput {
  plan?: string | null;
  interval?: BillingInterval | null;
  addOns?: { code: string; quantity: number }[] | null;
  keep?: Keep[] | null;
  endTrial?: boolean | null;
}

/** Add-ons one licence holds at most, and ids that are named to be kept. */
const MAX_ADD_ONS = 50;
const MAX_KEPT = 1_000;

/**
 * Reads what is wanted from the catalogue. A plan or an add-on that is held stays in its version; what is new is bought in
 * the one for sale. Refuses with NOT_FOUND what is not for sale, with INVALID an add-on that needs a feature the end state
 * lacks, a quantity out of range and one named twice, with INVALID_STATE one that is only announced.
 */
export async function resolveWanted(em: EntityManager, held: Held, input: ChangeInput, at: Date): Promise<Wanted> {
  checkKeep(input.keep ?? []);
  const sold = input.plan && input.plan !== held.plan.code ? await planForSale(em, input.plan) : undefined;
  const wanted: Wanted = {
    plan: sold?.plan ?? held.plan,
    planVersion: sold?.version ?? held.planVersion,
    interval: input.interval ?? held.license.interval,
    addOns: await wantedAddOns(em, held, input.addOns ?? null, at),
  };
  checkAddOns(held, wanted, at);
  return wanted;
}

async function wantedAddOns(em: EntityManager, held: Held, codes: ChangeInput['addOns'] | null, at: Date) {
  const standing = heldAddOns(held, at);
  if (!codes) return standing.map(({ row, version, addOn }) => ({ addOn, version, quantity: row.quantity }));
  if (codes.length > MAX_ADD_ONS) throw new Refusal('INVALID', `At most ${MAX_ADD_ONS} add-ons.`, 'addOns');
  if (new Set(codes.map(({ code }) => code)).size < codes.length)
    throw new Refusal('INVALID', 'An add-on is named once, with its quantity.', 'addOns');
  const heldBy = new Map(standing.map((one) => [one.addOn.code, one]));
  const isNew = ({ code }: { code: string }) => !heldBy.has(code);
  const shelf = codes.some(isNew) ? await readShelf(em) : new Map<string, { addOn: AddOn; version: AddOnVersion }>();
  return codes.map(({ code, quantity }) => {
    const found = heldBy.get(code) ?? shelf.get(code);
    if (!found) throw new Refusal('NOT_FOUND', `There is no add-on named ${code.slice(0, 40)}.`, 'addOns');
    return { addOn: found.addOn, version: found.version, quantity };
  });
}

/** Add-ons for sale by code, each in its newest published version. */
async function readShelf(em: EntityManager): Promise<Map<string, { addOn: AddOn; version: AddOnVersion }>> {
  const addOns = await em.find(AddOn, {}, { disableIdentityMap: true });
  const published = { status: 'PUBLISHED' } as const;
  const versions = await em.find(AddOnVersion, published, { disableIdentityMap: true, orderBy: { version: 'asc' } });
  const newest = new Map(versions.map((version) => [version.addOnId, version]));
  return new Map(
    addOns.flatMap((addOn) => {
      const version = newest.get(addOn.id);
      return version ? [[addOn.code, { addOn, version }] as const] : [];
    }),
  );
}

function checkAddOns(held: Held, wanted: Wanted, at: Date): void {
  const facts = factsWith(held, wanted, at);
  const heldCodes = new Set(heldAddOns(held, at).map(({ addOn }) => addOn.code));
  for (const { addOn, version, quantity } of wanted.addOns) {
    if (quantity < 1) throw new Refusal('INVALID', 'A quantity is a whole number from 1.', 'addOns');
    if (quantity > version.maxQuantity)
      throw new Refusal('INVALID', `At most ${version.maxQuantity} of ${addOn.code}.`, 'addOns');
    const lacking = featuresOf(version.requires).find((feature) => !isGivenAt(facts, feature, at));
    if (lacking) throw new Refusal('INVALID', `${addOn.code} needs the ${lacking} feature.`, 'addOns');
    if (!heldCodes.has(addOn.code) && !isSellable({ features: featuresOf(version.features) }))
      throw new Refusal('INVALID_STATE', `${addOn.code} cannot be bought yet.`, 'addOns');
  }
}

function checkKeep(keep: readonly Keep[]): void {
  for (const { key, ids } of keep) {
    if (QUOTAS[key].onReduction !== 'FREEZE_EXCESS')
      throw new Refusal('INVALID', `Nothing of ${key} is frozen, so nothing is chosen to be kept.`, 'keep');
    if (ids.length > MAX_KEPT) throw new Refusal('INVALID', `At most ${MAX_KEPT} ids are kept by name.`, 'keep');
  }
}
