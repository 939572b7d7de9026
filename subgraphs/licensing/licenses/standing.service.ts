import type { EntityManager } from '../../_kernel/db.ts';
import { LicenseAddOn } from '../catalogue/add-on.entity.ts';
import { Grant } from '../terms/grant.entity.ts';
import { Hold } from '../terms/hold.entity.ts';
import { Override } from '../terms/override.entity.ts';
import type { License } from './license.entity.ts';
import { PlannedChange } from './planned-change.entity.ts';

/** The rows that stand on licences, each kind in the order in which its rows count. */
export interface Standing {
  addOns: LicenseAddOn[];
  overrides: Override[];
  grants: Grant[];
  /** Open ones only. */
  holds: Hold[];
  /** Those that wait. */
  planned: PlannedChange[];
}

/** Reads all that stands on licences in one statement. The rows are the EntityManager's, as if each had been found. */
export async function readStanding(em: EntityManager, licenses: readonly License[]): Promise<Standing> {
  const rows = await em.execute('select kind, "row" from licensing.standing where license_id = any(?::uuid[])', [
    `{${licenses.map(({ id }) => id).join(',')}}`,
  ]);
  const of = <T extends object>(wanted: string, entity: new () => T): T[] =>
    rows.flatMap(({ kind, row }) => (kind === wanted ? [em.map(entity, row)] : []));
  return {
    addOns: of('ADD_ON', LicenseAddOn),
    overrides: inOrder(of('OVERRIDE', Override), ({ key }) => key),
    grants: inOrder(of('GRANT', Grant), ({ startsAt, id }) => startsAt.toISOString() + id),
    holds: inOrder(of('HOLD', Hold), ({ placedAt, id }) => placedAt.toISOString() + id),
    planned: of('PLANNED', PlannedChange),
  };
}

/** Rows in the order in which they count. */
export const inOrder = <T>(rows: T[], placeOf: (row: T) => string): T[] =>
  rows.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
