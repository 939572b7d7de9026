import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Mutation, Resolver, Root } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { Money, money } from '../../../schema/money.ts';
import { connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { Decimal } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { Customer } from '../accounts/customer.entity.ts';
import { customerById } from '../accounts/loaders.ts';
import { Charge, Period } from './charge.entity.ts';
import * as service from './charge.service.ts';

const ChargeConnection = connectionOf(Charge, 'Charge');
const ChargePayload = payloadOf('ChargePayload', 'charge', () => Charge);

@InputType()
class PostChargeInput {
  @Field(() => ID) customerId!: string;
  @Field(() => String, { description: '1 to 200 characters.' }) description!: string;
  @Field(() => Decimal, { description: 'Above 0, at most 1000000000.' }) quantity!: string;
  @Field(() => Decimal, { description: "Price of one in the customer's currency; rounded once, on the whole." })
  unitPrice!: string;
  @Field(() => String, { description: 'Asked again with it, the first answer comes back. 1 to 128 characters.' })
  idempotencyKey!: string;
}

@Resolver(() => Charge)
export class ChargeResolver {
  @FieldResolver(() => Customer)
  customer(@Root() charge: Charge, @Ctx() ctx: Context) {
    return ctx.load(customerById, charge.customerId);
  }

  @FieldResolver(() => Money, {
    description: 'Quantity times price, rounded half-even. Below zero it gives money back.',
  })
  net(@Root() charge: Charge) {
    return money(charge.netMinor, charge.currency);
  }

  @FieldResolver(() => Period, { nullable: true, description: 'The time it pays for; null for a thing.' })
  period(@Root() { periodStart, periodEnd }: Charge): Period | null {
    return periodStart && periodEnd ? { start: periodStart, end: periodEnd } : null;
  }

  @Mutation(() => ChargePayload)
  @RequiresPermission('billing.charge.manage')
  @Continuity()
  postCharge(@Arg('input', () => PostChargeInput) input: PostChargeInput, @Ctx() ctx: Context) {
    return payload(async () => ({ charge: await service.postCharge(ctx, input) }));
  }
}

@Resolver(() => Customer)
export class CustomerChargesResolver {
  @FieldResolver(() => ChargeConnection, { description: 'Newest first.' })
  charges(@Root() customer: Customer, @Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    return service.chargesOf(ctx, customer.id, page);
  }
}
