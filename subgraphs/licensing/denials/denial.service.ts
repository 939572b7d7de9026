import { setTimeout as sleep } from 'node:timers/promises';
import { LockMode } from '@mikro-orm/postgresql';
import { asInstant, placeAfter } from '../../../schema/cursor.ts';
import { type DenialReason, Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { Denial } from './denial.entity.ts';
import {
  BUYS_WITHIN_DAYS,
  checkWindow,
  conversionOf,
  type DenialCounts,
  type DenialFacts,
  isOnItsWay,
  isPurchase,
  isSound,
  KEPT_DAYS,
} from './denial.rules.ts';

/** How often a denial that is on its way is looked for, milliseconds. */
const LOOK_MS = 100;
/** Tenants whose old denials are added up in one sweep. */
const SWEPT = 1_000;

/**
 * Writes down what gateways denied, each tenant's in a transaction of its own; one that was written before stays as it
 * is. The instant is moved onto the tenant's own clock, which in a sandbox runs ahead.
 */
export async function recordDenials(ctx: Context, told: readonly DenialFacts[]): Promise<boolean> {
  const sound = told.filter(isSound);
  if (sound.length < told.length) ctx.log.warn({ dropped: told.length - sound.length }, 'denials that make no sense');
  for (const [tenantId, own] of Map.groupBy(sound, (denial) => denial.tenantId))
    await ctx.inTenant(tenantId).tx((em) =>
      em.execute(
        `insert into licensing.denial (id, feature, coordinate, reason, plan, actor, at, was_observed)
         select id, feature, coordinate, reason, plan, actor,
                date_trunc('milliseconds', least(at + (kernel.now() - now()), kernel.now())), "wasObserved"
           from jsonb_to_recordset(?::jsonb) as told (id uuid, feature text, coordinate text, reason text, plan text,
                                                      actor uuid, at timestamptz, "wasObserved" boolean)
         on conflict do nothing`,
        [JSON.stringify(own)],
      ),
    );
  return true;
}

/**
 * Notes that the way out of a denial was followed; again, it changes nothing. One that was just given may still be on
 * its way here and is waited for. Refuses with NOT_FOUND what is unknown or another tenant's.
 */
export async function recordUpgradeClick(ctx: Context, denialId: string): Promise<Denial> {
  for (;;) {
    const isWaitedFor = isId(denialId) && isOnItsWay(denialId, Date.now());
    const denial = await click(ctx, denialId);
    if (denial) return denial;
    if (!isWaitedFor) throw new Refusal('NOT_FOUND', 'There is no such denial.', 'denialId');
    await sleep(LOOK_MS);
  }
}

function click(ctx: Context, id: string): Promise<Denial | null> {
  return ctx.tx(async (em) => {
    const denial = isId(id)
      ? await em.findOne(Denial, { id, wasObserved: false }, { lockMode: LockMode.PESSIMISTIC_WRITE })
      : null;
    if (denial) Object.assign(denial, { clickedAt: denial.clickedAt ?? ctx.now(), tenantId: ctx.tenantId });
    return denial;
  });
}

/** A feature was opened: denials of it that somebody had followed shortly before have led to a purchase, if it is one. */
export async function noteBought(ctx: Context, feature: string, source: string, at: Date): Promise<void> {
  if (!isPurchase(source)) return;
  await ctx.tx((em) =>
    em.execute(
      `update licensing.denial set bought_at = ? where feature = ? and bought_at is null
          and clicked_at <= ? and clicked_at > ?::timestamptz - make_interval(days => ?)`,
      [at, feature, at, at, BUYS_WITHIN_DAYS],
    ),
  );
}

export interface DenialQuery {
  tenantId?: string | null;
  feature?: string | null;
  reason?: DenialReason | null;
  isClicked?: boolean | null;
  wasObserved?: boolean | null;
}

/** Denials of all tenants, newest first, for the control plane. */
export async function denials(ctx: Context, query: DenialQuery, page: PageArgs): Promise<Connection<Denial>> {
  const after = placeAfter(page, asInstant);
  const { tenantId = null, feature = null, reason = null, isClicked = null, wasObserved = null } = query;
  if (tenantId !== null && !isId(tenantId)) return connect<Denial>([], page, () => []);
  const rows = await ctx.acrossTenants((em) =>
    em.execute(
      `select * from licensing.tenant_denial
        where (?::uuid is null or denied_tenant_id = ?::uuid) and (?::text is null or feature = ?)
          and (?::text is null or reason = ?) and (?::boolean is null or (clicked_at is not null) = ?)
          and (?::boolean is null or was_observed = ?) and (?::uuid is null or (at, id) < (?::timestamptz, ?::uuid))
        order by at desc, id desc limit ?`,
      [
        ...[tenantId, tenantId, feature, feature, reason, reason, isClicked, isClicked, wasObserved, wasObserved],
        ...[after?.id ?? null, after?.key ?? null, after?.id ?? null, page.first + 1],
      ],
    ),
  );
  return connect(rows.map(denialOf), page, (denial) => [denial.at.toISOString(), denial.id]);
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
function denialOf(row: any): Denial {
  const instant = (at: string | Date | null) => at && new Date(at);
  return Object.assign(new Denial(), {
    ...{ id: row.id, tenantId: row.denied_tenant_id, feature: row.feature, coordinate: row.coordinate },
    ...{ reason: row.reason, plan: row.plan, actor: row.actor, wasObserved: row.was_observed },
    ...{ at: instant(row.at), clickedAt: instant(row.clicked_at), boughtAt: instant(row.bought_at) },
  });
}

/** What became of the denials of the last `days` days, over all tenants. */
export async function upgradeConversion(ctx: Context, days: number) {
  checkWindow(days);
  const [counts] = await ctx.acrossTenants((em) =>
    em.execute(
      `select count(*)::int as denials, count(clicked_at)::int as clicked, count(bought_at)::int as bought
         from licensing.tenant_denial where at > now() - make_interval(days => ?) and not was_observed`,
      [days],
    ),
  );
  return conversionOf(counts as DenialCounts);
}

/** Adds up denials that are older than 90 days by tenant, local day, feature, reason and plan, and forgets them. */
export async function pruneDenials(ctx: Context): Promise<void> {
  const tenants = await ctx.acrossTenants((em) =>
    em.execute(
      `select distinct denied_tenant_id from licensing.tenant_denial
        where at < now() - make_interval(days => ?) limit ?`,
      [KEPT_DAYS, SWEPT],
    ),
  );
  for (const { denied_tenant_id: tenantId } of tenants)
    await ctx.inTenant(tenantId).tx((em) =>
      em.execute(
        `with old as (delete from licensing.denial where at < kernel.now() - make_interval(days => ?) returning *)
         insert into licensing.denial_day as day (date, feature, reason, plan, denials, observed, clicked, bought)
         select (at at time zone coalesce((select zone from kernel.tenant_profile), 'UTC'))::date, feature, reason,
                coalesce(plan, 'none'), count(*) filter (where not was_observed), count(*) filter (where was_observed),
                count(clicked_at), count(bought_at)
           from old group by 1, 2, 3, 4
         on conflict (tenant_id, date, feature, reason, plan) do update set denials = day.denials + excluded.denials,
           observed = day.observed + excluded.observed, clicked = day.clicked + excluded.clicked,
           bought = day.bought + excluded.bought`,
        [KEPT_DAYS],
      ),
    );
}
