import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import type { LoggedEvent } from '../../../schema/events.ts';
import { isId } from '../../../schema/ids.ts';
import type { Context } from '../../_kernel/context.ts';
import { PLATFORM_TENANT } from '../../_kernel/db.ts';
import { emit, readEventsNamed, setTimerOf, tellGateways } from '../../_kernel/events.ts';
import { waitForGateways } from '../../_kernel/propagation.ts';
import type { Propagation } from '../gateways/gateway-feed.entity.ts';
import { type Changed, changing } from '../licenses/license-change.service.ts';
import { type PresentLicense, presentLicense } from '../licenses/license-facts.service.ts';
import { propagated } from '../licenses/propagation.service.ts';
import type { Enforcement } from '../terms/license.rules.ts';
import {
  checkEnforcement,
  type EnforcementTerms,
  type EnforcementVersion,
  enforcementVersion,
} from './enforcement.rules.ts';

/** Licences written in one transaction: so few that nobody waits long for a row of theirs. */
const PAGE = 200;
/** Pages that are written at once: PostgreSQL works on each with a core of its own. */
const LANES = 2;
/** Orders to the whole fleet are carried out one after another. */
const FLEET_LOCK = 7_190_000_003;

type Terms = Pick<EnforcementTerms, 'mode' | 'observeUntil'>;

export interface WantedEnforcement {
  tenantIds?: string[] | null;
  all: boolean;
  mode: Enforcement;
  observeUntil?: Date | null;
}

export interface Enforced extends Partial<Changed> {
  /** How many licences it is about. */
  licenses: number;
  propagation?: Propagation;
}

/**
 * Lets gates of the named tenants, or of all, only observe until an instant, or refuse again. For all it is ordered, and
 * carried out in the background. Refuses with INVALID what `checkEnforcement` does, and with NOT_FOUND, changing
 * nothing, when one of the tenants has no licence.
 */
export async function setEnforcement(ctx: Context, wanted: WantedEnforcement): Promise<Enforced> {
  const { all, mode } = wanted;
  await ctx.em();
  const { tenantIds, observeUntil } = checkEnforcement(
    wanted.tenantIds ?? null,
    all,
    mode,
    wanted.observeUntil ?? null,
    ctx.now(),
  );
  const terms = { mode, observeUntil };
  if (!tenantIds) return orderFleet(ctx, terms);
  const licenseIds = await licensesOf(ctx, tenantIds);
  const [only] = tenantIds;
  if (only && tenantIds.length === 1)
    return { licenses: 1, ...(await propagated(ctx, only, (own) => enforceOne(own, only, terms))) };
  await writePage(ctx, await preparePage(ctx, licenseIds, terms, ctx.actorId), terms);
  return { licenses: tenantIds.length, propagation: await waitForGateways(ctx, 'licenses', tenantIds.at(-1)) };
}

function enforceOne(ctx: Context, tenantId: string, { mode, observeUntil }: Terms): Promise<Changed> {
  const own = ctx.inTenant(tenantId);
  return own.tx((em) =>
    changing(own, em, ({ license }) => {
      Object.assign(license, { enforcement: mode, observeUntil });
      return { cause: 'ENFORCEMENT_SET' };
    }),
  );
}

async function licensesOf(ctx: Context, tenantIds: readonly string[]): Promise<string[]> {
  const rows = await ctx.acrossTenants((em) =>
    em.execute(
      `select t.license_id from licensing.licensed_tenant t join licensing.license l on l.id = t.license_id
        where t.licensed_tenant_id = any(?::uuid[]) and l.revoked_at is null`,
      [`{${tenantIds.filter(isId).join(',')}}`],
    ),
  );
  if (rows.length < tenantIds.length)
    throw new Refusal('NOT_FOUND', 'There is no such tenant, or it has no licence.', 'tenantIds');
  return rows.map((row) => row.license_id);
}

function orderFleet(ctx: Context, { mode, observeUntil }: Terms): Promise<Enforced> {
  return ctx.tx(async (em) => {
    emit(em, 'licensing.enforcement.ordered', { mode, observeUntil: observeUntil?.toISOString() ?? null });
    const [row] = await ctx.acrossTenants((reader) =>
      reader.execute('select count(*)::int as licenses from licensing.license where revoked_at is null'),
    );
    return { licenses: row?.licenses ?? 0 };
  });
}

/** Carries out an order to the whole fleet, page by page, until a newer one stands. Again, it changes nothing. */
export async function enforceFleet(
  ctx: Context,
  { name, seq, actor, payload }: LoggedEvent<'licensing.enforcement.ordered'>,
): Promise<void> {
  const terms = { mode: payload.mode, observeUntil: payload.observeUntil ? new Date(payload.observeUntil) : null };
  const em = await ctx.em();
  await em.execute('select pg_advisory_xact_lock(?)', [FLEET_LOCK]);
  const writing = Array.from({ length: LANES }, () => Promise.resolve());
  try {
    for (let turn = 0, after: string | undefined; ; turn = (turn + 1) % LANES) {
      const isSuperseded = (await readEventsNamed(em, name, seq, 1)).length > 0; // asked each page, so that this transaction is never idle long
      const ids = isSuperseded ? [] : await licensesAfter(ctx, after);
      const page = await preparePage(ctx, ids, terms, actor); // while those before are written
      await writing[turn];
      const written = writePage(ctx, page, terms);
      written.catch(() => undefined); // heard of when it is waited for
      writing[turn] = written;
      if (ids.length < PAGE) return void (await Promise.all(writing));
      after = ids.at(-1);
    }
  } finally {
    await Promise.allSettled(writing); // none goes on when another has failed
  }
}

async function licensesAfter(ctx: Context, after: string | undefined): Promise<string[]> {
  const rows = await ctx.acrossTenants((em) =>
    em.execute(
      `select id from licensing.license where revoked_at is null and (?::uuid is null or id > ?::uuid) order by id limit ?`,
      [after ?? null, after ?? null, PAGE],
    ),
  );
  return rows.map((row) => row.id);
}

/** The next version of each licence that is not as wanted, and the tenants whose licence has more to say. */
interface Page {
  rows: { tenant: string; [column: string]: unknown }[];
  others: string[];
}

async function preparePage(ctx: Context, ids: readonly string[], terms: Terms, actor: string | null): Promise<Page> {
  const page: Page = { rows: [], others: [] };
  for (const held of await readPage(ctx, ids)) {
    const { license, tenantId, facts, now } = held;
    const made = enforcementVersion(license, facts, terms.observeUntil, now);
    if (made === 'OTHERWISE') page.others.push(tenantId);
    else if (made) page.rows.push(rowOf(held, made, terms, actor));
  }
  return page;
}

async function readPage(ctx: Context, ids: readonly string[]): Promise<PresentLicense[]> {
  const reader = ctx.inTenant(PLATFORM_TENANT);
  try {
    const held = await Promise.all(ids.map((id) => reader.load(presentLicense, id)));
    return held.filter((one) => one !== null);
  } finally {
    await reader.end();
  }
}

/** Writes a page in one transaction; licences that are locked, or have changed since they were read, by themselves. */
async function writePage(ctx: Context, { rows, others }: Page, terms: Terms): Promise<void> {
  const left = rows.length > 0 ? await writeRows(ctx, rows) : [];
  for (const tenantId of [...others, ...left]) await enforceOne(ctx, tenantId, terms);
}

/** Returns the tenants whose licence was left alone. */
function writeRows(ctx: Context, rows: Page['rows']): Promise<string[]> {
  return ctx.inTenant(PLATFORM_TENANT).tx(async (em) => {
    const written = await em.execute('select * from licensing.write_enforcement_page(?::jsonb)', [
      JSON.stringify(rows),
    ]);
    for (const { licensed_tenant_id: tenantId, due_at: dueAt } of written) {
      tellGateways(em, 'licenses', tenantId);
      if (dueAt) setTimerOf(em, tenantId, 'licensing.advanceLicense', new Date(dueAt));
    }
    const done = new Set(written.map((row) => row.licensed_tenant_id as string));
    return rows.map(({ tenant }) => tenant).filter((tenant) => !done.has(tenant));
  });
}

function rowOf(
  { license, tenantId, now }: PresentLicense,
  { event, version, course, nextTransitionAt, ...made }: EnforcementVersion,
  { observeUntil }: Terms,
  actor: string | null,
): Page['rows'][number] {
  return {
    ...{ tenant: tenantId, license_id: license.id, version, at: now, course },
    ...{ observe_until: observeUntil, next_transition_at: nextTransitionAt },
    ...{ change_id: uuidv7(), actor: actor ?? 'SYSTEM' },
    ...{ changed_keys: made.changedKeys, before: made.before, after: made.after },
    event: { id: uuidv7(), name: 'licensing.license.changed', payload: event, personal: null },
  };
}
