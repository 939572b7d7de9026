import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root, Subscription } from 'type-graphql';
import { RequiresFeature, RequiresPermission } from '../../../schema/directives.ts';
import { badInput, forbidden } from '../../../schema/errors.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { orCurrent, payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { loadPage } from '../../_kernel/pages.ts';
import { Contact } from '../contact.stub.ts';
import { Customer } from '../customer.stub.ts';
import { User, userOf } from '../user.stub.ts';
import { eventsOfTicket, messagesOfTicket, tagsOfTicket, ticketById } from './loaders.ts';
import { MessageVisibilityEnum, TicketMessage } from './message.entity.ts';
import { MessagePageArgs } from './message-page.ts';
import { TicketUpdate, ticketUpdates } from './ticket.changes.ts';
import { Ticket } from './ticket.entity.ts';
import * as inputs from './ticket.inputs.ts';
import type { MessageVisibility } from './ticket.rules.ts';
import * as service from './ticket.service.ts';
import { TicketConnection } from './ticket-connection.ts';
import { TicketEvent } from './ticket-event.entity.ts';

const MessageConnection = connectionOf(TicketMessage, 'TicketMessage');
const EventConnection = connectionOf(TicketEvent, 'TicketEvent');
const OpenTicketPayload = payloadOf('OpenTicketPayload', 'ticket', () => Ticket);
const TicketPayload = payloadOf('TicketPayload', 'ticket', () => Ticket);

@Resolver(() => Ticket)
export class TicketResolver {
  @Query(() => Ticket, { nullable: true, description: 'A ticket by its id or its number.' })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.read')
  ticket(
    @Arg('id', () => ID, { nullable: true }) id: string | null,
    @Arg('number', () => String, { nullable: true }) number: string | null,
    @Ctx() ctx: Context,
  ) {
    if ((id == null) === (number == null)) throw badInput('Name the ticket by its id or by its number.');
    return id == null ? service.ticketByNumber(ctx, String(number)) : ctx.load(ticketById, id);
  }

  @Query(() => TicketConnection, { nullable: true })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.read')
  tickets(
    @Arg('filter', () => inputs.TicketFilter, { nullable: true }) filter: inputs.TicketFilter | null,
    @Arg('orderBy', () => inputs.TicketOrderEnum, { defaultValue: 'NEWEST' }) orderBy: service.TicketOrder,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listTickets(ctx, filter ?? {}, orderBy, page);
  }

  @FieldResolver(() => Customer, { nullable: true })
  customer(@Root() ticket: Ticket): Customer | null {
    return ticket.customerId ? { id: ticket.customerId } : null;
  }

  @FieldResolver(() => inputs.Requester, { description: 'Who asks.' })
  requester(@Root() { requesterName, requesterEmail, contactId }: Ticket): inputs.Requester {
    return { name: requesterName, email: requesterEmail, contactId };
  }

  @FieldResolver(() => User, { nullable: true, description: 'Who acts.' })
  assignee(@Root() ticket: Ticket) {
    return userOf(ticket.assigneeId);
  }

  @FieldResolver(() => [String])
  async tags(@Root() ticket: Ticket, @Ctx() ctx: Context) {
    return (await ctx.load(tagsOfTicket, ticket.id)) ?? [];
  }

  @FieldResolver(() => Ticket, { nullable: true, description: 'The closed ticket whose customer wrote again.' })
  followUpOf(@Root() ticket: Ticket, @Ctx() ctx: Context) {
    return ticket.followUpOfId ? ctx.load(ticketById, ticket.followUpOfId) : null;
  }

  @FieldResolver(() => MessageConnection, { description: 'Oldest first.' })
  messages(
    @Root() ticket: Ticket,
    @Arg('visibility', () => MessageVisibilityEnum, { nullable: true }) visibility: MessageVisibility | null,
    @Args(() => MessagePageArgs) page: MessagePageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return loadPage(ctx, messagesOfTicket, ticket.id, page, visibility ?? null);
  }

  @FieldResolver(() => EventConnection, { description: 'What happened to it, oldest first.' })
  history(@Root() ticket: Ticket, @Args(() => MessagePageArgs) page: MessagePageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return loadPage(ctx, eventsOfTicket, ticket.id, page, null);
  }

  @Mutation(() => OpenTicketPayload, { nullable: true })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.open')
  openTicket(@Arg('input', () => inputs.OpenTicketInput) input: inputs.OpenTicketInput, @Ctx() ctx: Context) {
    return payload(async () => ({ ticket: await service.openTicket(ctx, input) }));
  }

  @Mutation(() => TicketPayload, {
    nullable: true,
    description: 'PUBLIC needs tickets.ticket.reply, INTERNAL tickets.ticket.note.',
  })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.read')
  postMessage(@Arg('input', () => inputs.PostMessageInput) input: inputs.PostMessageInput, @Ctx() ctx: Context) {
    if (!ctx.can(input.visibility === 'PUBLIC' ? 'tickets.ticket.reply' : 'tickets.ticket.note')) throw forbidden();
    return changed(ctx, input.ticketId, () => service.postMessage(ctx, input));
  }

  @Mutation(() => TicketPayload, {
    nullable: true,
    description: 'Gives it to someone; without an assignee, back to all.',
  })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.assign')
  assignTicket(@Arg('input', () => inputs.AssignTicketInput) input: inputs.AssignTicketInput, @Ctx() ctx: Context) {
    return changed(ctx, input.ticketId, () =>
      service.assignTicket(ctx, { ...input, assigneeId: input.assigneeId ?? null }),
    );
  }

  @Mutation(() => TicketPayload, { nullable: true, description: 'Takes a ticket that nobody has.' })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.reply')
  claimTicket(@Arg('input', () => inputs.ClaimTicketInput) input: inputs.ClaimTicketInput, @Ctx() ctx: Context) {
    return changed(ctx, input.ticketId, () => service.claimTicket(ctx, input));
  }

  @Mutation(() => TicketPayload, { nullable: true })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.reply')
  waitTicket(@Arg('input', () => inputs.WaitTicketInput) input: inputs.WaitTicketInput, @Ctx() ctx: Context) {
    return changed(ctx, input.ticketId, () => service.waitTicket(ctx, input));
  }

  @Mutation(() => TicketPayload, { nullable: true })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.reply')
  resolveTicket(@Arg('input', () => inputs.ResolveTicketInput) input: inputs.ResolveTicketInput, @Ctx() ctx: Context) {
    return changed(ctx, input.ticketId, () => service.resolveTicket(ctx, input));
  }

  @Mutation(() => TicketPayload, { nullable: true, description: 'Takes up a ticket that waits or was resolved.' })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.reply')
  reopenTicket(@Arg('input', () => inputs.ReopenTicketInput) input: inputs.ReopenTicketInput, @Ctx() ctx: Context) {
    return changed(ctx, input.ticketId, () => service.reopenTicket(ctx, input));
  }

  @Mutation(() => TicketPayload, { nullable: true, description: 'Withdraws a ticket that should not exist.' })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.reply')
  cancelTicket(@Arg('input', () => inputs.CancelTicketInput) input: inputs.CancelTicketInput, @Ctx() ctx: Context) {
    return changed(ctx, input.ticketId, () => service.cancelTicket(ctx, input));
  }

  @Mutation(() => TicketPayload, { nullable: true })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.reply')
  setTicketPriority(
    @Arg('input', () => inputs.SetTicketPriorityInput) input: inputs.SetTicketPriorityInput,
    @Ctx() ctx: Context,
  ) {
    return changed(ctx, input.ticketId, () => service.setTicketPriority(ctx, input));
  }

  @Subscription(() => TicketUpdate, {
    description: 'A ticket now, and again at each change of it. `after` goes on where a cursor stands.',
    subscribe: ({ context, args }) => ticketUpdates(context as Context, args.ticketId, args.after ?? null) as never,
  })
  @RequiresFeature('tickets')
  @RequiresPermission('tickets.ticket.read')
  ticketUpdated(
    @Root() update: TicketUpdate,
    @Arg('ticketId', () => ID) _ticketId: string,
    @Arg('after', () => String, { nullable: true }) _after: string | null,
  ): TicketUpdate {
    return update;
  }
}

@Resolver(() => inputs.Requester)
export class RequesterResolver {
  @FieldResolver(() => Contact, { nullable: true })
  contact(@Root() requester: inputs.Requester): Contact | null {
    return requester.contactId ? { id: requester.contactId } : null;
  }
}

@Resolver(() => TicketMessage)
export class TicketMessageResolver {
  @FieldResolver(() => User, { nullable: true, description: 'The person, where one is known.' })
  authorUser(@Root() message: TicketMessage) {
    return userOf(message.author === 'AUTOMATIC' ? null : message.authorId);
  }
}

@Resolver(() => TicketEvent)
export class TicketEventResolver {
  @FieldResolver(() => User, { nullable: true, description: 'Who did it, where it was a person.' })
  actor(@Root() event: TicketEvent) {
    return userOf(event.actorId);
  }
}

@Resolver(() => TicketUpdate)
export class TicketUpdateResolver {
  @FieldResolver(() => Ticket, { nullable: true, description: 'As it is now; null where there is no such ticket.' })
  ticket(@Root() update: TicketUpdate, @Ctx() ctx: Context) {
    return ctx.load(ticketById, update.ticketId);
  }
}

const changed = (ctx: Context, id: string, run: () => Promise<Ticket>) =>
  orCurrent(
    payload(async () => ({ ticket: await run() })),
    async () => ({ ticket: await ctx.load(ticketById, id) }),
  );
