import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { QuotaPolicy } from '../../../schema/features.ts';
import { DateTime, Decimal, Quantity } from '../../../schema/scalars.ts';
import { QuotaPolicyEnum } from '../catalogue/plan.entity.ts';

@ObjectType({
  description: 'An exception for one tenant, above grants, add-ons and plan. What it leaves empty it inherits.',
})
@Entity({ schema: 'licensing', tableName: 'override' })
export class Override {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) licenseId!: string;
  @Field(() => String, { description: 'A feature or a quota.' }) @Property({ type: 'string' }) key!: string;
  @Field(() => Boolean, { nullable: true }) @Property({ type: 'boolean', nullable: true }) isEnabled!: boolean | null;
  @Field(() => Quantity, { nullable: true }) @Property({ type: 'bigint', nullable: true }) limit!: bigint | null;
  @Field(() => Boolean) @Property({ type: 'boolean' }) isUnlimited!: boolean;
  @Field(() => QuotaPolicyEnum, { nullable: true })
  @Property({ type: 'string', nullable: true })
  policy!: QuotaPolicy | null;
  @Field(() => Int, { nullable: true }) @Property({ type: 'integer', nullable: true }) softMarginPercent!:
    | number
    | null;
  @Field(() => Decimal, { nullable: true }) @Property({ type: 'decimal', nullable: true }) unitRate!: string | null;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) expiresAt!: Date | null;
  @Field(() => String) @Property({ type: 'string' }) reason!: string;
}
