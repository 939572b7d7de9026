import { Field, ObjectType } from 'type-graphql';
import { QuotaKeyScalar } from '../../../schema/scalars.ts';
import { QuotaUsage } from './quota-usage.entity.ts';

@ObjectType({ description: 'Limits and use as they are: the newest update alone is the whole truth.' })
export class UsageUpdate {
  @Field(() => [QuotaUsage], { description: 'Every quota that was asked for.' }) usage!: QuotaUsage[];
  @Field(() => [QuotaKeyScalar], { description: 'Those that changed since the former update; none in the first.' })
  changedKeys!: string[];
}
