import type { LoggedEvent } from '../../../schema/events.ts';
import type { Context } from '../../_kernel/context.ts';
import { logHead, readEventsNamed } from '../../_kernel/events.ts';
import { interruptible } from '../../_kernel/interruptible.ts';
import { type Beginning, follow, PlacedItem } from '../../_kernel/live.ts';
import { ownLicense } from './license.service.ts';
import { LicenseChange } from './license-change.entity.ts';
import type { FeatureEnd, LicenseUpdate } from './license-update.entity.ts';

/** Versions a reader may have missed and still be told one by one. */
const MAX_DELTAS = 1_000;
/** How far back they may lie, days. */
const MAX_AGE_DAYS = 90;
const DAY_MS = 86_400_000;

const CHANGED = 'licensing.license.changed';
type ChangedEvent = LoggedEvent<typeof CHANGED>;
/** With its tenant a licence's stream ends. */
const CLOSED = 'tenancy.tenant.closed';

/**
 * The licence of the caller's tenant, live (R9): its present version, or with `after` the versions since that one, and
 * then each new one in order. A reader that falls too far behind is told the present version instead. It ends when the
 * tenant closes, and says so.
 */
export function licenseUpdates(ctx: Context, after: number | null): AsyncGenerator<LicenseUpdate> {
  let asked = ctx.following?.after === undefined ? after : null; // whoever is further already is behind that place
  let told = 0;
  const begin = async (reader: Context): Promise<Beginning<LicenseUpdate>> => {
    const upTo = await logHead(await reader.em());
    const missed = asked === null ? null : await deltasSince(reader, asked, upTo);
    const start = missed ?? { upTo, first: [await snapshot(reader)] };
    asked = null; // whoever begins anew has fallen behind
    told = start.first.at(-1)?.version ?? told;
    return start;
  };
  const stream = follow(ctx, begin, async (events, reader) => {
    const news = events.filter((event): event is ChangedEvent => event.name === CHANGED);
    const fresh = await deltasOf(
      reader,
      news.filter((event) => event.payload.version > told),
    );
    told = fresh.at(-1)?.version ?? told;
    const closed = events.find((event) => event.name === CLOSED);
    return closed ? [...fresh, await ended(reader, closed, told)] : fresh;
  });
  return interruptible(untilEnded(stream), () => void stream.return(undefined));
}

async function* untilEnded(stream: AsyncGenerator<LicenseUpdate>): AsyncGenerator<LicenseUpdate> {
  for await (const item of stream) {
    yield item;
    const [update] = item instanceof PlacedItem ? (item.told as LicenseUpdate[]) : [item];
    if (update?.kind === 'ENDED') return;
  }
}

async function ended(ctx: Context, event: LoggedEvent, version: number): Promise<LicenseUpdate> {
  const committed = await commitTimes(ctx, [event]);
  const none = { previousVersion: null, changedKeys: [], endedFeatures: [], reason: 'TENANT_CLOSED' };
  return { kind: 'ENDED', version, ...none, effectiveAt: event.at, committedAt: committed.get(event.seq) ?? event.at };
}

/**
 * Every version after `version` in a log that ends at `upTo`, each in its own place; null where only the present one
 * helps: none, too many or too old are missing.
 */
async function deltasSince(ctx: Context, version: number, upTo: number): Promise<Beginning<LicenseUpdate> | null> {
  const license = await ownLicense(ctx);
  if (!license || version < 0 || version >= license.version || license.version - version > MAX_DELTAS) return null;
  const place = await placeOf(ctx, version);
  if (place === null) return null;
  const events = await readEventsNamed(await ctx.em(), CHANGED, place, MAX_DELTAS);
  const oldest = events[0];
  const isWhole =
    oldest?.payload.previousVersion === version && ctx.now().getTime() - oldest.at.getTime() <= MAX_AGE_DAYS * DAY_MS;
  if (!isWhole) return null;
  const ends = [place, ...events.slice(0, -1).map(({ seq }) => seq), upTo];
  const places = events.map((_, i) => ({ after: ends[i], upTo: Number(ends[i + 1]) }));
  return { upTo, first: await deltasOf(ctx, events), places };
}

/** The place in the log of the event that told a version; null when the log does not hold it. */
async function placeOf(ctx: Context, version: number): Promise<number | null> {
  if (version === 0) return 0;
  const em = await ctx.em();
  const change = await em.findOne(LicenseChange, { version });
  const [event] = change ? await em.execute('select seq from kernel.event where id = ?', [change.eventId]) : [];
  return event ? Number(event.seq) : null;
}

async function deltasOf(ctx: Context, events: readonly ChangedEvent[]): Promise<LicenseUpdate[]> {
  const committed = await commitTimes(ctx, events);
  return events.map(({ seq, at, payload }) => ({
    kind: 'DELTA',
    version: payload.version,
    previousVersion: payload.previousVersion,
    changedKeys: payload.changedKeys,
    endedFeatures: payload.endedFeatures as FeatureEnd[],
    reason: payload.reason ?? null,
    effectiveAt: new Date(payload.effectiveAt),
    committedAt: committed.get(seq) ?? at,
  }));
}

async function commitTimes(ctx: Context, events: readonly LoggedEvent[]): Promise<Map<number, Date>> {
  if (events.length === 0) return new Map();
  const em = await ctx.em();
  const rows = await em.execute('select seq, committed_at from kernel.event where seq = any(?::bigint[])', [
    `{${events.map((event) => event.seq).join(',')}}`,
  ]);
  return new Map(rows.map((row) => [Number(row.seq), new Date(row.committed_at)]));
}

async function snapshot(ctx: Context): Promise<LicenseUpdate> {
  const em = await ctx.em();
  const license = await ownLicense(ctx);
  const last = license && (await em.findOne(LicenseChange, { version: license.version }));
  const none = { previousVersion: null, changedKeys: [], endedFeatures: [], reason: null };
  const [effectiveAt, committedAt] = [last?.effectiveAt ?? ctx.now(), last?.at ?? ctx.now()];
  return { kind: 'SNAPSHOT', version: license?.version ?? 0, ...none, effectiveAt, committedAt };
}
