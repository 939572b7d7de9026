import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import { RequiresFeature } from '../../../schema/directives.ts';
import { DateTime } from '../../../schema/scalars.ts';

export const TicketEventKindEnum = {
  OPENED: 'OPENED',
  MESSAGE_POSTED: 'MESSAGE_POSTED',
  ASSIGNED: 'ASSIGNED',
  STATUS_CHANGED: 'STATUS_CHANGED',
  PRIORITY_CHANGED: 'PRIORITY_CHANGED',
} as const;
export type TicketEventKind = keyof typeof TicketEventKindEnum;
registerEnumType(TicketEventKindEnum, { name: 'TicketEventKind' });

@ObjectType({ description: 'One thing that happened to a ticket.' })
@RequiresFeature('tickets')
@Entity({ schema: 'tickets', tableName: 'ticket_event' })
export class TicketEvent {
  @PrimaryKey({ type: 'uuid' }) ticketId!: string;
  @Field(() => Int, { description: 'From 1, without gaps.' }) @PrimaryKey({ type: 'integer' }) seq!: number;
  @Field(() => DateTime) @Property({ type: 'datetime' }) at!: Date;
  @Field(() => TicketEventKindEnum) @Property({ type: 'string' }) kind!: TicketEventKind;
  @Property({ type: 'uuid', nullable: true }) actorId!: string | null;
  @Field(() => String, { nullable: true, description: 'The value before, an id or a word.' })
  @Property({ type: 'string', nullable: true })
  from!: string | null;
  @Field(() => String, { nullable: true, description: 'The value after; of a message its id.' })
  @Property({ type: 'string', nullable: true })
  to!: string | null;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) reason!: string | null;
}
