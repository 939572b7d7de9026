import { LockMode } from '@mikro-orm/postgresql';
import { uuidv7 } from 'uuidv7';
import { asWhole, keyAfter } from '../../../schema/cursor.ts';
import { badInput, Refusal } from '../../../schema/errors.ts';
import { QUOTAS, type QuotaKey } from '../../../schema/features.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit, setTimer } from '../../_kernel/events.ts';
import { findTenantProfile } from '../../_kernel/tenant-profile.ts';
import { type PriceLine, storedLine } from '../catalogue/price.rules.ts';
import { nextLapse, stateAt } from '../terms/license.rules.ts';
import { renewalDueAt } from '../terms/renewal.rules.ts';
import type { Due } from './due.service.ts';
import { copyToKernel, writeLimits } from './entitlement.service.ts';
import { License } from './license.entity.ts';
import { LicenseChange } from './license-change.entity.ts';
import {
  changedBetween,
  changedEvent,
  endedBetween,
  isChangeKey,
  type LicenseChangeCause,
  limitsBetween,
  movesBetween,
  nextMove,
  snapshotOf,
  startedBetween,
  valuesOf,
} from './license-change.rules.ts';
import { type Held, newestLicense, readHeld } from './license-facts.service.ts';
import type { PlannedChange } from './planned-change.entity.ts';
import { applyWanted, type Planned, settle, tellChange, toldOf } from './planned-change.service.ts';

/** The largest integer of PostgreSQL; a cursor above it is as good as none. */
const MAX_VERSION = 2_147_483_647;

/** Why a licence changes, and what it costs. */
export interface Told {
  cause: LicenseChangeCause;
  reason?: string | null;
  lines?: readonly PriceLine[];
  /** What shall be kept where a lowered limit freezes the rest, by quota. */
  keep?: Partial<Record<QuotaKey, readonly string[]>>;
  /** The change that waits from now on. */
  planned?: PlannedChange;
}

/** The licence after a use case, and the history row of its change; null when nothing had an effect. */
export interface Changed {
  license: License;
  change: LicenseChange | null;
}

/**
 * Changes the tenant's licence: locks it, writes down what time alone has changed since, lets `apply` change its rows,
 * and makes one version of the difference: history, events, what kernel and gateways hold. Refuses with NOT_FOUND a
 * tenant that is unknown or has no licence, with INVALID_STATE a revoked licence.
 */
export async function changing(
  ctx: Context,
  em: EntityManager,
  apply: (held: Held) => Promise<Told> | Told,
): Promise<Changed> {
  const license = await lockLicense(em);
  const { held, moves } = await recordMoves(ctx, em, await readOne(ctx, em, inForce(license)));
  const told = await apply(held);
  await em.flush();
  return finishChange(ctx, em, license, told, moves.length > 0);
}

/** The same for a licence that was just made: its version 1. */
export function issuing(ctx: Context, em: EntityManager, license: License, told: Told): Promise<Changed> {
  return finishChange(ctx, em, license, told, false);
}

/**
 * Writes down what time alone has changed in the licence of the caller's tenant: a version for each instant. Again, it
 * changes nothing. Refuses with NOT_FOUND where there is no licence.
 */
export function advanceLicense(ctx: Context): Promise<LicenseChange[]> {
  return ctx.tx(async (em) => {
    const { held, moves } = await recordMoves(ctx, em, await readOne(ctx, em, await lockLicense(em)));
    if (moves.length > 0) await publish(ctx, em, held);
    else watchClock(em, held.license); // a sandbox's may have moved
    return moves;
  });
}

/**
 * Does the same, and writes what kernel and gateways hold anew even if nothing moved: the version stays then. Refuses
 * with NOT_FOUND a tenant that is unknown or has no licence.
 */
export function refreshLicense(ctx: Context): Promise<Changed> {
  return ctx.tx(async (em) => {
    const { held, moves } = await recordMoves(ctx, em, await readOne(ctx, em, await lockLicense(em)));
    await publish(ctx, em, held);
    return { license: held.license, change: moves.at(-1) ?? null };
  });
}

/** Time has moved the licence, and nobody has written it down. */
export const MOVED_BY_TIME: Due = { condition: 'l.next_transition_at <= t.tenant_now', order: 'l.next_transition_at' };

async function finishChange(
  ctx: Context,
  em: EntityManager,
  license: License,
  told: Told,
  isMoved: boolean,
): Promise<Changed> {
  const held = await readOne(ctx, em, license);
  const change = record(ctx, em, held, ctx.now(), told);
  if (change || isMoved) await publish(ctx, em, held);
  return { license, change };
}

/** What follows every new version: when time will make the next one, and what kernel and gateways hold. */
async function publish(ctx: Context, em: EntityManager, held: Held): Promise<void> {
  const { license, facts } = held;
  license.nextTransitionAt = nextMove(facts, ctx.now());
  license.lapsesAt = nextLapse(facts, license.lapsedSince);
  const { terms, askedUntil } = license;
  license.renewalDueAt = renewalDueAt({ ...facts, terms, askedUntil }, stateAt(facts, ctx.now()));
  watchClock(em, license);
  await em.flush();
  await copyToKernel(ctx, em, held);
}

/** What time makes of a licence is written down at its instant; a sweep each minute finds what was missed. */
function watchClock(em: EntityManager, { nextTransitionAt }: License): void {
  if (nextTransitionAt) setTimer(em, 'licensing.advanceLicense', nextTransitionAt);
}

/** Locks the tenant's licence and reads it, for work that makes no version. Refuses as `changing` does. */
export const lockHeld = async (ctx: Context, em: EntityManager): Promise<Held> =>
  readOne(ctx, em, inForce(await lockLicense(em)));

function inForce(license: License): License {
  if (license.revokedAt) throw new Refusal('INVALID_STATE', 'This licence is revoked.', 'tenantId');
  return license;
}

async function lockLicense(em: EntityManager): Promise<License> {
  const license = await newestLicense(em, LockMode.PESSIMISTIC_WRITE);
  if (license) return license;
  const tenant = await findTenantProfile(em);
  throw new Refusal('NOT_FOUND', tenant ? 'This tenant has no licence.' : 'There is no such tenant.', 'tenantId');
}

async function readOne(ctx: Context, em: EntityManager, license: License): Promise<Held> {
  const [held] = await readHeld(em, [license], ctx.machinery.config);
  return held as Held;
}

/**
 * One version for each instant at which time alone has changed something since the last one, in their order; a scheduled
 * change whose instant has come is carried out at its place among them.
 */
async function recordMoves(
  ctx: Context,
  em: EntityManager,
  known: Held,
): Promise<{ held: Held; moves: LicenseChange[] }> {
  const moves: (LicenseChange | null)[] = [];
  let held = known;
  let since = held.license.snapshotAt ?? ctx.now();
  for (;;) {
    const [at] = movesBetween(held.facts, since, ctx.now());
    if (!at) break;
    since = at;
    const { scheduled } = held.facts;
    if (held.planned && scheduled?.at.getTime() === at.getTime()) {
      const { change, after } = await applyScheduled(ctx, em, held, held.planned, at);
      moves.push(change);
      held = after;
    } else moves.push(record(ctx, em, held, at, { cause: 'TIME' }));
    if (moves.at(-1)?.changedKeys.some((key) => key.startsWith('limits.'))) await writeLimits(ctx, em, held, at);
  }
  await em.flush();
  return { held, moves: moves.filter((move) => move !== null) };
}

/** Carries out a scheduled change at its instant, and tells billing what it costs. */
async function applyScheduled(ctx: Context, em: EntityManager, held: Held, planned: Planned, at: Date) {
  const { row } = planned;
  settle(ctx, row, 'APPLIED');
  applyWanted(em, held, planned, at);
  await em.flush();
  const after = await readOne(ctx, em, held.license);
  const change = record(ctx, em, after, at, { cause: row.cause, keep: row.keep });
  const told = toldOf(row, planned, change?.version ?? held.license.version);
  tellChange(ctx, em, 'licensing.change.applied', { ...told, status: 'APPLIED' });
  return { change, after };
}

/** Makes the next version if the licence says something else than its last one; otherwise nothing, and null. */
function record(ctx: Context, em: EntityManager, held: Held, at: Date, told: Told): LicenseChange | null {
  const { license, facts } = held;
  const [before, after] = [license.snapshot, snapshotOf(facts, at)];
  const changedKeys = changedBetween(before, after);
  if (changedKeys.length === 0) return null;
  const previousVersion = license.snapshotAt ? license.version : license.version - 1;
  const version = previousVersion + 1;
  Object.assign(license, { version, snapshot: after, snapshotAt: at });
  const { cause } = told;
  const eventId = emit(
    em,
    'licensing.license.changed',
    changedEvent(before, after, facts, at, { version, previousVersion, changedKeys, cause }),
  );
  for (const started of startedBetween(before, after)) emit(em, 'licensing.feature.started', { ...started, version });
  for (const ended of endedBetween(before, after)) emit(em, 'licensing.feature.ended', { ...ended, version });
  for (const { isRaised, ...limit } of limitsBetween(before, after)) {
    if (isRaised) emit(em, 'licensing.limit.raised', { ...limit, version });
    else {
      const treatment = QUOTAS[limit.key].onReduction;
      emit(em, 'licensing.limit.reduced', {
        ...limit,
        ...{ treatment, keepIds: [...(told.keep?.[limit.key] ?? [])], version },
      });
    }
  }
  const { planned } = told;
  const change = em.create(LicenseChange, {
    id: planned?.id ?? uuidv7(),
    licenseId: license.id,
    version,
    previousVersion,
    changedKeys,
    before: valuesOf(before, changedKeys),
    after: valuesOf(after, changedKeys),
    cause,
    actor: told.cause === 'TIME' ? 'SYSTEM' : (ctx.actorId ?? ctx.envelope.caller.kind),
    reason: told.reason ?? null,
    status: planned?.status ?? 'APPLIED',
    effectiveAt: planned?.effectiveAt ?? at,
    lines: planned?.lines ?? (told.lines ?? []).map(storedLine),
    eventId,
    at: ctx.now(),
  });
  em.persist(change);
  return change;
}

/** The history of the caller's licence, newest first; with `keys` only versions that changed one of them. */
export async function licenseHistory(
  ctx: Context,
  page: PageArgs,
  keys: string[] | null,
): Promise<Connection<LicenseChange>> {
  const unknown = keys?.find((key) => !isChangeKey(key));
  if (unknown !== undefined) throw badInput(`Unknown part of a licence: ${unknown.slice(0, 40)}.`);
  const em = await ctx.em();
  const after = keyAfter(page, asWhole);
  const rows = await em.find(
    LicenseChange,
    {
      ...(after === null ? {} : { version: { $lt: Math.min(after, MAX_VERSION) } }),
      ...(keys ? { changedKeys: { $overlap: keys } } : {}),
    },
    { orderBy: { version: 'desc' }, limit: page.first + 1 },
  );
  return connect(rows, page, (change) => [change.version]);
}

/** One change of the caller's licence. */
export async function licenseChangeById(ctx: Context, id: string): Promise<LicenseChange | null> {
  return isId(id) ? (await ctx.em()).findOne(LicenseChange, { id }) : null;
}
