import { Refusal } from '../../../schema/errors.ts';
import type { QuotaKey } from '../../../schema/features.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { once } from '../../_kernel/idempotency.ts';
import { type BillingInterval, type PriceLine, storedLine } from '../catalogue/price.rules.ts';
import type { Due } from '../licenses/due.service.ts';
import { readChanged } from '../licenses/license.service.ts';
import { type Changed, changing, type Told } from '../licenses/license-change.service.ts';
import type { Held } from '../licenses/license-facts.service.ts';
import {
  applyWanted,
  cancelWaiting,
  factsWith,
  heldAddOns,
  planChange,
  refOfWanted,
  tellChange,
  type Wanted,
} from '../licenses/planned-change.service.ts';
import {
  type ChangeDecision,
  checkIsUpgrade,
  checkMayChange,
  checkPricedAt,
  decideChange,
  directionOf,
  type HeldState,
  type Keep,
  previewHash,
  type SoldState,
  stalePreview,
} from './plan-change.rules.ts';
import type { Sold } from './price-change.rules.ts';
import { type ChangeInput, resolveWanted } from './wanted.service.ts';

export interface UpgradeInput {
  newPlan: string;
  interval?: BillingInterval | null;
  idempotencyKey: string;
}

export interface CommitInput {
  change: ChangeInput;
  pricedAt: Date;
  previewHash: string;
  idempotencyKey: string;
}

/** A change as it was decided, with all its parts. */
export interface Proposal {
  wanted: Wanted;
  decision: ChangeDecision;
  keep: readonly Keep[];
  pricedAt: Date;
  hash: string;
}

/**
 * Moves the caller's licence to a larger plan at today's price: at once, or where money is overdue when it is paid. The
 * same key gives the same answer and one charge. Refuses with NOT_FOUND a plan that is not for sale, with INVALID_STATE
 * the same plan, whatever is not an upgrade, and a suspended licence.
 */
export function upgradeLicense(
  ctx: Context,
  { newPlan, interval = null, idempotencyKey }: UpgradeInput,
): Promise<Changed> {
  return commit(
    ctx,
    { door: 'upgradeLicense', key: idempotencyKey, request: { newPlan, interval } },
    async (em, held) => {
      const wanted = await resolveWanted(em, held, { plan: newPlan, interval }, ctx.now());
      const direction = directionOf(held.facts, factsWith(held, wanted, ctx.now()), ctx.now());
      checkMayChange(held.facts, ctx.now());
      checkIsUpgrade(held.plan.code, newPlan, direction);
      return propose(ctx, held, wanted, [], false, ctx.now());
    },
  );
}

/**
 * Makes the caller's licence what is wanted, at the price that was shown. Refuses with STALE_PREVIEW when the price or the
 * licence has changed since, or the price is older than 15 minutes; otherwise as `resolveWanted` and `decideChange` do.
 */
export function changeLicense(ctx: Context, { change, pricedAt, previewHash: hash, idempotencyKey }: CommitInput) {
  const request = { change, pricedAt: pricedAt.toISOString(), previewHash: hash };
  return commit(ctx, { door: 'changeLicense', key: idempotencyKey, request }, async (em, held) => {
    checkPricedAt(pricedAt, ctx.now());
    const wanted = await resolveWanted(em, held, change, pricedAt);
    const proposal = propose(ctx, held, wanted, change.keep ?? [], change.endTrial ?? false, pricedAt);
    if (proposal.hash !== hash) throw stalePreview();
    return proposal;
  });
}

/**
 * Takes back a change that waits. Refuses with NOT_FOUND any other, with INVALID_STATE one that is billed already or that
 * the platform has ordered.
 */
export function cancelScheduledChange(ctx: Context, changeId: string): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, ({ planned, license }) => {
      if (planned?.row.id !== changeId)
        throw new Refusal('NOT_FOUND', 'There is no such change that waits.', 'changeId');
      const { row } = planned;
      if (row.cause === 'PLAN_MIGRATED')
        throw new Refusal('INVALID_STATE', 'The platform has ordered this change.', 'changeId');
      const isBilled = row.status === 'SCHEDULED' && license.askedUntil && license.askedUntil > row.effectiveAt;
      if (isBilled) throw new Refusal('INVALID_STATE', 'The period it begins with is billed already.', 'changeId');
      cancelWaiting(ctx, em, row, 'CANCELLED');
      return { cause: 'SCHEDULE_CANCELLED' };
    }),
  );
}

/** Days a change waits for its money. */
const PATIENCE_DAYS = 7;

/** Gives up the change of the caller's tenant that has waited for its money for seven days, if there is one. */
export function cancelUnpaidChange(ctx: Context): Promise<Changed> {
  return ctx.tx((em) =>
    changing(ctx, em, ({ planned }) => {
      const isDue = planned && ctx.now().getTime() - planned.row.pricedAt.getTime() >= PATIENCE_DAYS * 86_400_000;
      if (isDue && planned.row.status === 'AWAITING_PAYMENT') cancelWaiting(ctx, em, planned.row, 'CANCELLED');
      return { cause: 'SCHEDULE_CANCELLED' };
    }),
  );
}

/** Such a change waits. */
export const LEFT_UNPAID: Due = {
  condition: `exists (select from licensing.planned_change p where p.license_id = l.id and p.status = 'AWAITING_PAYMENT'
    and p.priced_at <= t.tenant_now - interval '${PATIENCE_DAYS} days')`,
};

/** What a change of the licence comes to at an instant. */
export function propose(
  ctx: Context,
  held: Held,
  wanted: Wanted,
  keep: readonly Keep[],
  endTrial: boolean,
  pricedAt: Date,
): Proposal {
  const decision = decideChange(heldState(held, pricedAt), wantedState(held, wanted, pricedAt), pricedAt, endTrial);
  const hash = previewHash({
    ...{ tenantId: ctx.tenantId, licenseVersion: held.license.version, interval: wanted.interval, keep, endTrial },
    plan: { code: wanted.plan.code, number: wanted.planVersion.number },
    addOns: wanted.addOns.map(({ addOn, version, quantity }) => ({
      code: addOn.code,
      quantity,
      version: version.version,
    })),
    ...{ pricedAt, lines: allLines(decision) },
  });
  return { wanted, decision, keep, pricedAt, hash };
}

/** All that a change costs, now and at the period's end. */
export const allLines = ({ lines, later }: ChangeDecision): PriceLine[] => [...lines, ...(later?.lines ?? [])];

const wantedState = (held: Held, wanted: Wanted, at: Date): SoldState => ({
  facts: factsWith(held, wanted, at),
  sold: soldIn(wanted),
  interval: wanted.interval,
});

/** What a licence is now, with what is sold and what billing was asked for. */
export function heldState(held: Held, now: Date): HeldState {
  const { license, facts, plan, planVersion, planned } = held;
  const standing = {
    plan,
    planVersion,
    addOns: heldAddOns(held, now).map(({ row, ...sold }) => ({ ...sold, quantity: row.quantity })),
  };
  const isScheduled = planned?.row.status === 'SCHEDULED';
  return {
    ...{ facts, sold: soldIn(standing), interval: license.interval, billing: license, askedUntil: license.askedUntil },
    next: isScheduled ? wantedState(held, planned, planned.row.effectiveAt) : null,
  };
}

/** The prices of what is sold. */
export const soldIn = ({ plan, planVersion, addOns }: Pick<Wanted, 'plan' | 'planVersion' | 'addOns'>): Sold => ({
  plan: { ...priceOf(planVersion), code: plan.code, number: planVersion.number },
  addOns: addOns.map(({ addOn, version, quantity }) => ({
    ...{ code: addOn.code, version: version.version, quantity, currency: version.currency },
    ...{ priceMinor: version.priceMinor, setupFeeMinor: version.setupFeeMinor },
  })),
});

const priceOf = ({ priceMinor, currency, annualDiscountPercent }: Wanted['planVersion']) => ({
  ...{ priceMinor, currency, annualDiscountPercent },
});

/** Carries out a proposal under an idempotency key: at once, at its instant, or when it is paid. */
function commit(
  ctx: Context,
  asked: { door: string; key: string; request: unknown },
  proposeIn: (em: EntityManager, held: Held) => Promise<Proposal>,
): Promise<Changed> {
  return ctx.tx(async (em) => {
    const done = await once(ctx, em, asked, async () => {
      const cause = asked.door === 'upgradeLicense' ? 'UPGRADED' : 'CHANGED';
      let proposal: Proposal | undefined;
      const changed = await changing(ctx, em, async (held) => {
        proposal = await proposeIn(em, held);
        return carryOut(ctx, em, held, proposal, cause);
      });
      const { license, change } = changed;
      if (change && proposal) tell(ctx, em, changed, proposal);
      if (proposal?.decision.later) await planLater(ctx, em, proposal);
      return { licenseId: license.id, changeId: change?.id ?? null };
    });
    return readChanged(em, done);
  });
}

/** Changes the rows of a licence as was decided, or writes down that they will be. */
export async function carryOut(
  ctx: Context,
  em: EntityManager,
  held: Held,
  { wanted, decision, ...proposal }: Proposal,
  cause: Told['cause'],
): Promise<Told> {
  const { timing, lines, later } = decision;
  if (timing !== 'NOW') {
    const status = timing === 'PERIOD_END' ? 'SCHEDULED' : 'AWAITING_PAYMENT';
    const terms = termsOf({ wanted, decision, ...proposal }, refOfWanted(held), cause);
    return { cause: 'SCHEDULED', planned: await planChange(ctx, em, held, wanted, { ...terms, status }) };
  }
  if (held.planned) cancelWaiting(ctx, em, held.planned.row, 'SUPERSEDED');
  applyWanted(em, held, later ? { ...wanted, interval: held.license.interval } : wanted, ctx.now());
  return { cause, lines, keep: keptBy(proposal.keep) };
}

/** The other interval of an upgrade follows at the period's end, as a change of its own. */
async function planLater(ctx: Context, em: EntityManager, proposal: Proposal): Promise<void> {
  const { later } = proposal.decision;
  if (!later) return;
  const decision: ChangeDecision = { ...proposal.decision, ...later, timing: 'PERIOD_END', later: null };
  const waiting = { ...proposal, decision };
  const changed = await changing(ctx, em, (held) => carryOut(ctx, em, held, waiting, 'CHANGED'));
  if (changed.change) tell(ctx, em, changed, waiting);
}

const keptBy = (keep: readonly Keep[]) =>
  Object.fromEntries(keep.map(({ key, ids }) => [key, [...ids]])) as Partial<Record<QuotaKey, string[]>>;

const termsOf = ({ decision, keep, pricedAt, hash, wanted }: Proposal, fromRef: string, cause: Told['cause']) => ({
  ...{
    direction: decision.direction,
    cause,
    keep: keptBy(keep) as Record<string, string[]>,
    isRestart: decision.isRestart,
  },
  ...{ fromRef, toRef: refOfWanted(wanted), lines: decision.lines.map(storedLine), pricedAt, previewHash: hash },
  effectiveAt: decision.effectiveAt,
});

/** Tells what was decided: that it holds, or that it waits. */
export function tell(ctx: Context, em: EntityManager, { license, change }: Changed, proposal: Proposal): void {
  if (!change) return;
  const { decision, wanted, pricedAt, hash } = proposal;
  const isNow = decision.timing === 'NOW';
  const before = change.before.planVersion as string | undefined;
  tellChange(ctx, em, isNow ? 'licensing.change.applied' : 'licensing.change.scheduled', {
    changeId: change.id,
    licenseId: license.id,
    status: isNow ? 'APPLIED' : decision.timing === 'PERIOD_END' ? 'SCHEDULED' : 'AWAITING_PAYMENT',
    direction: decision.direction,
    interval: isNow ? license.interval : wanted.interval,
    from: before ?? (license.snapshot.planVersion as string),
    to: refOfWanted(wanted),
    addOns: wanted.addOns.map(({ addOn, quantity }) => ({ code: addOn.code, quantity })),
    pricedAt: pricedAt.toISOString(),
    effectiveAt: change.effectiveAt.toISOString(),
    previewHash: hash,
    lines: change.lines,
    version: change.version,
  });
}
