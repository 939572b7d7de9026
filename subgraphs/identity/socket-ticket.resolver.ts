import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { Internal, NotWhileActing, OpenDoor } from '../../schema/directives.ts';
import { payload } from '../../schema/payload.ts';
import type { Context } from '../_kernel/context.ts';
import { SocketPass, SocketTicketPayload } from './socket-ticket.entity.ts';
import * as service from './socket-ticket.service.ts';

@Resolver()
export class SocketTicketResolver {
  @Mutation(() => SocketTicketPayload, {
    description: 'A ticket for one socket of this session: good once, within half a minute.',
  })
  @OpenDoor('Any signed-in person about themselves, also with a token without tenant; the use case asks who it is.')
  @NotWhileActing()
  createSocketTicket(@Ctx() ctx: Context) {
    return payload(() => service.createSocketTicket(ctx));
  }

  @Mutation(() => SocketPass, { nullable: true })
  @Internal()
  redeemSocketTicket(@Arg('ticket', () => String) ticket: string, @Ctx() ctx: Context) {
    return service.redeemSocketTicket(ctx, ticket);
  }
}
