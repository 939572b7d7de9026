import { setTimeout as sleep } from 'node:timers/promises';
import { ClientError } from '../../schema/errors.ts';
import type { QuotaKey } from '../../schema/features.ts';
import type { Context } from './context.ts';
import type { EntityManager } from './db.ts';
import { noteUse } from './events.ts';
import { type Counted, plainUntil, type QuotaTerms, type TopUp, type Turned, turned } from './quota.rules.ts';

/** How long limits may be older than the licence the caller knows, milliseconds, and how often that is looked at. */
const PATIENCE_MS = 500;
const POLL_MS = 20;

/** What was counted under a key. */
export interface Receipt {
  requestHash: string;
  outcome: { used: string; periodEnd?: string | null };
}

/** Counts a use of which nothing is to be decided; the use after it, or null where something is. */
export async function countPlainly(
  ctx: Context,
  em: EntityManager,
  { key, amount, onceKey }: { key: QuotaKey; amount: bigint; onceKey: string },
  requestHash: string,
): Promise<bigint | null> {
  const [row] = await em.execute('select kernel.count_plainly(?, ?, ?, ?, ?, ?) as used', [
    ...[key, String(amount), onceKey, requestHash, ctx.envelope.licenseVersion, ctx.now()],
  ]);
  if (row?.used != null) noteUse(em);
  return wholeOrNull(row?.used ?? null);
}

/** A counter that is locked until the transaction ends, turned to the present. */
export interface Held extends Turned {
  /** What was counted already, by the keys that were asked for. */
  receipts: Partial<Record<string, Receipt>>;
}

export interface NewReceipt extends Receipt {
  onceKey: string;
  /** Null as long as it is not given back. */
  expiresAt: Date | null;
}

type Row = Record<string, unknown>;
const whole = (value: unknown) => BigInt(value as string);
const wholeOrNull = (value: unknown) => (value === null ? null : whole(value));
const dateOrNull = (value: unknown) => (value === null ? null : new Date(value as string));

/** A top-up as JSON holds it. */
export const topUpOf = (row: Row): TopUp => ({
  grantId: row.grantId as string,
  remaining: whole(row.remaining),
  priority: row.priority as number,
  startsAt: new Date(row.startsAt as string),
  expiresAt: dateOrNull(row.expiresAt),
  rolloverMax: whole(row.rolloverMax),
});
const exactJson = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? part.toString() : part));
export const topUpsJson = (topUps: readonly TopUp[]): string => exactJson(topUps);

/** What a quota goes by, as its row holds it. */
export const termsOf = (row: Row): QuotaTerms => ({
  limit: wholeOrNull(row.limit),
  policy: row.policy as QuotaTerms['policy'],
  marginPercent: row.soft_margin_percent as number,
  overageCap: wholeOrNull(row.overage_cap),
  unitRate: row.unit_rate as string | null,
});

/** What waits for its next period, which the row holds as JSON. */
export function nextOf({ next }: Row): QuotaTerms | null {
  if (!next) return null;
  const { limit, policy, marginPercent, overageCap, unitRate } = next as Row;
  return termsOf({ limit, policy, soft_margin_percent: marginPercent, overage_cap: overageCap, unit_rate: unitRate });
}
export const nextJson = (next: QuotaTerms | null): string | null => (next ? exactJson(next) : null);

/** A counter as its row holds it, with its day as text. */
export const countedOf = (row: Row): Counted => ({
  kind: row.kind as Counted['kind'],
  ...termsOf(row),
  next: nextOf(row),
  topUps: (row.top_ups as Row[]).map(topUpOf),
  used: whole(row.used),
  toppedUp: whole(row.topped_up),
  reported: whole(row.reported),
  anchorDay: row.anchor_day as number,
  zone: row.zone as string,
  periodStart: dateOrNull(row.period_start),
  periodEnd: dateOrNull(row.period_end),
  warned: row.warned as number[],
  day: row.day as string | null,
  dayEndsAt: dateOrNull(row.day_ends_at),
  dayAdded: whole(row.day_added),
  dayPeak: whole(row.day_peak),
  highestClosing: whole(row.highest_closing),
});

/**
 * Locks a counter for the rest of the transaction, with the receipts of the given keys; null where the tenant has no
 * licence. Limits older than the licence the caller knows are on their way: they are waited for, and after half a second
 * it is OVERLOADED.
 */
export async function lockQuota(
  ctx: Context,
  em: EntityManager,
  key: QuotaKey,
  onceKeys: readonly string[],
): Promise<Held | null> {
  for (const until = Date.now() + PATIENCE_MS; ; await sleep(POLL_MS)) {
    const [found] = await em.execute(
      'select (l.quota).*, (l.quota).day::text as day, l.receipts from kernel.lock_quota(?, ?::jsonb, ?) l',
      [key, JSON.stringify(onceKeys), ctx.envelope.licenseVersion],
    );
    if (!found) return null;
    if (found.receipts !== null) return { ...turned(countedOf(found), ctx.now()), receipts: found.receipts };
    if (Date.now() > until)
      throw new ClientError('OVERLOADED', 'A change of the licence is on its way. Please try again in a moment.');
  }
}

/** Writes a locked counter back, with what it closed and the new receipts. */
export async function saveQuota(
  em: EntityManager,
  key: QuotaKey,
  { row, days, periods }: Turned,
  receipts: readonly NewReceipt[] = [],
): Promise<void> {
  noteUse(em);
  await em.execute(
    `with counted as (
       update kernel.quota set used = ?, topped_up = ?, reported = ?, top_ups = ?::jsonb, warned = ?::int[], period_start = ?,
              period_end = ?, day = ?, day_ends_at = ?, day_added = ?, day_peak = ?, highest_closing = ?, plain_until = ?,
              "limit" = ?, policy = ?, soft_margin_percent = ?, overage_cap = ?, unit_rate = ?, next = ?::jsonb where key = ?)
     insert into kernel.quota_receipt (key, once_key, request_hash, outcome, expires_at)
     select ?, r."onceKey", r."requestHash", r.outcome, r."expiresAt"
       from jsonb_to_recordset(?::jsonb) r ("onceKey" text, "requestHash" text, outcome jsonb, "expiresAt" timestamptz)`,
    [
      ...[row.used, row.toppedUp, row.reported].map(String),
      ...[topUpsJson(row.topUps), `{${row.warned.join(',')}}`, row.periodStart, row.periodEnd],
      ...[row.day, row.dayEndsAt, String(row.dayAdded), String(row.dayPeak), String(row.highestClosing)],
      ...[String(plainUntil(row)), row.limit?.toString() ?? null, row.policy, row.marginPercent],
      ...[row.overageCap?.toString() ?? null, row.unitRate, nextJson(row.next), key],
      ...[key, JSON.stringify(receipts)],
    ],
  );
  for (const { date, added, closing, peak } of days)
    await em.execute(
      'insert into kernel.quota_day (key, date, added, closing, peak) values (?, ?, ?, ?, ?) on conflict do nothing',
      [key, date, String(added), String(closing), String(peak)],
    );
  for (const { start, end, used, included, unitRate } of periods)
    await em.execute(
      `insert into kernel.metered_period (key, period_start, period_end, used, included, unit_rate)
       values (?, ?, ?, ?, ?, ?) on conflict do nothing`,
      [key, start, end, String(used), String(included), unitRate],
    );
}
