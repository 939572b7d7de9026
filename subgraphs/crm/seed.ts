import { addDays, localDate } from '../../schema/calendar.ts';
import type { Context } from '../_kernel/context.ts';
import { type SeedTenant, type SeedWorld, seedId } from '../_kernel/seed-world.ts';
import { tenantProfile } from '../_kernel/tenant-profile.ts';
import { createContact, keepPrimaryContact, linkContact, updateContact } from './people/contact.service.ts';
import { captureLead, disqualifyLead, type NewLead, qualifyLead } from './selling/lead.service.ts';

/** Customers of billing's seed: id, kind, name, e-mail, phone. */
type SeededCustomer = readonly [id: string, kind: string, name: string, email: string, phone?: string];

const NORTHWIND: readonly SeededCustomer[] = [
  ['7031', 'PERSON', 'Lena Spaet', 'lena@northwind.example', '+49 30 5550131'],
  ['7032', 'PERSON', 'Mara Lind', 'mara@northwind.example', '+49 30 5550132'],
  ['7033', 'BUSINESS', 'Praxis Adler', 'praxis@adler.example', '+49 30 5550133'],
  ['7034', 'BUSINESS', 'Hafen Logistik', 'ole@hafen-logistik.example', '+49 40 5550134'],
];

const NILS = seedId('6025');

/** Leads (a) to (f) of the scoring vectors, as far as their facts exist: no check and no call has been made yet. */
const LEADS = [
  {
    kind: 'RESIDENTIAL',
    name: 'Anke Vogt',
    email: 'anke@vogt.example',
    source: 'WEBSITE',
    need: 'Home office, two people',
    days: 20,
  },
  {
    kind: 'ENTERPRISE',
    name: 'Bernd Kruse',
    organisationName: 'Kruse Maschinenbau GmbH',
    phone: '+49 30 5550202',
    source: 'REFERRAL',
    need: 'Two sites on one line',
    days: 60,
    monthlyBudget: { amountMinor: 120_000n, currency: 'EUR' },
    isDecisionMaker: true,
  },
  { kind: 'RESIDENTIAL', name: 'Carla Weiss', phone: '+49 30 5550203', source: 'COLD_CALL' },
  {
    kind: 'RESIDENTIAL',
    name: 'Dirk Ahrens',
    email: 'dirk@ahrens.example',
    source: 'WEBSITE',
    need: 'Streaming for five',
    days: 20,
  },
  {
    kind: 'RESIDENTIAL',
    name: 'Elif Kaya',
    email: 'elif@kaya.example',
    source: 'WEBSITE',
    need: 'A line at the allotment',
    days: 20,
  },
  {
    kind: 'ENTERPRISE',
    name: 'Frieda Lorenz',
    organisationName: 'Lorenz Kliniken AG',
    email: 'frieda@lorenz.example',
    source: 'EXISTING_CUSTOMER',
    need: 'A second path for the hospital',
    days: 14,
    monthlyBudget: { amountMinor: 90_000n, currency: 'EUR' },
    isDecisionMaker: true,
  },
] as const;

/** The people behind the customers of the example world, and who might become one. */
export async function seed(world: SeedWorld): Promise<void> {
  await world.inTenant('northwind', async (ctx) => {
    for (const customer of NORTHWIND) await seedPrimary(ctx, customer, 'CANARY-NORTHWIND');
    await seedAccountant(ctx);
    await seedLeads(ctx);
  });
  await world.inTenant('atlas', async (ctx) => {
    await seedPrimary(ctx, ['7079', 'PERSON', 'Mara Lind', 'mara@northwind.example', '+49 30 5550132'], 'CANARY-ATLAS');
    await capture(ctx, 'atlas', 1, {
      kind: 'RESIDENTIAL',
      name: 'Anke Vogt',
      email: 'anke@vogt.example',
      source: 'WEBSITE',
      need: 'CANARY-ATLAS',
    });
  });
  await world.inTenant('kestrel', (ctx) =>
    seedPrimary(ctx, ['7019', 'PERSON', 'Marcus Tran', 'marcus@kestrel.example', '+1 303 555 0119'], null),
  );
  await world.inTenant('harbour', (ctx) =>
    capture(ctx, 'harbour', 1, {
      kind: 'BUSINESS',
      name: 'Ngozi Bello',
      phone: '0803 555 0141',
      source: 'EVENT',
      need: 'A link for the market hall',
    }),
  );
}

async function seedPrimary(ctx: Context, [id, kind, name, email, phone]: SeededCustomer, canary: string | null) {
  const contact = await keepPrimaryContact(ctx, { customerId: seedId(id), kind, personal: { name, email, phone } });
  if (!contact || !canary) return;
  const points = [
    { type: 'EMAIL' as const, value: email, label: canary },
    ...(phone ? [{ type: 'PHONE' as const, value: phone }] : []),
  ];
  await updateContact(ctx, { contactId: contact.id, expectedVersion: contact.version, points });
}

async function seedAccountant(ctx: Context) {
  const points = [{ type: 'EMAIL' as const, value: 'buero@steuer-lang.example', label: 'CANARY-NORTHWIND' }];
  const lang = await createContact(ctx, {
    kind: 'PERSON',
    displayName: 'Tilda Lang',
    givenName: 'Tilda',
    familyName: 'Lang',
    language: 'de',
    points,
  });
  for (const customer of ['7033', '7034'])
    await linkContact(ctx, { contactId: lang.id, customerId: seedId(customer), role: 'BILLING' });
}

async function seedLeads(ctx: Context) {
  const zone = await zoneOf(ctx);
  const leads = [];
  for (const [i, { ...lead }] of LEADS.entries()) {
    const decideBy = 'days' in lead ? localDate(addDays(ctx.now(), lead.days, zone), zone) : null;
    const need = `${'need' in lead ? lead.need : 'Nothing said'}, CANARY-NORTHWIND`;
    leads.push(
      await capture(ctx, 'northwind', i + 1, {
        ...lead,
        need: 'need' in lead ? need : null,
        decideBy,
        language: 'de',
        ownerId: NILS,
      }),
    );
  }
  const [, kruse, weiss] = leads;
  if (kruse) await qualifyLead(ctx, { leadId: kruse.id, expectedVersion: kruse.version });
  if (weiss) await disqualifyLead(ctx, { leadId: weiss.id, expectedVersion: weiss.version, reason: 'NO_ANSWER' });
}

async function zoneOf(ctx: Context): Promise<string> {
  return (await tenantProfile(await ctx.em())).zone;
}

const capture = (ctx: Context, slug: SeedTenant, place: number, lead: Omit<NewLead, 'idempotencyKey'>) =>
  captureLead(ctx, { ...lead, idempotencyKey: `seed ${slug} ${place}` });
