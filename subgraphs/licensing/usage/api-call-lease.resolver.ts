import { Arg, Ctx, ID, Int, Mutation, Resolver } from 'type-graphql';
import { Internal } from '../../../schema/directives.ts';
import type { Context } from '../../_kernel/context.ts';
import { ApiCallLease } from './api-call-lease.entity.ts';
import * as service from './api-call-lease.service.ts';

@Resolver()
export class ApiCallLeaseResolver {
  @Mutation(() => ApiCallLease)
  @Internal()
  leaseApiCalls(
    @Arg('tenantId', () => ID) tenantId: string,
    @Arg('leaseId', () => ID) leaseId: string,
    @Arg('amount', () => Int) amount: number,
    @Ctx() ctx: Context,
  ) {
    return service.leaseApiCalls(ctx, tenantId, leaseId, amount);
  }

  @Mutation(() => Boolean)
  @Internal()
  returnApiCalls(
    @Arg('tenantId', () => ID) tenantId: string,
    @Arg('leaseId', () => ID) leaseId: string,
    @Arg('granted', () => Int) granted: number,
    @Arg('unused', () => Int) unused: number,
    @Ctx() ctx: Context,
  ) {
    return service.returnApiCalls(ctx, tenantId, { leaseId, granted, unused });
  }
}
