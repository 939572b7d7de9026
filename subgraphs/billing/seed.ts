import { localDate, monthlyPeriod } from '../../schema/calendar.ts';
import type { Context } from '../_kernel/context.ts';
import { type SeedTenant, type SeedWorld, seedId } from '../_kernel/seed-world.ts';
import { tenantProfile } from '../_kernel/tenant-profile.ts';
import { registerCustomer } from './accounts/customer.service.ts';
import { bill } from './invoicing/license-billing.service.ts';
import { recordPayment } from './payments/payment.service.ts';
import { postCharge } from './rating/charge.service.ts';
import { pricedLines } from './rating/license-line.rules.ts';
import { BULK, ISPS, PEOPLE, type Somebody } from './seed.data.ts';

/** The customers of the example world, what they were charged and what they have paid. */
export async function seed(world: SeedWorld): Promise<void> {
  await world.inTenant('platform', (ctx) => ctx.tx(() => seedPlatform(ctx, world)));
  for (const [slug, people] of Object.entries(PEOPLE) as [SeedTenant, readonly Somebody[]][]) {
    await world.inTenant(slug, (ctx) =>
      ctx.tx(async () => {
        for (const somebody of people) await seedSomebody(ctx, slug, somebody);
        await seedBulk(ctx, slug, people.length);
      }),
    );
  }
}

/** Found in the texts of one tenant only, so that a leak shows. */
const canary = (slug: SeedTenant) => `CANARY-${slug.toUpperCase()}`;

async function seedPlatform(ctx: Context, world: SeedWorld): Promise<void> {
  for (const { slug, id, name, city, country, lines, isPaid } of ISPS) {
    const licensedTenantId = world.tenantId(slug);
    const billingAddress = { line1: 'Head office', line2: canary('platform'), city, country };
    const who = { id: seedId(id), name, email: `office@${slug}.example`, billingAddress, licensedTenantId };
    const customer = await registerCustomer(ctx, { ...who, kind: 'BUSINESS', status: 'ACTIVE', billingDay: 1 });
    const { start, end } = monthlyPeriod(ctx.now(), 1, 'UTC');
    const period = { currency: 'USD', periodStart: start.toISOString(), periodEnd: end.toISOString() };
    const told = lines.map(([key, amountMinor]) => ({ key, amountMinor: String(amountMinor), ...period }));
    await ctx.tx((em) =>
      bill(ctx, em, customer, {
        key: `seed:${slug}`,
        askedSeq: 0,
        lines: pricedLines(`seed:${slug}`, told),
        terms: 'BY_TERMS',
        references: [], // what these licences are paid for was seeded with them
      }),
    );
    const owed = lines.reduce((sum, [, amountMinor]) => sum + amountMinor, 0);
    if (isPaid) await pay(ctx, customer.id, BigInt(owed), 'USD', start);
  }
}

async function seedSomebody(
  ctx: Context,
  slug: SeedTenant,
  { street, city, country, ...who }: Somebody,
): Promise<void> {
  const { charges = [], paidMinor, kind = 'PERSON', currency, phone, locale } = who;
  const customer = await registerCustomer(ctx, {
    id: seedId(who.id),
    name: who.name,
    kind,
    status: 'ACTIVE',
    email: who.email,
    phone,
    billingAddress: { line1: street, line2: canary(slug), city, country },
    currency,
    locale,
    billingDay: 1,
  });
  for (const [description, unitPrice] of charges) {
    const idempotencyKey = `seed:${who.id}:${description}`;
    await postCharge(ctx, { customerId: customer.id, description, quantity: '1', unitPrice, idempotencyKey });
  }
  if (paidMinor) await pay(ctx, customer.id, paidMinor, customer.currency, ctx.now());
}

async function pay(ctx: Context, customerId: string, amountMinor: bigint, currency: string, on: Date): Promise<void> {
  const { zone } = await ctx.tx(tenantProfile);
  await recordPayment(ctx, {
    customerId,
    amount: { amountMinor, currency },
    method: 'BANK_TRANSFER',
    receivedOn: localDate(on, zone),
    reference: 'Example world',
    idempotencyKey: `seed:${customerId}`,
  });
}

/** Fills a tenant up to its number of customers in one statement: people without history. */
async function seedBulk(ctx: Context, slug: SeedTenant, named: number): Promise<void> {
  const bulk = BULK[slug];
  if (!bulk) return;
  const em = await ctx.em();
  await em.execute(
    `with series as (update kernel.number_series set last = last + ? where series = 'customer' returning last - ? as base),
          profile as (select zone, currency from kernel.tenant_profile)
     insert into billing.customer (id, number, name, kind, status, email, billing_address, currency, time_zone, billing_day, locale)
     select ('01990000-0000-7000-8000-' || lpad((? + n)::text, 12, '0'))::uuid, 'C-' || lpad((series.base + n)::text, 6, '0'),
            who.first || ' ' || who.last, 'PERSON', 'ACTIVE', lower(who.first || '.' || who.last) || n || ?,
            jsonb_build_object('line1', ? || ' ' || n, 'line2', ?::text, 'city', ?::text, 'postalCode', null, 'region', null, 'country', ?::text),
            profile.currency, profile.zone, 1, ?
       from series, profile, generate_series(1, ?) n,
            lateral (select (string_to_array(?, ' '))[1 + n % 16] as first, (string_to_array(?, ' '))[1 + n / 16 % 16] as last) who`,
    [
      bulk.total - named,
      bulk.total - named,
      bulk.firstId,
      `@people.${slug}.example`,
      bulk.street,
      canary(slug),
      bulk.city,
      bulk.country,
      bulk.locale,
      bulk.total - named,
      bulk.firstNames,
      bulk.lastNames,
    ],
  );
}
