import { Field, ObjectType } from 'type-graphql';
import { Money } from '../../../schema/money.ts';
import { AddOn } from '../catalogue/add-on.entity.ts';
import { Plan } from '../catalogue/plan.entity.ts';

@ObjectType({ description: 'A plan or an add-on that would open a feature.' })
export class UpgradeOption {
  @Field(() => Plan, { nullable: true }) plan?: Plan;
  @Field(() => AddOn, { nullable: true }) addOn?: AddOn;
  @Field(() => Money, { nullable: true, description: 'Net of tax; null while the licence has to be paid first.' })
  netDueToday!: Money | null;
  @Field(() => Money) monthlyPrice!: Money;
}
