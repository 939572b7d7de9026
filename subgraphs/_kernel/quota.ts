import { hashOf } from '../../schema/canonical.ts';
import { ClientError, Refusal } from '../../schema/errors.ts';
import { QUOTAS, type QuotaKey } from '../../schema/features.ts';
import type { Context } from './context.ts';
import type { EntityManager } from './db.ts';
import { emit } from './events.ts';
import { burnt, type Counted, leftOf, MAX_USE, newlyReached, stillWarned } from './quota.rules.ts';
import { countPlainly, type Held, lockQuota, type NewReceipt, type Receipt, saveQuota } from './quota-row.ts';

/** How long a counter's receipt outlives its period, milliseconds. */
const KEPT_MS = 72 * 3_600_000;

/** One use of a quota: `amount` base units, counted once under `onceKey`. */
export interface Asked {
  key: QuotaKey;
  amount: bigint;
  onceKey: string;
}

/** What a use came to: the first time, and word for word again under the same key. */
export interface Outcome {
  used: bigint;
  isRepeated: boolean;
}

const hashOfUse = ({ key, amount }: Pick<Asked, 'key' | 'amount'>) => hashOf({ key, amount });

function checkAmount(amount: bigint, used = 0n): void {
  if (amount < 1n) throw new Refusal('INVALID', 'An amount is a whole number from 1.', 'amount');
  if (used + amount > MAX_USE) throw new Refusal('INVALID', 'This is more than can be counted.', 'amount');
}

/** When a quota's use begins anew; null for what is not counted by the month. */
const resetOf = (row: Counted | undefined): Date | null => (row?.kind === 'COUNTER' ? row.periodEnd : null);

/** What a licence refuses: nothing is left of it. */
export function quotaExceeded(ctx: Context, key: QuotaKey, row: Counted | undefined): ClientError {
  const [limit, used] = [String(row?.limit ?? 0n), String(row?.used ?? 0n)];
  return new ClientError('QUOTA_EXCEEDED', `The plan allows ${limit} ${QUOTAS[key].label} and ${used} are in use.`, {
    ...{ key, limit, used, resetsAt: resetOf(row)?.toISOString() ?? null },
    licenseVersion: ctx.envelope.licenseVersion,
  });
}

/**
 * Takes `amount` base units of a quota in the caller's transaction, so that what is refused or rolled back costs
 * nothing. The same `onceKey` with the same request counts once and gives the first outcome again.
 * Throws QUOTA_EXCEEDED over the limit, Refusal INVALID for an amount below 1, IDEMPOTENCY_MISMATCH for another
 * request under the key, OVERLOADED when the limits of a new licence do not arrive.
 */
export async function consume(
  ctx: Context,
  em: EntityManager,
  key: QuotaKey,
  amount: bigint,
  onceKey: string,
): Promise<Outcome> {
  checkAmount(amount);
  const plain = await countPlainly(ctx, em, { key, amount, onceKey }, hashOfUse({ key, amount }));
  if (plain !== null) return { used: plain, isRepeated: false };
  const [verdict] = await consumeEach(ctx, em, [{ key, amount, onceKey }]);
  if (verdict instanceof Error) throw verdict;
  return verdict as Outcome;
}

/**
 * The same for several uses, each with a verdict of its own, in their order. Counters are locked in the order of their
 * keys, so that two who use the same ones never wait for each other in a circle.
 * @param isReported they are told from outside: no owner of the quota finds them among its rows.
 */
export async function consumeEach(
  ctx: Context,
  em: EntityManager,
  uses: readonly Asked[],
  { isReported = false } = {},
): Promise<(Outcome | ClientError | Refusal)[]> {
  const verdicts = new Map<Asked, Outcome | ClientError | Refusal>();
  for (const key of [...new Set(uses.map((use) => use.key))].sort()) {
    const own = uses.filter((use) => use.key === key);
    const held = await lockQuota(
      ctx,
      em,
      key,
      own.map(({ onceKey }) => onceKey),
    );
    const fresh: NewReceipt[] = [];
    for (const use of own) {
      try {
        verdicts.set(use, take(ctx, em, held, use, fresh, isReported));
      } catch (error) {
        if (!(error instanceof Refusal || error instanceof ClientError)) throw error;
        verdicts.set(use, error);
      }
    }
    if (held && fresh.length > 0) await saveQuota(em, key, held, fresh);
  }
  return uses.map((use) => verdicts.get(use) as Outcome | ClientError | Refusal);
}

/** Decides one use and counts it on the locked row. */
function take(
  ctx: Context,
  em: EntityManager,
  held: Held | null,
  { key, amount, onceKey }: Asked,
  fresh: NewReceipt[],
  isReported: boolean,
): Outcome {
  checkAmount(amount);
  const requestHash = hashOfUse({ key, amount });
  const known = held?.receipts[onceKey];
  if (known) return repeated(known, requestHash);
  checkAmount(amount, held?.row.used);
  const use = held && burnt(held.row, held.row, amount, ctx.now());
  if (!held || !use) throw quotaExceeded(ctx, key, held?.row);
  const { row } = held;
  Object.assign(row, use, { dayAdded: row.dayAdded + amount });
  if (row.used > row.dayPeak) row.dayPeak = row.used;
  if (isReported) row.reported += amount;
  warn(em, key, row);
  const resetsAt = resetOf(row);
  const receipt: Receipt = {
    requestHash,
    outcome: { used: String(row.used), periodEnd: resetsAt?.toISOString() ?? null },
  };
  held.receipts[onceKey] = receipt;
  fresh.push({ ...receipt, onceKey, expiresAt: resetsAt && new Date(resetsAt.getTime() + KEPT_MS) });
  return { used: row.used, isRepeated: false };
}

function repeated({ requestHash, outcome }: Receipt, asked: string): Outcome {
  if (requestHash !== asked)
    throw new Refusal('IDEMPOTENCY_MISMATCH', 'This key was used for another amount.', 'idempotencyKey');
  return { used: BigInt(outcome.used), isRepeated: true };
}

/** Tells of each threshold that use has newly reached. */
function warn(em: EntityManager, key: QuotaKey, row: Counted): void {
  for (const percent of newlyReached(row.used, row.limit, row.warned)) {
    row.warned = [...row.warned, percent];
    emit(em, 'licensing.quota.threshold_reached', {
      ...{ key, percent, used: String(row.used), limit: String(row.limit) },
      periodEnd: resetOf(row)?.toISOString() ?? null,
    });
  }
}

/** Takes use back from a locked row. What top-ups have paid stays paid. */
function lower(row: Counted, amount: bigint): void {
  row.used = row.used > amount ? row.used - amount : 0n;
  if (row.toppedUp > row.used) row.toppedUp = row.used;
  if (row.kind === 'GAUGE') row.warned = stillWarned(row.used, row.limit, row.warned);
}

/**
 * Gives `amount` units back, under the key they were taken with; giving back twice, what was never taken, or what was
 * counted in a period that is over changes nothing. Of `taken` units a part may come back, once.
 * Throws Refusal INVALID for an amount below 1, CONFLICT for another than was taken.
 */
export async function release(
  ctx: Context,
  em: EntityManager,
  key: QuotaKey,
  amount: bigint,
  onceKey: string,
  taken = amount,
): Promise<void> {
  checkAmount(amount);
  const held = await lockQuota(ctx, em, key, [onceKey]);
  const receipt = held?.receipts[onceKey];
  if (!held || !receipt) return;
  if (receipt.requestHash !== hashOfUse({ key, amount: taken }) || amount > taken)
    throw new Refusal('CONFLICT', 'Another amount was taken under this key.', 'amount');
  await em.execute('delete from kernel.quota_receipt where key = ? and once_key = ?', [key, onceKey]);
  const { periodEnd = null } = receipt.outcome;
  const isOfThisPeriod = (periodEnd && Date.parse(periodEnd)) === (resetOf(held.row)?.getTime() ?? null);
  if (isOfThisPeriod) lower(held.row, amount);
  await saveQuota(em, key, held);
}

/**
 * Gives back what was told from outside, in whatever portions it was taken; once per `onceKey`. Throws Refusal INVALID for
 * an amount below 1, CONFLICT for more than was told, IDEMPOTENCY_MISMATCH for another request under the key.
 */
export async function releaseReported(ctx: Context, em: EntityManager, asked: Asked): Promise<Outcome> {
  const { key, amount, onceKey } = asked;
  checkAmount(amount);
  const held = await lockQuota(ctx, em, key, [onceKey]);
  const requestHash = hashOfUse(asked);
  const known = held?.receipts[onceKey];
  if (known) return repeated(known, requestHash);
  if (!held || held.row.reported < amount)
    throw new Refusal('CONFLICT', `At most ${held?.row.reported ?? 0n} can be given back.`, 'amount');
  const { row } = held;
  row.reported -= amount;
  lower(row, amount);
  const end = row.periodEnd as Date;
  const expiresAt = new Date(end.getTime() + KEPT_MS);
  await saveQuota(em, key, held, [{ onceKey, requestHash, outcome: { used: String(row.used) }, expiresAt }]);
  return { used: row.used, isRepeated: false };
}

/** What is left of a quota, locked until the transaction ends; null is without end. */
export async function quotaLeft(ctx: Context, em: EntityManager, key: QuotaKey): Promise<bigint | null> {
  const held = await lockQuota(ctx, em, key, []);
  return held ? leftOf(held.row, held.row, ctx.now()) : 0n;
}

/**
 * Sets a gauge to what its owner counts among its rows, beside what was told from outside. A difference is mended and
 * logged. It is counted while the gauge is locked, so that nobody's use comes in between.
 */
export async function recount(
  ctx: Context,
  em: EntityManager,
  key: QuotaKey,
  count: () => Promise<number>,
): Promise<void> {
  const held = await lockQuota(ctx, em, key, []);
  if (held?.row.kind !== 'GAUGE') return;
  const { row } = held;
  const [was, used] = [row.used, BigInt(await count()) + row.reported];
  if (was === used) return;
  ctx.log.warn({ tenantId: ctx.tenantId, key, was: String(was), counted: String(used) }, 'a gauge was off; mended');
  row.used = used;
  row.warned = stillWarned(used, row.limit, row.warned);
  warn(em, key, row);
  await saveQuota(em, key, held);
}

/**
 * Closes the days and periods of the tenant's quotas that are over, whoever used them last. A gauge whose limit was
 * lowered under its use is warned of at the end of its day. Returns the days that were closed, ascending.
 */
export async function turnQuotas(ctx: Context, em: EntityManager): Promise<string[]> {
  const due = await em.execute(
    `select key from kernel.quota where period_end is null or period_end <= ? or day_ends_at is null or day_ends_at <= ?
      order by key`,
    [ctx.now(), ctx.now()],
  );
  const closed = new Set<string>();
  for (const { key } of due as { key: QuotaKey }[]) {
    const held = await lockQuota(ctx, em, key, []);
    if (!held) continue;
    for (const { date } of held.days) closed.add(date);
    if (held.row.kind === 'GAUGE' && held.days.length > 0) warn(em, key, held.row);
    await saveQuota(em, key, held);
  }
  return [...closed].sort();
}
