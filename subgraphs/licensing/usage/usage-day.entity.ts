import { Field, ObjectType } from 'type-graphql';
import { LocalDate, Quantity, QuotaKeyScalar } from '../../../schema/scalars.ts';

@ObjectType({ description: 'What was used of a quota on one day in the tenant’s zone, in its base unit.' })
export class UsageDay {
  @Field(() => LocalDate) date!: string;
  @Field(() => QuotaKeyScalar) key!: string;
  @Field(() => Quantity, { description: 'Taken on this day, whatever was given back.' }) added!: bigint;
  @Field(() => Quantity, { description: 'In use when it ended; of a counter, since its period began.' })
  closing!: bigint;
  @Field(() => Quantity, { description: 'The most that was in use.' }) peak!: bigint;
}
