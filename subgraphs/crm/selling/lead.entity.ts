import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { RequiresFeature } from '../../../schema/directives.ts';
import { DateTime, LocalDate } from '../../../schema/scalars.ts';
import type { LeadStatus, LostReason } from './lead.rules.ts';
import type { LeadGrade, LeadKind, LeadSource } from './score.rules.ts';

export const LeadKindEnum = {
  RESIDENTIAL: 'RESIDENTIAL',
  BUSINESS: 'BUSINESS',
  ENTERPRISE: 'ENTERPRISE',
  PUBLIC_SECTOR: 'PUBLIC_SECTOR',
} as const;
export const LeadSourceEnum = {
  EXISTING_CUSTOMER: 'EXISTING_CUSTOMER',
  REFERRAL: 'REFERRAL',
  EVENT: 'EVENT',
  WEBSITE: 'WEBSITE',
  EMAIL: 'EMAIL',
  SOCIAL: 'SOCIAL',
  ADVERT: 'ADVERT',
  COLD_CALL: 'COLD_CALL',
  OTHER: 'OTHER',
} as const;
export const LeadStatusEnum = {
  NEW: 'NEW',
  CONTACTED: 'CONTACTED',
  QUALIFIED: 'QUALIFIED',
  DISQUALIFIED: 'DISQUALIFIED',
} as const;
export const LeadGradeEnum = { A: 'A', B: 'B', C: 'C', D: 'D' } as const;
export const LostReasonEnum = {
  PRICE: 'PRICE',
  COVERAGE: 'COVERAGE',
  TIMING: 'TIMING',
  COMPETITOR: 'COMPETITOR',
  NO_ANSWER: 'NO_ANSWER',
  OTHER: 'OTHER',
} as const;
registerEnumType(LeadKindEnum, { name: 'LeadKind' });
registerEnumType(LeadSourceEnum, { name: 'LeadSource', description: 'How they came to us.' });
registerEnumType(LeadStatusEnum, { name: 'LeadStatus' });
registerEnumType(LeadGradeEnum, { name: 'LeadGrade', description: 'A from 70 points, B from 50, C from 30, else D.' });
registerEnumType(LostReasonEnum, { name: 'LostReason', description: 'Why nothing came of it.' });

@ObjectType({ description: 'Someone who might buy.' })
@Directive('@key(fields: "id")')
@RequiresFeature('crm')
@Entity({ schema: 'crm', tableName: 'lead' })
export class Lead {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => String, { description: 'L-000001' }) @Property({ type: 'string' }) number!: string;
  @Field(() => LeadKindEnum) @Property({ type: 'string' }) kind!: LeadKind;
  @Field(() => String) @Property({ type: 'string' }) name!: string;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) organisationName!:
    | string
    | null;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) email!: string | null;
  @Field(() => String, { nullable: true, description: 'E.164.' }) @Property({ type: 'string', nullable: true }) phone!:
    | string
    | null;
  @Field(() => LeadSourceEnum) @Property({ type: 'string' }) source!: LeadSource;
  @Property({ type: 'bigint', nullable: true }) monthlyBudgetMinor!: bigint | null; // shown as monthlyBudget: Money
  @Property({ type: 'string', nullable: true }) currency!: string | null;
  @Field(() => Boolean, { nullable: true }) @Property({ type: 'boolean', nullable: true }) isDecisionMaker!:
    | boolean
    | null;
  @Field(() => String, { nullable: true }) @Property({ type: 'text', nullable: true }) need!: string | null;
  @Field(() => LocalDate, { nullable: true, description: 'When they mean to decide.' })
  @Property({ type: 'date', nullable: true })
  decideBy!: string | null;
  @Field(() => Int, { description: '1 is most urgent, 5 least.' }) @Property({ type: 'integer' }) priority!: number;
  @Field(() => String, { nullable: true, description: 'BCP 47.' })
  @Property({ type: 'string', nullable: true })
  language!: string | null;
  @Property({ type: 'uuid', nullable: true }) ownerId!: string | null;
  @Field(() => LeadStatusEnum) @Property({ type: 'string' }) status!: LeadStatus;
  @Field(() => LostReasonEnum, { nullable: true })
  @Property({ type: 'string', nullable: true })
  disqualifiedFor!: LostReason | null;
  @Field(() => Int, { description: '0 to 100, as it was when the lead last changed.' })
  @Property({ type: 'integer' })
  score!: number;
  @Field(() => LeadGradeEnum) @Property({ type: 'string' }) grade!: LeadGrade;
  @Field(() => Int, { description: 'The score model that counted.' })
  @Property({ type: 'integer' })
  scoreModelNumber!: number;
  @Field(() => ID, { description: 'The same in everything that follows from this lead.' })
  @Property({ type: 'uuid' })
  chainId!: string;
  @Field(() => Int, { description: 'Say it as `expectedVersion` when you change the lead.' })
  @Property({ type: 'integer' })
  version!: number;
  @Field(() => DateTime) @Property({ type: 'datetime' }) createdAt!: Date;
  @Field(() => DateTime) @Property({ type: 'datetime' }) updatedAt!: Date;
  @Property({ type: 'uuid', nullable: true }) createdById!: string | null;
}
