import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { Quantity } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { Grant } from '../terms/grant.entity.ts';
import { topUpRemaining } from './quota-usage.service.ts';

@Resolver(() => Grant)
export class TopUpResolver {
  @FieldResolver(() => Quantity, { nullable: true, description: 'What is left of an allowance; null for a feature.' })
  remaining(@Root() grant: Grant, @Ctx() ctx: Context) {
    return topUpRemaining(ctx, grant);
  }
}
