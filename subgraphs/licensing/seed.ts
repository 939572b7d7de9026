import { addDays, localDate, monthlyPeriod, startOfDay, yearlyPeriod } from '../../schema/calendar.ts';
import type { Context } from '../_kernel/context.ts';
import { consume } from '../_kernel/quota.ts';
import { type SeedTenant, type SeedWorld, seedId } from '../_kernel/seed-world.ts';
import { recordDenials, recordUpgradeClick } from './denials/denial.service.ts';
import { noteEarlierUse } from './fleet/backfill.service.ts';
import { grantEntitlement } from './fleet/grant.service.ts';
import { placeLicenseHold } from './fleet/hold.service.ts';
import { issueLicense, type NewLicense } from './licenses/license.service.ts';

const HOUR_MS = 3_600_000;

type Wanted = Omit<NewLicense, 'idempotencyKey' | 'isTrial' | 'interval' | 'terms'> & Partial<NewLicense>;

/** The licences of the example world, some of which began long ago. Oldtown has none, and what it came with. */
export async function seed(world: SeedWorld): Promise<void> {
  const issue = (slug: SeedTenant, digits: string, wantedAt: (now: Date) => Wanted) =>
    world.inTenant(slug, async (ctx) => {
      const terms = { interval: 'MONTH', isTrial: false, terms: 'INVOICED', idempotencyKey: 'seed' } as const;
      await issueLicense(ctx, { id: seedId(digits), ...terms, ...wantedAt(await nowOf(ctx)) });
    });

  await issue('platform', '2001', () => ({ plan: 'internal', anchorDay: 1 }));
  await issue('kestrel', '2a01', (now) => ({
    ...paidFor(now, 1, 'America/Denver', 400),
    plan: 'starter',
    addOns: [{ code: 'storage_100', quantity: 1 }],
  }));
  await issue('northwind', '2a02', (now) => ({ ...paidFor(now, 31, 'Europe/Berlin', 800), plan: 'professional' }));
  await world.inTenant('northwind', async (ctx) => {
    const expiresAt = addDays(await nowOf(ctx), 60, 'Europe/Berlin');
    await grantEntitlement(ctx, {
      ...{ kind: 'FEATURE', key: 'white_label', expiresAt, source: 'SALES', idempotencyKey: 'seed' },
      reason: 'Sixty days to try their own brand.',
    });
  });
  await world.inTenant('northwind', (ctx) => ctx.tx((em) => consume(ctx, em, 'api_calls', 512_345n, 'seed')));
  await issue('harbour', '2a03', (now) => ({
    plan: 'professional',
    isTrial: true,
    validFrom: addDays(now, -21, 'Africa/Lagos'),
    trialEndsAt: addDays(now, 9, 'Africa/Lagos'),
  }));
  await issue('sable', '2a04', (now) => {
    const paidUntil = startOfDay(localDate(addDays(now, -58, 'Asia/Manila'), 'Asia/Manila'), 'Asia/Manila');
    const anchorDay = Number(localDate(paidUntil, 'Asia/Manila').slice(8));
    return { plan: 'professional', anchorDay, paidUntil, validFrom: addDays(paidUntil, -300, 'Asia/Manila') };
  });
  await world.inTenant('sable', (ctx) =>
    placeLicenseHold(ctx, {
      kind: 'TENANT_SUSPENDED',
      level: 'SUSPENDED',
      reason: 'The tenant is suspended: LICENSE_LAPSED.',
    }),
  );
  await issue('atlas', '2a05', (now) => {
    const validFrom = addDays(now, -500, 'America/Sao_Paulo');
    const paidUntil = yearlyPeriod(now, validFrom, 15, 'America/Sao_Paulo').end;
    const addOns = [{ code: 'priority_support', quantity: 1 }];
    return { plan: 'enterprise', interval: 'YEAR', anchorDay: 15, validFrom, paidUntil, addOns };
  });
  await world.inTenant('oldtown', (ctx) => noteEarlierUse(ctx, { subscribers: 5_320n }));
  await issue('fable', '2a07', () => ({ plan: 'professional', isTrial: true }));
  await world.inTenant('kestrel', denyContacts);
}

/** Forty times in the last week somebody at Kestrel asked for contacts; ten of them looked what it would cost. */
async function denyContacts(ctx: Context): Promise<void> {
  const now = await nowOf(ctx);
  const denials = Array.from({ length: 40 }, (_, i) => {
    const at = new Date(now.getTime() - (i + 1) * 4 * HOUR_MS);
    const what = { feature: 'crm', coordinate: 'Query.contacts', reason: 'NOT_IN_PLAN', plan: 'starter' };
    return {
      ...what,
      id: seedId((0x2d00 + i).toString(16)),
      tenantId: ctx.tenantId,
      actor: null,
      at,
      wasObserved: false,
    };
  });
  await recordDenials(ctx, denials);
  for (const { id } of denials.slice(0, 10)) await recordUpgradeClick(ctx, id);
}

/** A monthly licence that began `days` ago and is paid for the period that runs. */
function paidFor(now: Date, anchorDay: number, zone: string, days: number) {
  return { anchorDay, validFrom: addDays(now, -days, zone), paidUntil: monthlyPeriod(now, anchorDay, zone).end };
}

async function nowOf(ctx: Context): Promise<Date> {
  await ctx.em();
  return ctx.now();
}
