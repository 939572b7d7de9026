import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, ObjectType } from 'type-graphql';
import { UserError } from '../../schema/payload.ts';
import { DateTime } from '../../schema/scalars.ts';

/** A ticket that was not used yet. */
@Entity({ schema: 'identity', tableName: 'socket_ticket' })
export class SocketTicket {
  @PrimaryKey({ type: 'string' }) hash!: string;
  @Property({ type: 'uuid' }) sessionId!: string;
  @Property({ type: 'uuid', nullable: true }) membershipId!: string | null;
  @Property({ type: 'datetime' }) goodUntil!: Date;
  @Property({ type: 'datetime' }) socketUntil!: Date;
}

@ObjectType({
  description: 'For `?ticket=` in the address of one socket, where a client can send no connection params.',
})
export class SocketTicketPayload {
  @Field(() => String, { nullable: true, description: 'Good once.' }) ticket?: string | null;
  @Field(() => DateTime, { nullable: true }) expiresAt?: Date | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

/** Whom a gateway lets in for a ticket. */
@ObjectType()
@Directive('@inaccessible')
export class SocketPass {
  @Field(() => ID) sessionId!: string;
  @Field(() => ID, { nullable: true }) membershipId!: string | null;
  @Field(() => DateTime, { description: 'The socket ends then.' }) expiresAt!: Date;
}
