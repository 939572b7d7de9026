import type { EntityManager } from '../../_kernel/db.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { LicenseChange } from './license-change.entity.ts';
import { readsFleet } from './license-facts.service.ts';
import { PlannedChange } from './planned-change.entity.ts';

const byIds = async <T extends { id: string }>(rows: T[]) => rows.map((row) => [row.id, row] as const);

/** A change that waits or waited, by its id. */
export const plannedChange = defineLoader<PlannedChange>('planned change', (own, ids, ctx) => {
  const read = async (em: EntityManager) => byIds(await em.find(PlannedChange, { id: { $in: [...ids] } }));
  return readsFleet(ctx) ? ctx.acrossTenants(read) : read(own);
});

/** The history row that announced it. */
export const announcedChange = defineLoader<LicenseChange>('announced change', (own, ids, ctx) => {
  const read = async (em: EntityManager) => byIds(await em.find(LicenseChange, { id: { $in: [...ids] } }));
  return readsFleet(ctx) ? ctx.acrossTenants(read) : read(own);
});
