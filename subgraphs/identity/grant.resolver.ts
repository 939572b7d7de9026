import { Arg, Ctx, ID, Int, Mutation, Query, Resolver } from 'type-graphql';
import { Internal } from '../../schema/directives.ts';
import type { Context } from '../_kernel/context.ts';
import { Grant, GrantFeedPage } from './grant.entity.ts';
import * as service from './grant.service.ts';
import { TokenKey } from './token-key.entity.ts';
import { tokenKeys } from './token-key.service.ts';

/** What gateways ask, and nobody else. */
@Resolver()
export class GrantResolver {
  @Query(() => [TokenKey])
  @Internal()
  tokenKeys(@Ctx() ctx: Context) {
    return tokenKeys(ctx);
  }

  @Query(() => [Grant])
  @Internal()
  grants(@Arg('sessionIds', () => [ID]) sessionIds: string[], @Ctx() ctx: Context) {
    return service.grantsOf(ctx, sessionIds);
  }

  @Mutation(() => Boolean)
  @Internal()
  confirmGrants(@Arg('nodeId', () => String) nodeId: string, @Arg('seq', () => Int) seq: number, @Ctx() ctx: Context) {
    return service.confirmGrants(ctx, nodeId, seq);
  }

  @Query(() => GrantFeedPage)
  @Internal()
  grantFeed(@Arg('afterSeq', () => Int) afterSeq: number, @Arg('first', () => Int) first: number, @Ctx() ctx: Context) {
    return service.grantFeed(ctx, afterSeq, first);
  }
}
