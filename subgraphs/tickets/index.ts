import type { SubgraphDefinition } from '../_kernel/subgraph.ts';
import { Customer, CustomerTicketsResolver } from './customer.stub.ts';
import { ticketById } from './desk/loaders.ts';
import { TicketMessage } from './desk/message.entity.ts';
import { MyTicketResolver } from './desk/my-ticket.resolver.ts';
import { Ticket, TicketTag } from './desk/ticket.entity.ts';
import {
  RequesterResolver,
  TicketEventResolver,
  TicketMessageResolver,
  TicketResolver,
  TicketUpdateResolver,
} from './desk/ticket.resolver.ts';
import { TicketEvent } from './desk/ticket-event.entity.ts';
import { LicenseChangePreview, TicketsFootprintResolver } from './license-change-preview.stub.ts';
import { seed } from './seed.ts';

export const tickets: SubgraphDefinition = {
  name: 'tickets',
  feature: 'tickets',
  resolvers: [
    TicketResolver,
    RequesterResolver,
    TicketMessageResolver,
    TicketEventResolver,
    TicketUpdateResolver,
    CustomerTicketsResolver,
    MyTicketResolver,
    TicketsFootprintResolver,
  ],
  types: [Customer, LicenseChangePreview],
  entities: [Ticket, TicketTag, TicketMessage, TicketEvent],
  references: {
    Ticket: (ctx, { id }) => (ctx.can('tickets.ticket.read') ? ctx.load(ticketById, id) : null),
  },
  isAtHome: true,
  seed,
};
