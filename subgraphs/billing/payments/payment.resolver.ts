import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Mutation, Resolver, Root } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { Money, MoneyInput, money } from '../../../schema/money.ts';
import { connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { LocalDate } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { Customer } from '../accounts/customer.entity.ts';
import { customerById } from '../accounts/loaders.ts';
import { recordChargeback } from './chargeback.service.ts';
import { Payment, PaymentMeansEnum } from './payment.entity.ts';
import type { PaymentMeans } from './payment.rules.ts';
import * as service from './payment.service.ts';

const PaymentConnection = connectionOf(Payment, 'Payment');
const PaymentPayload = payloadOf('PaymentPayload', 'payment', () => Payment);

@InputType()
class RecordPaymentInput {
  @Field(() => ID) customerId!: string;
  @Field(() => MoneyInput, { description: "Above 0, in the customer's currency. What is more than owed is credit." })
  amount!: MoneyInput;
  @Field(() => PaymentMeansEnum) method!: PaymentMeans;
  @Field(() => LocalDate) receivedOn!: string;
  @Field(() => String, { nullable: true, description: 'At most 140 characters.' }) reference?: string | null;
  @Field(() => String, {
    description: 'Asked again with it, the first answer comes back, for ever. 1 to 128 characters.',
  })
  idempotencyKey!: string;
}

@InputType()
class RecordChargebackInput {
  @Field(() => ID) paymentId!: string;
  @Field(() => String, { description: 'Why the money went back. 1 to 200 characters.' }) reason!: string;
  @Field(() => String, { description: 'Asked again with it, the first answer comes back. 1 to 128 characters.' })
  idempotencyKey!: string;
}

@Resolver(() => Payment)
export class PaymentResolver {
  @FieldResolver(() => Customer)
  customer(@Root() payment: Payment, @Ctx() ctx: Context) {
    return ctx.load(customerById, payment.customerId);
  }

  @FieldResolver(() => Money)
  amount(@Root() payment: Payment) {
    return money(payment.amountMinor, payment.currency);
  }

  @Mutation(() => PaymentPayload)
  @RequiresPermission('billing.payment.record')
  @Continuity()
  recordPayment(@Arg('input', () => RecordPaymentInput) input: RecordPaymentInput, @Ctx() ctx: Context) {
    return payload(async () => ({ payment: await service.recordPayment(ctx, input) }));
  }

  @Mutation(() => PaymentPayload, {
    description: 'The whole payment went back to the payer: what it had paid is open again.',
  })
  @RequiresPermission('billing.payment.record')
  @Continuity()
  recordChargeback(@Arg('input', () => RecordChargebackInput) input: RecordChargebackInput, @Ctx() ctx: Context) {
    return payload(async () => ({ payment: await recordChargeback(ctx, input) }));
  }
}

@Resolver(() => Customer)
export class CustomerPaymentsResolver {
  @FieldResolver(() => PaymentConnection, { description: 'Newest first.' })
  @RequiresPermission('billing.payment.read', { orOwn: true })
  payments(@Root() customer: Customer, @Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    return service.paymentsOf(ctx, customer.id, page);
  }
}
