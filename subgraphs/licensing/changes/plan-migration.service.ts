import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { setTimer } from '../../_kernel/events.ts';
import { once } from '../../_kernel/idempotency.ts';
import { Plan, PlanVersion } from '../catalogue/plan.entity.ts';
import { refOf } from '../catalogue/price.rules.ts';
import { License } from '../licenses/license.entity.ts';
import { type Held, readHeld } from '../licenses/license-facts.service.ts';
import { factsWith, heldAddOns, type Wanted } from '../licenses/planned-change.service.ts';
import { stateAt } from '../terms/license.rules.ts';
import { type ChangeDirection, directionOf, stalePreview } from './plan-change.rules.ts';
import { PlanMigration, type PlanMigrationPreview } from './plan-migration.entity.ts';
import {
  checkVersions,
  type MigrationOutcome,
  type MigrationPart,
  type MigrationTiming,
  migrationHash,
  migrationOutcome,
} from './plan-migration.rules.ts';

export interface MigrationWanted {
  fromVersionId: string;
  toVersionId: string;
  /** Left out: all that hold the version. */
  tenantIds?: string[] | null;
  when: MigrationTiming;
}

export interface MigrationOrder extends MigrationWanted {
  previewHash: string;
  idempotencyKey: string;
}

/** Licences an order moves in one page; one that has no more is carried out at once, a larger one by a job. */
export const MIGRATION_PAGE = 100;
/** Tenants named in one order at most, and licences looked at in one go. */
const MAX_NAMED = 1_000;
const LOOKED_AT = 500;

/** A version and its plan. */
export type SoldVersion = Pick<Wanted, 'plan' | 'planVersion'>;

/**
 * What a move would do with the licences that hold a version. Refuses with NOT_FOUND an unknown version, with INVALID and
 * INVALID_STATE versions between which nothing is moved, with INVALID too many tenants or an id that is none.
 */
export async function previewPlanMigration(ctx: Context, wanted: MigrationWanted): Promise<PlanMigrationPreview> {
  const { hash, parts } = await survey(ctx, wanted);
  const count = (outcome: MigrationOutcome) => parts.filter((part) => part.outcome === outcome).length;
  const directions = ([null, 'UPGRADE', 'DOWNGRADE', 'MIXED'] as const)
    .map((direction) => ({ direction, licenses: parts.filter((part) => part.direction === direction).length }))
    .filter(({ licenses }) => licenses > 0);
  const counts = { moved: count('MOVED'), scheduled: count('SCHEDULED'), left: count('LEFT') };
  return { hash, licenses: parts.length, directions, ...counts };
}

/**
 * Orders a move as it was previewed; the licences follow in pages. The same key is the same order. Refuses with
 * STALE_PREVIEW when it means something else by now, with INVALID_STATE when nobody holds the version, and as the preview.
 */
export async function migratePlanVersion(ctx: Context, order: MigrationOrder): Promise<PlanMigration> {
  const { idempotencyKey: key, ...request } = order;
  const [seen] = await Promise.allSettled([survey(ctx, order)]); // before the transaction, which shall not wait for it
  return ctx.tx(async (em) => {
    const { id } = await once(ctx, em, { door: 'migratePlanVersion', key, request }, async () => {
      if (seen.status === 'rejected') throw seen.reason;
      const { hash, parts } = seen.value;
      if (parts.length === 0) throw new Refusal('INVALID_STATE', 'No licence holds this version.', 'fromVersionId');
      if (hash !== order.previewHash) throw stalePreview();
      const made = em.create(PlanMigration, {
        ...{ id: uuidv7(), fromVersionId: order.fromVersionId, toVersionId: order.toVersionId, timing: order.when },
        ...{ tenantIds: parts.map(({ tenantId }) => tenantId), previewHash: hash },
        ...{ orderedBy: ctx.actorId ?? ctx.envelope.caller.kind, orderedAt: ctx.now(), finishedAt: null },
      });
      em.persist(made);
      await em.flush();
      if (parts.length > MIGRATION_PAGE) setTimer(em, 'licensing.migratePlans', ctx.now());
      return { id: made.id };
    });
    return em.findOneOrFail(PlanMigration, { id });
  });
}

/** One order by its id. */
export async function planMigrationById(ctx: Context, id: string): Promise<PlanMigration | null> {
  return isId(id) ? (await ctx.em()).findOne(PlanMigration, { id }) : null;
}

/** Reads what an order is about: every licence that holds the version, what the other means to it, and what is done. */
async function survey(
  ctx: Context,
  wanted: MigrationWanted,
): Promise<{ hash: string; parts: (MigrationPart & { outcome: MigrationOutcome })[] }> {
  const named = wanted.tenantIds ?? null;
  if (named && (named.length === 0 || named.length > MAX_NAMED || !named.every(isId)))
    throw new Refusal('INVALID', `Name 1 to ${MAX_NAMED} tenants by their ids, or none for all.`, 'tenantIds');
  return ctx.acrossTenants(async (em) => {
    const { from, to } = await readVersions(em, wanted);
    checkVersions({ ...from.planVersion, isEndless: from.plan.isEndless }, to.planVersion);
    const parts: (MigrationPart & { outcome: MigrationOutcome })[] = [];
    const places = await em.execute(
      `select t.licensed_tenant_id, t.license_id, t.tenant_now
         from licensing.licensed_tenant t join licensing.license l on l.id = t.license_id
        where l.plan_version_id = ? and l.revoked_at is null
          and (?::uuid[] is null or t.licensed_tenant_id = any(?::uuid[])) order by 1`,
      [from.planVersion.id, listOf(named), listOf(named)],
    );
    for (let at = 0; at < places.length; at += LOOKED_AT) {
      const page = new Map(places.slice(at, at + LOOKED_AT).map((place) => [place.license_id as string, place]));
      const licenses = await em.find(License, { id: { $in: [...page.keys()] } }, { disableIdentityMap: true });
      for (const held of await readHeld(em, licenses, ctx.machinery.config)) {
        const place = page.get(held.license.id);
        const [tenantId, now] = [place?.licensed_tenant_id as string, new Date(place?.tenant_now)];
        parts.push({ tenantId, ...verdictOn(held, to, wanted.when, now) });
      }
    }
    const refs = { from: refOfVersion(from), to: refOfVersion(to) };
    return { hash: migrationHash({ ...refs, timing: wanted.when, parts }), parts };
  });
}

const listOf = (ids: string[] | null) => (ids ? `{${ids.join(',')}}` : null);

export const refOfVersion = ({ plan, planVersion }: SoldVersion) => refOf(plan.code, planVersion.number);

/** What a licence would be with another version of its plan: everything else stays as it is. */
export const withVersion = (held: Held, to: SoldVersion, at: Date): Wanted => ({
  ...{ plan: to.plan, planVersion: to.planVersion, interval: held.license.interval },
  addOns: heldAddOns(held, at).map(({ row, addOn, version }) => ({ addOn, version, quantity: row.quantity })),
});

/** What the other version means to a licence, and what an order does with it. */
export function verdictOn(
  held: Held,
  to: SoldVersion,
  asked: MigrationTiming,
  now: Date,
): { direction: ChangeDirection | null; outcome: MigrationOutcome } {
  const direction = directionOf(held.facts, factsWith(held, withVersion(held, to, now), now), now);
  const facts = { state: stateAt(held.facts, now), direction, hasWaitingChange: held.planned !== null };
  return { direction, outcome: migrationOutcome(facts, asked) };
}

/** The versions of an order with their plans. Refuses with NOT_FOUND unknown ones. */
export async function readVersions(
  em: EntityManager,
  { fromVersionId, toVersionId }: Pick<MigrationWanted, 'fromVersionId' | 'toVersionId'>,
): Promise<{ from: SoldVersion; to: SoldVersion }> {
  const read = async (id: string, field: string): Promise<SoldVersion> => {
    const planVersion = isId(id) ? await em.findOne(PlanVersion, { id }, { disableIdentityMap: true }) : null;
    if (!planVersion) throw new Refusal('NOT_FOUND', 'There is no such plan version.', field);
    const plan = await em.findOneOrFail(Plan, { id: planVersion.planId }, { disableIdentityMap: true });
    return { plan, planVersion };
  };
  return { from: await read(fromVersionId, 'fromVersionId'), to: await read(toVersionId, 'toVersionId') };
}
