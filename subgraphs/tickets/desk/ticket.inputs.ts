import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { RequiresFeature } from '../../../schema/directives.ts';
import { DateTime } from '../../../schema/scalars.ts';
import { MessageVisibilityEnum } from './message.entity.ts';
import {
  CancelReasonEnum,
  TicketChannelEnum,
  TicketKindEnum,
  TicketPriorityEnum,
  TicketStatusEnum,
  WaitReasonEnum,
} from './ticket.entity.ts';
import type {
  CancelReason,
  MessageVisibility,
  TicketChannel,
  TicketKind,
  TicketPriority,
  TicketStatus,
  WaitReason,
} from './ticket.rules.ts';

export const TicketOrderEnum = { NEWEST: 'NEWEST', LAST_MESSAGE: 'LAST_MESSAGE' } as const;
registerEnumType(TicketOrderEnum, {
  name: 'TicketOrder',
  valuesConfig: { LAST_MESSAGE: { description: 'Last written to first.' } },
});

@ObjectType({ description: 'Who asks. The name of a customer in its portal is that of the ticket’s `customer`.' })
@RequiresFeature('tickets')
export class Requester {
  @Field(() => String, { nullable: true }) name?: string | null;
  @Field(() => String, { nullable: true }) email?: string | null;
  contactId?: string | null;
}

@InputType()
export class TicketFilter {
  @Field(() => [TicketStatusEnum], { nullable: true }) status?: TicketStatus[] | null;
  @Field(() => [TicketPriorityEnum], { nullable: true }) priority?: TicketPriority[] | null;
  @Field(() => ID, { nullable: true }) customerId?: string | null;
  @Field(() => ID, { nullable: true }) assigneeId?: string | null;
  @Field(() => String, {
    nullable: true,
    description: 'Part of a number, subject, or requester’s name or address; 2 to 100 characters.',
  })
  text?: string | null;
}

@InputType({ description: 'A customer or a name is needed.' })
export class RequesterInput {
  @Field(() => ID, { nullable: true }) customerId?: string | null;
  @Field(() => ID, { nullable: true }) contactId?: string | null;
  @Field(() => String, { nullable: true }) email?: string | null;
  @Field(() => String, { nullable: true, description: 'At most 200 characters.' }) name?: string | null;
}

@InputType()
export class OpenTicketInput {
  @Field(() => String, { description: '1 to 200 characters.' }) subject!: string;
  @Field(() => String, { description: 'What they said; 1 to 100,000 characters.' }) bodyText!: string;
  @Field(() => TicketKindEnum, { defaultValue: 'QUESTION' }) kind!: TicketKind;
  @Field(() => TicketPriorityEnum, { defaultValue: 'NORMAL' }) priority!: TicketPriority;
  @Field(() => TicketChannelEnum, {
    defaultValue: 'PHONE',
    description: 'STAFF when the first word is ours; never PORTAL or SYSTEM.',
  })
  channel!: TicketChannel;
  @Field(() => RequesterInput) requester!: RequesterInput;
  @Field(() => [String], { nullable: true, description: 'At most 20, of 1 to 40 small letters, digits and hyphens.' })
  tags?: string[] | null;
  @Field(() => String, { nullable: true, description: 'BCP 47.' }) language?: string | null;
  @Field(() => String, { nullable: true, description: 'At most 100 characters.' }) externalRef?: string | null;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
export class PostMessageInput {
  @Field(() => ID) ticketId!: string;
  @Field(() => MessageVisibilityEnum) visibility!: MessageVisibility;
  @Field(() => String, { description: '1 to 100,000 characters.' }) bodyText!: string;
  @Field(() => ID, { nullable: true, description: 'The last message you saw: a newer one is a CONFLICT.' })
  expectedLastMessageId?: string | null;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
abstract class TicketChangeInput {
  @Field(() => ID) ticketId!: string;
  @Field(() => Int) expectedVersion!: number;
}

@InputType()
export class AssignTicketInput extends TicketChangeInput {
  @Field(() => ID, { nullable: true }) assigneeId?: string | null;
}

@InputType()
export class ClaimTicketInput extends TicketChangeInput {}

@InputType()
export class WaitTicketInput extends TicketChangeInput {
  @Field(() => WaitReasonEnum) reason!: WaitReason;
  @Field(() => DateTime, { nullable: true, description: 'In the future; SCHEDULED needs it.' }) waitUntil?: Date | null;
}

@InputType()
export class ResolveTicketInput extends TicketChangeInput {}

@InputType()
export class ReopenTicketInput extends TicketChangeInput {}

@InputType()
export class CancelTicketInput extends TicketChangeInput {
  @Field(() => CancelReasonEnum) reason!: CancelReason;
}

@InputType()
export class SetTicketPriorityInput extends TicketChangeInput {
  @Field(() => TicketPriorityEnum) priority!: TicketPriority;
}
