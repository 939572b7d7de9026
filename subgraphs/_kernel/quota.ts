import { monthlyPeriod } from '../../schema/calendar.ts';
import { hashOf } from '../../schema/canonical.ts';
import { ClientError, Refusal } from '../../schema/errors.ts';
import { QUOTAS, type QuotaKey, type QuotaPolicy } from '../../schema/features.ts';
import { ceilingOf } from '../../schema/quota.ts';
import type { Context } from './context.ts';
import type { EntityManager } from './db.ts';
import { emit } from './events.ts';

/** Shares of a limit at which its owner is warned, percent. */
const WARN_AT = [80, 100] as const;
/** A gauge that fell this far below a threshold warns again, percentage points. */
const REARM_BELOW = 5;

interface QuotaRow {
  kind: 'GAUGE' | 'COUNTER';
  limit: bigint | null;
  policy: QuotaPolicy;
  margin: number;
  used: bigint;
  anchorDay: number;
  zone: string;
  periodStart: Date | null;
  periodEnd: Date | null;
  warned: number[];
}

/** Locks a counter's row for the rest of the transaction and turns its period if that is over. */
async function lockQuota(ctx: Context, em: EntityManager, key: QuotaKey): Promise<QuotaRow> {
  const [raw] = await em.execute('select * from kernel.quota where key = ? for update', [key]);
  if (!raw)
    return {
      kind: QUOTAS[key].kind,
      limit: 0n,
      policy: 'HARD',
      margin: 0,
      used: 0n,
      anchorDay: 1,
      zone: 'UTC',
      periodStart: null,
      periodEnd: null,
      warned: [],
    };
  const row: QuotaRow = {
    kind: raw.kind,
    limit: raw.limit === null ? null : BigInt(raw.limit),
    policy: raw.policy,
    margin: raw.soft_margin_percent,
    used: BigInt(raw.used),
    anchorDay: raw.anchor_day,
    zone: raw.zone,
    periodStart: raw.period_start && new Date(raw.period_start),
    periodEnd: raw.period_end && new Date(raw.period_end),
    warned: raw.warned,
  };
  if (row.kind === 'COUNTER' && (!row.periodEnd || row.periodEnd <= ctx.now())) {
    const period = monthlyPeriod(ctx.now(), row.anchorDay, row.zone);
    Object.assign(row, { used: 0n, warned: [], periodStart: period.start, periodEnd: period.end });
  }
  return row;
}

async function save(em: EntityManager, key: QuotaKey, row: QuotaRow): Promise<void> {
  await em.execute(
    'update kernel.quota set used = ?, warned = ?::int[], period_start = ?, period_end = ? where key = ?',
    [row.used.toString(), `{${row.warned.join(',')}}`, row.periodStart, row.periodEnd, key],
  );
}

/** The thresholds that use has newly reached: `used × 100 ≥ limit × percent`. */
export function newlyReached(used: bigint, limit: bigint | null, warned: readonly number[]): number[] {
  if (limit === null || limit === 0n) return [];
  return WARN_AT.filter((percent) => !warned.includes(percent) && used * 100n >= limit * BigInt(percent));
}

function checkAmount(amount: bigint): void {
  if (amount < 1n) throw new Refusal('INVALID', 'An amount is a whole number from 1.', 'amount');
}

const sentence = (key: QuotaKey, row: QuotaRow) =>
  `The plan allows ${row.limit} ${QUOTAS[key].label} and ${row.used} are in use.`;

/**
 * Takes `amount` base units of a quota in the caller's transaction, so that what is refused or rolled back costs
 * nothing. The same `onceKey` with the same request counts once.
 * Throws QUOTA_EXCEEDED over the limit, Refusal INVALID for an amount below 1, IDEMPOTENCY_MISMATCH for another
 * request under the key.
 */
export async function consume(
  ctx: Context,
  em: EntityManager,
  key: QuotaKey,
  amount: bigint,
  onceKey: string,
): Promise<void> {
  checkAmount(amount);
  const row = await lockQuota(ctx, em, key);
  const requestHash = hashOf({ key, amount });
  const [receipt] = await em.execute('select request_hash from kernel.quota_receipt where key = ? and once_key = ?', [
    key,
    onceKey,
  ]);
  if (receipt) {
    if (receipt.request_hash !== requestHash)
      throw new Refusal('IDEMPOTENCY_MISMATCH', 'This key was used for another amount.', 'idempotencyKey');
    return;
  }
  const ceiling = ceilingOf(row.limit, row.policy, row.margin);
  if (ceiling !== null && row.used + amount > ceiling) {
    throw new ClientError('QUOTA_EXCEEDED', sentence(key, row), {
      key,
      limit: String(row.limit),
      used: row.used.toString(),
      resetsAt: row.periodEnd?.toISOString() ?? null,
      licenseVersion: ctx.envelope.licenseVersion,
    });
  }
  row.used += amount;
  for (const percent of newlyReached(row.used, row.limit, row.warned)) {
    row.warned = [...row.warned, percent];
    emit(em, 'licensing.quota.threshold_reached', {
      key,
      percent,
      used: row.used.toString(),
      limit: String(row.limit),
      periodEnd: row.periodEnd?.toISOString() ?? null,
    });
  }
  await save(em, key, row);
  await em.execute(
    'insert into kernel.quota_receipt (key, once_key, request_hash, outcome) values (?, ?, ?, ?::jsonb)',
    [key, onceKey, requestHash, JSON.stringify({ used: row.used.toString() })],
  );
}

/**
 * Gives `amount` units of a gauge back, under the key they were taken with; giving back twice, or what was never
 * taken, changes nothing. Throws Refusal INVALID for an amount below 1, CONFLICT for another than was taken.
 */
export async function release(
  ctx: Context,
  em: EntityManager,
  key: QuotaKey,
  amount: bigint,
  onceKey: string,
): Promise<void> {
  checkAmount(amount);
  const row = await lockQuota(ctx, em, key);
  const [taken] = await em.execute(
    'delete from kernel.quota_receipt where key = ? and once_key = ? returning request_hash',
    [key, onceKey],
  );
  if (!taken) return;
  if (taken.request_hash !== hashOf({ key, amount }))
    throw new Refusal('CONFLICT', 'Another amount was taken under this key.', 'amount');
  row.used = row.used > amount ? row.used - amount : 0n;
  const { limit } = row;
  row.warned = row.warned.filter(
    (percent) => limit !== null && row.used * 100n >= limit * BigInt(percent - REARM_BELOW),
  );
  await save(em, key, row);
}
