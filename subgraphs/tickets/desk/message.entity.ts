import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { RequiresFeature } from '../../../schema/directives.ts';
import { DateTime } from '../../../schema/scalars.ts';
import { TicketChannelEnum } from './ticket.entity.ts';
import type { MessageAuthor, MessageVisibility, TicketChannel } from './ticket.rules.ts';

export const MessageVisibilityEnum = { PUBLIC: 'PUBLIC', INTERNAL: 'INTERNAL' } as const;
export const MessageAuthorEnum = {
  CUSTOMER: 'CUSTOMER',
  STAFF: 'STAFF',
  AUTOMATIC: 'AUTOMATIC',
  SYSTEM: 'SYSTEM',
} as const;
registerEnumType(MessageVisibilityEnum, { name: 'MessageVisibility', description: 'INTERNAL is for staff only.' });
registerEnumType(MessageAuthorEnum, { name: 'MessageAuthor', description: 'AUTOMATIC is a program with a key.' });

@ObjectType({ description: 'What was written in a ticket. It never changes.' })
@RequiresFeature('tickets')
@Entity({ schema: 'tickets', tableName: 'ticket_message' })
export class TicketMessage {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) ticketId!: string;
  @Property({ type: 'integer' }) seq!: number;
  @Field(() => MessageVisibilityEnum) @Property({ type: 'string' }) visibility!: MessageVisibility;
  @Field(() => MessageAuthorEnum) @Property({ type: 'string' }) author!: MessageAuthor;
  @Property({ type: 'uuid', nullable: true }) authorId!: string | null;
  @Field(() => String) @Property({ type: 'text' }) bodyText!: string;
  @Field(() => TicketChannelEnum) @Property({ type: 'string' }) channel!: TicketChannel;
  @Field(() => DateTime) @Property({ type: 'datetime' }) createdAt!: Date;
}
