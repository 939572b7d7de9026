import type { AddOn, AddOnVersion } from '../catalogue/add-on.entity.ts';
import type { Plan, PlanVersion } from '../catalogue/plan.entity.ts';
import { addOnLimitsOf, featuresOf, planLimitsOf } from '../catalogue/plan.rules.ts';
import type { AddOnFacts, PlanFacts } from './entitlement.rules.ts';

/** What a version of a plan opens. */
export const planFacts = (plan: Plan, version: PlanVersion): PlanFacts => ({
  id: version.id,
  code: plan.code,
  number: version.number,
  features: featuresOf(version.features),
  limits: planLimitsOf(version.limits),
});

/** What an add-on adds, whether a licence holds it or would. */
export const addOnFacts = ({
  row,
  version,
  addOn,
}: {
  version: AddOnVersion;
  addOn: AddOn;
  row: Pick<AddOnFacts, 'id' | 'quantity' | 'startsAt' | 'endsAt'>;
}): AddOnFacts => ({
  ...{ id: row.id, code: addOn.code, version: version.version },
  ...{ quantity: row.quantity, startsAt: row.startsAt, endsAt: row.endsAt },
  features: featuresOf(version.features),
  limits: addOnLimitsOf(version.limits),
  meter: version.meter,
});
