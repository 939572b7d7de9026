import { ArrayType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { EmailDomainState } from './email-domain.rules.ts';

export const EmailDomainStateEnum = {
  PENDING: 'PENDING',
  PROVED: 'PROVED',
  LOST: 'LOST',
} as const satisfies { [S in EmailDomainState]: S };
registerEnumType(EmailDomainStateEnum, {
  name: 'EmailDomainState',
  valuesConfig: { LOST: { description: 'It was proved once; its record was missing three days in a row.' } },
});

@ObjectType({ description: 'A domain of mail addresses. Whoever may set its TXT record proves it is theirs.' })
@Entity({ schema: 'identity', tableName: 'email_domain' })
export class EmailDomain {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  /** The tenant that claims it. */
  @Property({ type: 'uuid' }) homeId!: string;
  @Field(() => String) @Property({ type: 'string' }) domain!: string;
  @Property({ type: 'string' }) token!: string;
  @Field(() => EmailDomainStateEnum) @Property({ type: 'string' }) state!: EmailDomainState;
  /** Checks in a row that found nothing. */
  @Property({ type: 'integer' }) failures!: number;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) checkedAt!: Date | null;
  /** The connection that serves it, whether it is ACTIVE, and what it demands: repeated from it. */
  @Property({ type: 'uuid', nullable: true }) connectionId!: string | null;
  @Property({ type: 'boolean' }) isOffered!: boolean;
  @Property({ type: 'boolean' }) isRequired!: boolean;
  @Property({ type: ArrayType }) emergencyIds!: string[];
  @Property({ type: 'datetime' }) createdAt!: Date;
}
