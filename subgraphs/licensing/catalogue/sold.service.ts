import type { EntityManager } from '../../_kernel/db.ts';
import { AddOn, AddOnVersion } from './add-on.entity.ts';
import { Plan, PlanVersion } from './plan.entity.ts';

/** Versions that licences hold, each with the plan or add-on it is of, by the version's id. */
export interface Sold {
  plans: Map<string, { plan: Plan; planVersion: PlanVersion }>;
  addOns: Map<string, { addOn: AddOn; version: AddOnVersion }>;
}

/** Reads versions of plans and add-ons by their ids, for sale or not any more, in one statement. They are never written. */
export async function readSold(em: EntityManager, versionIds: Iterable<string>): Promise<Sold> {
  const sold: Sold = { plans: new Map(), addOns: new Map() };
  const rows = await em.execute(
    'select id, kind, item, version from licensing.sold_version where id = any(?::uuid[])',
    [`{${[...new Set(versionIds)].join(',')}}`],
  );
  const reader = em.fork(); // what it knows is forgotten with it, and no flush looks at it
  for (const { id, kind, item, version } of rows)
    if (kind === 'PLAN')
      sold.plans.set(id, { plan: reader.map(Plan, item), planVersion: reader.map(PlanVersion, version) });
    else sold.addOns.set(id, { addOn: reader.map(AddOn, item), version: reader.map(AddOnVersion, version) });
  return sold;
}
