import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { RequiresFeature } from '../../../schema/directives.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { TicketChannel, TicketKind, TicketPriority, TicketStatus, WaitReason } from './ticket.rules.ts';

export const TicketKindEnum = { QUESTION: 'QUESTION', REQUEST: 'REQUEST', INCIDENT: 'INCIDENT' } as const;
export const TicketStatusEnum = {
  NEW: 'NEW',
  OPEN: 'OPEN',
  WAITING: 'WAITING',
  RESOLVED: 'RESOLVED',
  CLOSED: 'CLOSED',
  CANCELLED: 'CANCELLED',
} as const;
export const WaitReasonEnum = {
  CUSTOMER: 'CUSTOMER',
  VENDOR: 'VENDOR',
  FIELD_VISIT: 'FIELD_VISIT',
  SCHEDULED: 'SCHEDULED',
} as const;
export const TicketPriorityEnum = { LOW: 'LOW', NORMAL: 'NORMAL', HIGH: 'HIGH', URGENT: 'URGENT' } as const;
export const TicketChannelEnum = {
  PORTAL: 'PORTAL',
  EMAIL: 'EMAIL',
  PHONE: 'PHONE',
  CHAT: 'CHAT',
  STAFF: 'STAFF',
  API: 'API',
  SYSTEM: 'SYSTEM',
} as const;
export const CancelReasonEnum = { SPAM: 'SPAM', MISTAKE: 'MISTAKE' } as const;
registerEnumType(TicketKindEnum, { name: 'TicketKind' });
registerEnumType(TicketStatusEnum, { name: 'TicketStatus', description: 'CLOSED and CANCELLED are final.' });
registerEnumType(WaitReasonEnum, { name: 'WaitReason', description: 'Whom or what a ticket waits for.' });
registerEnumType(TicketPriorityEnum, { name: 'TicketPriority' });
registerEnumType(TicketChannelEnum, { name: 'TicketChannel', description: 'How it reached us.' });
registerEnumType(CancelReasonEnum, { name: 'CancelReason' });

@ObjectType({ description: 'Someone who waits for us, and what for.' })
@Directive('@key(fields: "id")')
@RequiresFeature('tickets')
@Entity({ schema: 'tickets', tableName: 'ticket' })
export class Ticket {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => String, { description: 'T-000001' }) @Property({ type: 'string' }) number!: string;
  @Field(() => String) @Property({ type: 'string' }) subject!: string;
  @Field(() => TicketKindEnum) @Property({ type: 'string' }) kind!: TicketKind;
  @Field(() => TicketStatusEnum) @Property({ type: 'string' }) status!: TicketStatus;
  @Field(() => WaitReasonEnum, { nullable: true })
  @Property({ type: 'string', nullable: true })
  waitReason!: WaitReason | null;
  @Field(() => DateTime, { nullable: true, description: 'When staff means to look at it again.' })
  @Property({ type: 'datetime', nullable: true })
  waitUntil!: Date | null;
  @Field(() => TicketPriorityEnum) @Property({ type: 'string' }) priority!: TicketPriority;
  @Field(() => TicketChannelEnum) @Property({ type: 'string' }) channel!: TicketChannel;
  @Property({ type: 'uuid', nullable: true }) customerId!: string | null;
  @Property({ type: 'uuid', nullable: true }) contactId!: string | null;
  @Property({ type: 'string', nullable: true }) requesterEmail!: string | null;
  @Property({ type: 'string', nullable: true }) requesterName!: string | null;
  @Property({ type: 'uuid', nullable: true }) assigneeId!: string | null;
  @Field(() => String, { nullable: true, description: 'BCP 47.' })
  @Property({ type: 'string', nullable: true })
  language!: string | null;
  @Field(() => String, { nullable: true, description: 'What the other side calls it.' })
  @Property({ type: 'string', nullable: true })
  externalRef!: string | null;
  @Property({ type: 'uuid', nullable: true }) followUpOfId!: string | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) openedAt!: Date;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) resolvedAt!: Date | null;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) closedAt!: Date | null;
  @Field(() => Int, { description: 'How often it came back after it was resolved.' })
  @Property({ type: 'integer' })
  reopenCount!: number;
  @Field(() => ID, { description: 'Say it as `expectedLastMessageId` when you answer.' })
  @Property({ type: 'uuid' })
  lastMessageId!: string;
  @Field(() => DateTime) @Property({ type: 'datetime' }) lastMessageAt!: Date;
  /** Messages and events so far; each takes the next number under the ticket's lock. */
  @Property({ type: 'integer' }) messageCount!: number;
  @Property({ type: 'integer' }) eventCount!: number;
  /** When something last changed that the customer can see. */
  @Property({ type: 'datetime' }) shownAt!: Date;
  @Field(() => Int, { description: 'Say it as `expectedVersion` when you change the ticket.' })
  @Property({ type: 'integer' })
  version!: number;
  @Field(() => DateTime) @Property({ type: 'datetime' }) updatedAt!: Date;
  @Property({ type: 'uuid', nullable: true }) createdById!: string | null;
}

/** Tags are rows: one per ticket and tag. */
@Entity({ schema: 'tickets', tableName: 'ticket_tag' })
export class TicketTag {
  @PrimaryKey({ type: 'uuid' }) ticketId!: string;
  @PrimaryKey({ type: 'string' }) tag!: string;
}
