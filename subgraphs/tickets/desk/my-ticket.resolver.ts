import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Mutation, Query, Resolver, Root } from 'type-graphql';
import { RequiresFeature, SignedIn } from '../../../schema/directives.ts';
import { type Connection, checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { loadPage } from '../../_kernel/pages.ts';
import { messagesOfTicket } from './loaders.ts';
import { MessagePageArgs } from './message-page.ts';
import { MyMessage, MyTicket, MyTicketStatusEnum, myMessageOf, myTicketOf } from './my-ticket.entity.ts';
import * as service from './my-ticket.service.ts';
import type { MyTicketStatus } from './ticket.rules.ts';

const MyTicketConnection = connectionOf(MyTicket, 'MyTicket');
const MyMessageConnection = connectionOf(MyMessage, 'MyMessage');
const OpenMyTicketPayload = payloadOf('OpenMyTicketPayload', 'ticket', () => MyTicket);
const MyTicketPayload = payloadOf('MyTicketPayload', 'ticket', () => MyTicket);

@InputType()
class OpenMyTicketInput {
  @Field(() => String, { description: '1 to 200 characters.' }) subject!: string;
  @Field(() => String, { description: '1 to 100,000 characters.' }) bodyText!: string;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
class ReplyToMyTicketInput {
  @Field(() => ID) ticketId!: string;
  @Field(() => String, { description: '1 to 100,000 characters.' }) bodyText!: string;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
class CloseMyTicketInput {
  @Field(() => ID) ticketId!: string;
  @Field(() => String) idempotencyKey!: string;
}

/** The portal. Reading is open by feature: a customer's own portal can always read the tickets it has. */
@Resolver(() => MyTicket)
export class MyTicketResolver {
  @Query(() => MyTicketConnection, { description: 'The tickets of the customer who asks.' })
  @SignedIn()
  async myTickets(
    @Arg('status', () => MyTicketStatusEnum, { nullable: true }) status: MyTicketStatus | null,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return shown(await service.myTickets(ctx, status, page), myTicketOf);
  }

  @Query(() => MyTicket, { nullable: true })
  @SignedIn()
  async myTicket(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    const ticket = await service.myTicket(ctx, id);
    return ticket && myTicketOf(ticket);
  }

  @FieldResolver(() => MyMessageConnection, { description: 'Oldest first.' })
  async messages(@Root() ticket: MyTicket, @Args(() => MessagePageArgs) page: MessagePageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return shown(await loadPage(ctx, messagesOfTicket, ticket.id, page, 'PUBLIC'), myMessageOf);
  }

  @Mutation(() => OpenMyTicketPayload, { nullable: true })
  @RequiresFeature('tickets')
  @SignedIn()
  openMyTicket(@Arg('input', () => OpenMyTicketInput) input: OpenMyTicketInput, @Ctx() ctx: Context) {
    return payload(async () => ({ ticket: myTicketOf(await service.openMyTicket(ctx, input)) }));
  }

  @Mutation(() => MyTicketPayload, {
    nullable: true,
    description: 'To a CLOSED ticket a reply opens a new one, which is answered here.',
  })
  @RequiresFeature('tickets')
  @SignedIn()
  replyToMyTicket(@Arg('input', () => ReplyToMyTicketInput) input: ReplyToMyTicketInput, @Ctx() ctx: Context) {
    return payload(async () => ({ ticket: myTicketOf(await service.replyToMyTicket(ctx, input)) }));
  }

  @Mutation(() => MyTicketPayload, {
    nullable: true,
    description: 'Says that it is solved; of a RESOLVED ticket, that you are content.',
  })
  @RequiresFeature('tickets')
  @SignedIn()
  closeMyTicket(@Arg('input', () => CloseMyTicketInput) input: CloseMyTicketInput, @Ctx() ctx: Context) {
    return payload(async () => ({ ticket: myTicketOf(await service.closeMyTicket(ctx, input)) }));
  }
}

function shown<A, B>(page: Connection<A>, show: (node: A) => B): Connection<B> {
  const edges = page.edges.map(({ cursor, node }) => ({ cursor, node: show(node) }));
  return { edges, nodes: edges.map(({ node }) => node), pageInfo: page.pageInfo };
}
