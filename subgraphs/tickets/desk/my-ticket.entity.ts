import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import { MessageAuthorEnum, type TicketMessage } from './message.entity.ts';
import type { Ticket } from './ticket.entity.ts';
import { type MessageAuthor, type MyTicketStatus, shownStatus, takesReply } from './ticket.rules.ts';

export const MyTicketStatusEnum = {
  OPEN: 'OPEN',
  WAITING_FOR_YOU: 'WAITING_FOR_YOU',
  RESOLVED: 'RESOLVED',
  CLOSED: 'CLOSED',
} as const;
registerEnumType(MyTicketStatusEnum, { name: 'MyTicketStatus' });

/** No gate and nothing internal: a customer reads what they were told, whatever the provider's licence says. */
@ObjectType({ description: 'A ticket as its customer sees it.' })
export class MyTicket {
  @Field(() => ID) id!: string;
  @Field(() => String, { description: 'T-000001' }) number!: string;
  @Field(() => String) subject!: string;
  @Field(() => MyTicketStatusEnum) status!: MyTicketStatus;
  @Field(() => DateTime) openedAt!: Date;
  @Field(() => DateTime) updatedAt!: Date;
  @Field(() => Boolean, { description: 'Whether you can write here; to a CLOSED ticket a reply opens a new one.' })
  canReply!: boolean;
}

@ObjectType({ description: 'A message between a customer and us.' })
export class MyMessage {
  @Field(() => ID) id!: string;
  @Field(() => MessageAuthorEnum) author!: MessageAuthor;
  @Field(() => String) bodyText!: string;
  @Field(() => DateTime) createdAt!: Date;
}

export const myTicketOf = (ticket: Ticket): MyTicket => ({
  id: ticket.id,
  number: ticket.number,
  subject: ticket.subject,
  status: shownStatus(ticket.status, ticket.waitReason),
  openedAt: ticket.openedAt,
  updatedAt: ticket.shownAt,
  canReply: takesReply(ticket.status),
});

export const myMessageOf = ({ id, author, bodyText, createdAt }: TicketMessage): MyMessage => ({
  id,
  author,
  bodyText,
  createdAt,
});
