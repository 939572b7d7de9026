import { uuidv7 } from 'uuidv7';
import type { EventName, Events, LoggedEvent } from '../../schema/events.ts';
import { type EntityManager, PLATFORM_TENANT } from './db.ts';
import type { Ear } from './fan-out.ts';
import { withTheNext } from './transaction.ts';

export type FeedName = 'licenses' | 'grants' | 'tenants' | 'hosts';

interface Work {
  events: object[];
  platformEvents: object[];
  feed: { name: FeedName; subject: string }[];
  timers: { task: string; at: Date; tenantId?: string }[];
  isCounted?: true;
}

/** What a transaction will tell when it commits, by its EntityManager. */
const work = new WeakMap<EntityManager, Work>();

function workOf(em: EntityManager): Work {
  const held = work.get(em) ?? { events: [], platformEvents: [], feed: [], timers: [] };
  work.set(em, held);
  return held;
}

/**
 * Writes an event into the tenant's log when this transaction commits, and not otherwise. Its hearers' jobs are
 * enqueued in the same transaction. What is about a person goes into `personal`, which erasure can blank.
 */
export function emit<N extends EventName>(
  em: EntityManager,
  name: N,
  payload: Events[N],
  personal?: Record<string, unknown>,
): string {
  const id = uuidv7();
  workOf(em).events.push({ id, name, payload, personal: personal ?? null });
  return id;
}

/** The same for the platform's log: what the platform must act on. The payload names the tenant it is about. */
export function emitToPlatform<N extends EventName>(
  em: EntityManager,
  name: N,
  payload: Events[N],
  personal?: Record<string, unknown>,
): void {
  workOf(em).platformEvents.push({ id: uuidv7(), name, payload, personal: personal ?? null });
}

/** Tells every gateway that something it holds a copy of has changed. */
export function tellGateways(em: EntityManager, name: FeedName, subject: string): void {
  workOf(em).feed.push({ name, subject });
}

/**
 * Runs one of its subgraph's `timers` in the transaction's tenant at an instant of that tenant's clock, once this is
 * committed. Setting it again moves it.
 * @param task `licensing.advanceLicense`
 */
export function setTimer(em: EntityManager, task: string, at: Date): void {
  workOf(em).timers.push({ task, at });
}

/** The same for another tenant, for the control plane's work on many; the instant is on the clock of the transaction. */
export function setTimerOf(em: EntityManager, tenantId: string, task: string, at: Date): void {
  workOf(em).timers.push({ task, at, tenantId });
}

/** Notes that a counter of the tenant was used in this transaction: where it is a copy, its owner is told. */
export function noteUse(em: EntityManager): void {
  workOf(em).isCounted = true;
}

/** What a transaction of a tenant told, to be passed on once it is committed. */
export interface Told {
  /** Feeds of the gateways it wrote to. */
  feeds: FeedName[];
  ears: Ear[];
  /** Whether it wrote into a log. */
  hasEvents: boolean;
  isCounted: boolean;
}

export const NOTHING_TOLD: Told = { feeds: [], ears: [], hasEvents: false, isCounted: false };

/** The last statement of a writing transaction, which goes with its commit. */
export async function finish(em: EntityManager, tenantId: string): Promise<Told> {
  const held = work.get(em);
  if (!held) return NOTHING_TOLD;
  work.delete(em);
  const { isCounted = false, ...told } = held;
  if (Object.values(told).some(({ length }) => length > 0))
    await withTheNext(() => em.execute('select kernel.finish(?::jsonb)', [JSON.stringify(told)]));
  const feeds = [...new Set(held.feed.map(({ name }) => name))];
  const ears: Ear[] = feeds.map((name) => `feed:${name}` as const);
  if (held.events.length > 0) ears.push(`tenant:${tenantId}`);
  if (held.platformEvents.length > 0) ears.push(`tenant:${PLATFORM_TENANT}`);
  return { feeds, ears, hasEvents: held.events.length + held.platformEvents.length > 0, isCounted };
}

interface EventRow {
  tenant_id: string;
  seq: string | bigint | number;
  id: string;
  name: EventName;
  at: Date | string;
  actor: string | null;
  acting_for: string | null;
  payload: Events[EventName];
  personal: Record<string, unknown> | null;
}

const toEvent = (row: EventRow): LoggedEvent => ({
  tenantId: row.tenant_id,
  seq: Number(row.seq),
  id: row.id,
  name: row.name,
  at: new Date(row.at),
  actor: row.actor,
  actingFor: row.acting_for,
  payload: row.payload,
  personal: row.personal,
});

const COLUMNS = 'tenant_id, seq, id, name, at, actor, acting_for, payload, personal';

/** The tenant's events after `seq`, in order. Reading on from the last one misses nothing, whoever writes meanwhile. */
export async function readLog(em: EntityManager, after: number, limit: number): Promise<LoggedEvent[]> {
  const rows = await em.execute(`select ${COLUMNS} from kernel.event where seq > ? order by seq limit ?`, [
    after,
    limit,
  ]);
  return rows.map((row) => toEvent(row as unknown as EventRow));
}

/** One event of the tenant's log by its place. */
export async function readEvent(em: EntityManager, seq: number): Promise<LoggedEvent | undefined> {
  const [row] = await em.execute(`select ${COLUMNS} from kernel.event where seq = ?`, [seq]);
  return row && toEvent(row as unknown as EventRow);
}

/** The tenant's events of one name, newest last, at most `limit` of those whose place is after `after`. */
export async function readEventsNamed<N extends EventName>(
  em: EntityManager,
  name: N,
  after: number,
  limit: number,
): Promise<LoggedEvent<N>[]> {
  const rows = await em.execute(`select ${COLUMNS} from kernel.event where name = ? and seq > ? order by seq limit ?`, [
    name,
    after,
    limit,
  ]);
  return rows.map((row) => toEvent(row as unknown as EventRow) as unknown as LoggedEvent<N>);
}

/** The newest event of a name in the tenant's log. */
export async function newestEventNamed<N extends EventName>(
  em: EntityManager,
  name: N,
): Promise<LoggedEvent<N> | undefined> {
  const [row] = await em.execute(`select ${COLUMNS} from kernel.event where name = ? order by seq desc limit 1`, [
    name,
  ]);
  return row && (toEvent(row as unknown as EventRow) as unknown as LoggedEvent<N>);
}

/** The place of the newest event in the tenant's log; 0 when it is empty. */
export async function logHead(em: EntityManager): Promise<number> {
  const [row] = await em.execute('select seq from kernel.event_head');
  return row ? Number(row.seq) : 0;
}

export interface FeedRow {
  seq: number;
  tenantId: string | null;
  subject: string;
}

/**
 * A gateway feed after `seq`, in commit order, and where its end was at that moment. The end is read first: what is
 * committed between the two statements belongs to the next page, and whoever goes on from the end does not miss it.
 */
export async function readFeed(
  em: EntityManager,
  name: FeedName,
  after: number,
  limit: number,
): Promise<{ head: number; rows: FeedRow[] }> {
  const [end] = await em.execute('select seq from kernel.feed_head where name = ?', [name]);
  const head = Number(end?.seq ?? 0);
  if (head <= after || limit === 0) return { head, rows: [] };
  const rows = await em.execute(
    'select seq, tenant_id, subject from kernel.feed where name = ? and seq > ? and seq <= ? order by seq limit ?',
    [name, after, head, limit],
  );
  return { head, rows: rows.map((row) => ({ seq: Number(row.seq), tenantId: row.tenant_id, subject: row.subject })) };
}
