import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime, Quantity } from '../../../schema/scalars.ts';
import type { GrantSource } from './entitlement.rules.ts';

export type GrantKind = 'FEATURE' | 'TOP_UP';
export const GrantKindEnum = { FEATURE: 'FEATURE', TOP_UP: 'TOP_UP' } as const;
export const GrantSourceEnum = { TRIAL: 'TRIAL', PROMOTION: 'PROMOTION', SUPPORT: 'SUPPORT', SALES: 'SALES' } as const;
registerEnumType(GrantKindEnum, { name: 'GrantKind' });
registerEnumType(GrantSourceEnum, { name: 'GrantSource', description: 'Why something was given.' });

@ObjectType({ description: 'A feature given for a while, or a one-off allowance on top of a counter.' })
@Entity({ schema: 'licensing', tableName: 'grant' })
export class Grant {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) licenseId!: string;
  @Field(() => GrantKindEnum) @Property({ type: 'string' }) kind!: GrantKind;
  @Field(() => String, { description: 'A feature or a quota.' }) @Property({ type: 'string' }) key!: string;
  @Field(() => Quantity, { nullable: true }) @Property({ type: 'bigint', nullable: true }) amount!: bigint | null;
  @Field(() => Quantity, { nullable: true }) @Property({ type: 'bigint', nullable: true }) remaining!: bigint | null;
  @Field(() => Int, { description: 'The lower burns first.' }) @Property({ type: 'integer' }) priority!: number;
  @Field(() => DateTime) @Property({ type: 'datetime' }) startsAt!: Date;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) expiresAt!: Date | null;
  @Field(() => GrantSourceEnum) @Property({ type: 'string' }) source!: GrantSource;
  @Field(() => Quantity) @Property({ type: 'bigint' }) rolloverMax!: bigint;
  @Field(() => String) @Property({ type: 'string' }) reason!: string;
}
