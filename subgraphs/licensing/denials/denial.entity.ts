import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, Float, ID, Int, ObjectType } from 'type-graphql';
import type { DenialReason } from '../../../schema/errors.ts';
import { DateTime, FeatureKey } from '../../../schema/scalars.ts';
import { DenialReasonEnum } from '../terms/entitlement.entity.ts';

@ObjectType({ description: 'A feature that an answer went without because the licence does not open it.' })
@Entity({ schema: 'licensing', tableName: 'denial' })
export class Denial {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => FeatureKey) @Property({ type: 'string' }) feature!: string;
  @Field(() => String, { description: 'What was asked for, as Type.field.' })
  @Property({ type: 'string' })
  coordinate!: string;
  @Field(() => DenialReasonEnum) @Property({ type: 'string' }) reason!: DenialReason;
  @Property({ type: 'string', nullable: true }) plan!: string | null;
  @Property({ type: 'uuid', nullable: true }) actor!: string | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) at!: Date;
  @Field(() => Boolean, { description: 'The gate only observed: the answer had it all the same.' })
  @Property({ type: 'boolean' })
  wasObserved!: boolean;
  @Field(() => DateTime, { nullable: true, description: 'When somebody followed the way out it shows.' })
  @Property({ type: 'datetime', nullable: true })
  clickedAt!: Date | null;
  @Field(() => DateTime, { nullable: true, description: 'When the feature was bought, within 7 days of the click.' })
  @Property({ type: 'datetime', nullable: true })
  boughtAt!: Date | null;
  /** Whose it is. */
  tenantId!: string;
}

@ObjectType({
  description: 'What became of denials. Those that were only observed were shown to nobody and do not count.',
})
export class UpgradeConversion {
  @Field(() => Int) denials!: number;
  @Field(() => Int) clicked!: number;
  @Field(() => Float, { nullable: true, description: 'Clicked of all; null without denials.' }) conversion!:
    | number
    | null;
  @Field(() => Int, { description: 'Bought within 7 days of the click.' }) bought!: number;
  @Field(() => Float, { nullable: true, description: 'Bought of those clicked; null without clicks.' }) purchase!:
    | number
    | null;
}
