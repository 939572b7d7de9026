import { nextDate } from '../../../schema/calendar.ts';
import { badInput } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import type { UsageDay } from './usage-day.entity.ts';

/** Days that are looked at together at most. */
const MAX_DAYS = 400;
const DAY_MS = 86_400_000;

/** The closed days of a quota from one date to another, both included, in their order. The day that runs is none yet. */
export async function usageHistory(ctx: Context, key: string, from: string, to: string): Promise<UsageDay[]> {
  if (to < from) throw badInput('The last day lies before the first.');
  if (Date.parse(nextDate(to)) - Date.parse(from) > MAX_DAYS * DAY_MS) throw badInput(`At most ${MAX_DAYS} days.`);
  const rows = await (await ctx.em()).execute(
    'select date::text as on_date, key, added, closing, peak from kernel.quota_day where key = ? and date between ? and ? order by date',
    [key, from, to],
  );
  return rows.map((row) => ({
    ...{ date: row.on_date, key: row.key },
    ...{ added: BigInt(row.added), closing: BigInt(row.closing), peak: BigInt(row.peak) },
  }));
}
