import type { EventName } from '../../../schema/events.ts';
import type { EntityManager } from '../../_kernel/db.ts';

/**
 * Whether the log holds an event of a name, about the same thing, between two places. Events are heard in any order: who
 * hears one looks whether a later one has taken it back.
 */
export async function isToldBetween(
  em: EntityManager,
  name: EventName,
  about: Record<string, string>,
  after: number | bigint,
  before: number = Number.MAX_SAFE_INTEGER,
): Promise<boolean> {
  const rows = await em.execute(
    'select 1 from kernel.event where name = ? and seq > ? and seq < ? and payload @> ?::jsonb limit 1',
    [name, String(after), before, JSON.stringify(about)],
  );
  return rows.length > 0;
}
