import { Refusal } from '../../../schema/errors.ts';
import { FEATURES, QUOTA_KEYS, QUOTAS } from '../../../schema/features.ts';
import { money } from '../../../schema/money.ts';
import { allowsLess } from '../../../schema/quota.ts';
import type { Context } from '../../_kernel/context.ts';
import { netOf, storedLine } from '../catalogue/price.rules.ts';
import { ownLicense } from '../licenses/license.service.ts';
import { lineNode } from '../licenses/license-change.entity.ts';
import { type PresentLicense, presentLicense } from '../licenses/license-facts.service.ts';
import { factsWith, type Wanted } from '../licenses/planned-change.service.ts';
import { entitlementsAt } from '../terms/entitlement.rules.ts';
import { limitAt, termsIn } from '../terms/limit.rules.ts';
import { usageOfLicense } from '../usage/quota-usage.service.ts';
import type { FeatureLoss, LicenseChangePreview, LimitLoss } from './change-preview.entity.ts';
import { PREVIEW_MINUTES } from './plan-change.rules.ts';
import { allLines, propose } from './plan-change.service.ts';
import { type ChangeInput, resolveWanted } from './wanted.service.ts';

/**
 * What a change of the caller's licence would cost and mean now. Nothing is written: the hash says it all, and whoever
 * carries it out computes it again. What is wrong with the wish itself is refused as `resolveWanted` refuses; what stands
 * in its way is told in `refusals`.
 */
export async function previewLicenseChange(ctx: Context, input: ChangeInput): Promise<LicenseChangePreview> {
  const license = await ownLicense(ctx);
  const held = license && (await ctx.load(presentLicense, license.id));
  if (!held) throw new Refusal('NOT_FOUND', 'This tenant has no licence.');
  const { now } = held;
  const wanted = await resolveWanted(await ctx.em(), held, input, now);
  const { proposal, refusals } = proposed(ctx, held, wanted, input);
  const lines = proposal ? allLines(proposal.decision) : [];
  const at = proposal?.decision.effectiveAt ?? now;
  return {
    hash: proposal?.hash ?? '',
    pricedAt: now,
    expiresAt: new Date(now.getTime() + PREVIEW_MINUTES * 60_000),
    licenseVersion: held.license.version,
    direction: proposal?.decision.direction ?? 'UPGRADE',
    effectiveAt: at,
    isAwaitingPayment: proposal?.decision.timing === 'AFTER_PAYMENT',
    planVersion: wanted.planVersion,
    interval: wanted.interval,
    lines: lines.map((line) => lineNode(storedLine(line))),
    net: money(netOf(lines), wanted.planVersion.currency),
    endedFeatures: endedBy(held, wanted, at),
    reducedLimits: await reducedBy(ctx, held, wanted, at),
    refusals,
  };
}

/** The proposal, or why there is none. */
function proposed(ctx: Context, held: PresentLicense, wanted: Wanted, input: ChangeInput) {
  try {
    const proposal = propose(ctx, held, wanted, input.keep ?? [], input.endTrial ?? false, held.now);
    return { proposal, refusals: [] };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { refusals: [{ code: error.code, message: error.message, field: error.field ?? null }] };
  }
}

/** Features that are open now and would be shut. */
function endedBy(held: PresentLicense, wanted: Wanted, at: Date): FeatureLoss[] {
  const after = new Map(
    entitlementsAt(factsWith(held, wanted, at), at).map(({ feature, access }) => [feature, access]),
  );
  return entitlementsAt(held.facts, held.now)
    .filter(({ feature, access }) => access !== 'NONE' && after.get(feature) === 'NONE')
    .map(({ feature }) => ({ feature, noun: FEATURES[feature].footprintNoun }));
}

/** Limits that would fall below what is in use (R15). */
async function reducedBy(ctx: Context, held: PresentLicense, wanted: Wanted, at: Date): Promise<LimitLoss[]> {
  const usage = new Map((await usageOfLicense(ctx, held.license, null)).map(({ key, used }) => [key, used]));
  const after = factsWith(held, wanted, at);
  return QUOTA_KEYS.flatMap((key) => {
    const [had, has] = [limitAt(held.facts, key, held.now), limitAt(after, key, at)];
    const [from, to, used] = [had.limit, has.limit, usage.get(key) ?? 0n];
    if (to === null || !allowsLess(termsIn(has), termsIn(had)) || used <= to) return [];
    return [{ key, from, to, used, excess: used - to, treatment: QUOTAS[key].onReduction }];
  });
}
