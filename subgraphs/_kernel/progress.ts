import { asWhole, keyIn } from '../../schema/cursor.ts';
import type { LoggedEvent } from '../../schema/events.ts';
import type { Context } from './context.ts';
import { logHead, readLog } from './events.ts';

/** Events a stream reads to catch up; one that is further behind begins with a snapshot. */
const MAX_MISSED = 5_000;
const PAGE = 500;

/** How far in the tenant's log a stream has told; 0 is nothing yet. */
export interface Progress {
  at: number;
}

/** Where a stream goes on, from the cursor its client gave, or BAD_USER_INPUT. */
export function progressFrom(after: string | null): Progress {
  return { at: after === null ? 0 : keyIn(after, asWhole) };
}

/** The end of the log, and the events since; without them a stream has to begin with a snapshot. */
export async function eventsSince(
  reader: Context,
  { at }: Progress,
): Promise<{ head: number; missed?: LoggedEvent[] }> {
  const em = await reader.em();
  const head = await logHead(em);
  if (at === 0 || at < reader.logFrom || at > head || head - at > MAX_MISSED) return { head };
  const missed: LoggedEvent[] = [];
  while (at + missed.length < head) {
    const page = await readLog(em, at + missed.length, PAGE);
    if (page.length === 0) break;
    missed.push(...page);
  }
  return { head, missed: missed.filter((event) => event.seq <= head) };
}
