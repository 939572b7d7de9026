import { addDays } from '../../schema/calendar.ts';
import { Context } from '../_kernel/context.ts';
import { type SeedWorld, seedId } from '../_kernel/seed-world.ts';
import { closeMyTicket, openMyTicket, replyToMyTicket } from './desk/my-ticket.service.ts';
import type { Ticket } from './desk/ticket.entity.ts';
import type { TicketPriority, TypedRequester } from './desk/ticket.rules.ts';
import * as desk from './desk/ticket.service.ts';

const [ADA, SAMIRA, PIET, LOTTE] = ['6012', '6026', '6027', '6028'].map(seedId) as [string, string, string, string];
/** Portal users, and the customers of billing they speak for. */
const LENA = { user: seedId('6031'), customer: seedId('7031') };
const OLE = { user: seedId('6033'), customer: seedId('7034') };
const MARA = { user: seedId('6032'), customer: seedId('7032') };
const MARA_OF_ATLAS = { user: seedId('6079'), customer: seedId('7079') };
const [MARCUS, ADLER] = [seedId('7019'), seedId('7033')];

/** Kestrel's month so far: one ticket away from the warning. */
const KESTREL_TICKETS = 79;
const KESTREL_SUBJECTS = [
  'Slow in the evening',
  'New antenna',
  'Move to another house',
  'Question about the invoice',
  'No signal after the storm',
];

/** People wait, are answered, and come back. Written through the use cases, so history and quota are true. */
export async function seed(world: SeedWorld): Promise<void> {
  await world.inTenant('kestrel', seedKestrel);
  await world.inTenant('northwind', (ctx) => seedStatuses(ctx, 'CANARY-NORTHWIND', SAMIRA, MARA, ADLER));
  await world.inTenant('northwind', seedLena);
  await world.inTenant('northwind', seedHafen);
  await world.inTenant('atlas', (ctx) =>
    seedStatuses(ctx, 'CANARY-ATLAS', seedId('6072'), MARA_OF_ATLAS, MARA_OF_ATLAS.customer),
  );
}

/** Acts as a person of the tenant, or as a customer in the portal. */
async function as<T>(
  system: Context,
  user: string,
  run: (ctx: Context) => Promise<T>,
  customerId?: string,
): Promise<T> {
  const ctx = new Context({ ...system.envelope, caller: { kind: 'USER', id: user }, customerId }, system.machinery);
  try {
    return await run(ctx);
  } finally {
    await ctx.end();
  }
}

const open = (
  ctx: Context,
  subject: string,
  bodyText: string,
  requester: TypedRequester,
  priority: TicketPriority = 'NORMAL',
) =>
  desk.openTicket(ctx, {
    subject,
    bodyText,
    requester,
    priority,
    kind: 'QUESTION',
    channel: 'PHONE',
    idempotencyKey: `seed ${subject}`,
  });

const seen = (ticket: Ticket) => ({ ticketId: ticket.id, expectedVersion: ticket.version });

async function seedKestrel(system: Context): Promise<void> {
  await as(system, ADA, async (ctx) => {
    for (let i = 1; i <= KESTREL_TICKETS; i++) {
      const subject = `${KESTREL_SUBJECTS[i % KESTREL_SUBJECTS.length]}, case ${i}`;
      const ticket = await open(
        ctx,
        subject,
        'Called in.',
        i % 4 === 0 ? { customerId: MARCUS } : { name: `Caller ${i}` },
      );
      if (i % 3 === 0) await desk.resolveTicket(ctx, seen(await desk.claimTicket(ctx, seen(ticket))));
    }
  });
}

/** One ticket per status and wait reason. */
async function seedStatuses(
  system: Context,
  canary: string,
  agent: string,
  portal: { user: string; customer: string },
  other: string,
): Promise<void> {
  const said = (what: string) => `${what} ${canary}`;
  const closed = await as(
    system,
    portal.user,
    (ctx) =>
      openMyTicket(ctx, {
        subject: 'Which router fits?',
        bodyText: said('Mine is old.'),
        idempotencyKey: 'seed router',
      }),
    portal.customer,
  );
  await as(system, agent, async (ctx) => {
    const ask = (subject: string, priority?: TicketPriority) =>
      open(ctx, subject, said('Please help.'), { customerId: other }, priority);
    await ask('Move to another flat');
    await desk.claimTicket(ctx, seen(await ask('Slow in the evening', 'HIGH')));
    await desk.waitTicket(ctx, { ...seen(await ask('Router blinks red')), reason: 'CUSTOMER' });
    await desk.waitTicket(ctx, { ...seen(await ask('Optical unit is noisy')), reason: 'VENDOR' });
    await desk.waitTicket(ctx, { ...seen(await ask('No light at the socket', 'URGENT')), reason: 'FIELD_VISIT' });
    const second = await ask('Second line from next week');
    await desk.waitTicket(ctx, { ...seen(second), reason: 'SCHEDULED', waitUntil: addDays(second.openedAt, 7, 'UTC') });
    await desk.resolveTicket(ctx, seen(await ask('Password of the Wi-Fi')));
    await desk.cancelTicket(ctx, { ...seen(await ask('You have won a prize', 'LOW')), reason: 'SPAM' });
    await desk.postMessage(ctx, {
      ticketId: closed.id,
      visibility: 'PUBLIC',
      bodyText: 'Ours comes with the line.',
      idempotencyKey: 'seed router',
    });
  });
  await as(
    system,
    portal.user,
    async (ctx) => {
      await closeMyTicket(ctx, { ticketId: closed.id, idempotencyKey: 'seed solved' });
      await closeMyTicket(ctx, { ticketId: closed.id, idempotencyKey: 'seed content' });
    },
    portal.customer,
  );
}

async function seedLena(system: Context): Promise<void> {
  const asked = {
    subject: 'Why is there a late fee?',
    bodyText: 'I paid, did I not? CANARY-NORTHWIND',
    idempotencyKey: 'seed late fee',
  };
  const ticket = await as(system, LENA.user, (ctx) => openMyTicket(ctx, asked), LENA.customer);
  const write = (ctx: Context, visibility: 'PUBLIC' | 'INTERNAL', bodyText: string) =>
    desk.postMessage(ctx, { ticketId: ticket.id, visibility, bodyText, idempotencyKey: `seed ${bodyText}` });
  await as(system, LOTTE, (ctx) => write(ctx, 'INTERNAL', 'Third time this year. CANARY-NORTHWIND-INTERNAL'));
  await as(system, LOTTE, (ctx) => write(ctx, 'PUBLIC', 'The invoice was due on the first; we look into it.'));
  await as(
    system,
    LENA.user,
    (ctx) => replyToMyTicket(ctx, { ticketId: ticket.id, bodyText: 'Thank you, I wait.', idempotencyKey: 'seed wait' }),
    LENA.customer,
  );
  await as(system, PIET, (ctx) => write(ctx, 'INTERNAL', 'Dunning stays on. CANARY-NORTHWIND-INTERNAL'));
}

async function seedHafen(system: Context): Promise<void> {
  const asked = {
    subject: 'Transit down at night',
    bodyText: 'From two to four, again. CANARY-NORTHWIND',
    idempotencyKey: 'seed transit',
  };
  const ticket = await as(system, OLE.user, (ctx) => openMyTicket(ctx, asked), OLE.customer);
  await as(system, PIET, async (ctx) => {
    const urgent = await desk.setTicketPriority(ctx, { ...seen(ticket), priority: 'URGENT' });
    await desk.claimTicket(ctx, seen(urgent));
  });
}
