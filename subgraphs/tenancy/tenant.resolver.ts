import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { Continuity, Internal, RequiresPermission, SignedIn, WhileSuspended } from '../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../schema/page.ts';
import { payload } from '../../schema/payload.ts';
import { DateTime } from '../../schema/scalars.ts';
import type { Context } from '../_kernel/context.ts';
import { logHead } from '../_kernel/events.ts';
import { follow } from '../_kernel/live.ts';
import { AccessModeEnum, Tenant, TenantFeedPage, TenantView } from './tenant.entity.ts';
import { TenantPayload } from './tenant.payload.ts';
import { accessModeOf } from './tenant.rules.ts';
import * as service from './tenant.service.ts';

const TenantConnection = connectionOf(Tenant, 'Tenant');

@InputType()
class TenantProfileInput {
  @Field(() => String, { nullable: true, description: '2 to 120 characters.' }) name?: string | null;
  @Field(() => String, { nullable: true }) legalName?: string | null;
  @Field(() => String, { nullable: true, description: 'IANA time zone.' }) zone?: string | null;
  @Field(() => String, { nullable: true, description: 'BCP 47.' }) locale?: string | null;
  @Field(() => String, { nullable: true }) contactEmail?: string | null;
}

@InputType()
class AdvanceClockInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => String, { description: 'How far, an ISO 8601 duration such as `P14D` or `PT1H30M`.' }) by!: string;
}

@Resolver(() => Tenant)
export class TenantResolver {
  @Query(() => Tenant, { nullable: true, description: 'The tenant of the caller.' })
  @SignedIn()
  @WhileSuspended()
  tenant(@Ctx() ctx: Context) {
    return service.ownTenant(ctx);
  }

  @Query(() => Tenant, { nullable: true })
  @RequiresPermission('tenancy.fleet.read')
  tenantById(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return service.tenantById(ctx, id);
  }

  @Query(() => TenantConnection, { description: 'All tenants of the platform, by slug.' })
  @RequiresPermission('tenancy.fleet.read')
  tenants(@Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return service.listTenants(ctx, page);
  }

  @FieldResolver(() => AccessModeEnum)
  accessMode(@Root() tenant: Tenant) {
    return accessModeOf(tenant);
  }

  @FieldResolver(() => DateTime, { description: "The tenant's present: the clock a sandbox can move." })
  async now(@Ctx() ctx: Context) {
    await ctx.em();
    return ctx.now();
  }

  @Mutation(() => TenantPayload)
  @RequiresPermission('tenancy.tenant.update')
  @Continuity()
  updateTenantProfile(@Arg('input', () => TenantProfileInput) input: TenantProfileInput, @Ctx() ctx: Context) {
    return payload(async () => ({ tenant: await service.updateTenantProfile(ctx, input) }));
  }

  @Mutation(() => TenantPayload, { description: 'Moves the clock of a sandbox forward, up to 5 years in all.' })
  @RequiresPermission('tenancy.sandbox.manage')
  @Continuity()
  advanceClock(@Arg('input', () => AdvanceClockInput) { tenantId, by }: AdvanceClockInput, @Ctx() ctx: Context) {
    return payload(async () => ({ tenant: await service.advanceClock(ctx, tenantId, by) }));
  }

  @Subscription(() => Tenant, {
    description: 'The tenant of the caller now, and again at each change of it.',
    subscribe: ({ context }) => tenantChanges(context as Context) as never,
  })
  @SignedIn()
  @WhileSuspended()
  tenantUpdated(@Root() tenant: Tenant): Tenant {
    return tenant;
  }

  @Query(() => TenantFeedPage)
  @Internal()
  tenantFeed(
    @Arg('afterSeq', () => Int) afterSeq: number,
    @Arg('first', () => Int) first: number,
    @Ctx() ctx: Context,
  ) {
    return service.tenantFeed(ctx, afterSeq, first);
  }

  @Query(() => [TenantView])
  @Internal()
  tenantViews(@Arg('ids', () => [ID]) ids: string[], @Ctx() ctx: Context) {
    return service.tenantViews(ctx, ids);
  }
}

const CHANGES = new Set([
  'tenancy.tenant.suspended',
  'tenancy.tenant.reactivated',
  'tenancy.tenant.closed',
  'tenancy.tenant.reopened',
  'tenancy.tenant.updated',
  'tenancy.clock.advanced',
]);

function tenantChanges(ctx: Context) {
  const present = async (reader: Context) => {
    const tenant = await service.ownTenant(reader);
    return tenant ? [tenant] : [];
  };
  return follow(
    ctx,
    async (reader) => ({ upTo: await logHead(await reader.em()), first: await present(reader) }),
    (events, reader) => (events.some((event) => CHANGES.has(event.name)) ? present(reader) : []),
  );
}
