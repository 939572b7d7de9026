import { Arg, Args, Ctx, Field, FieldResolver, ID, InputType, Mutation, Query, Resolver, Root } from 'type-graphql';
import { AddressInput } from '../../../schema/address.ts';
import { RequiresPermission } from '../../../schema/directives.ts';
import { GeoPoint, GeoPointInput } from '../../../schema/geo.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { TimeZone } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { siteById } from './loaders.ts';
import { Site, SiteKindEnum } from './site.entity.ts';
import type { SiteKind } from './site.rules.ts';
import * as service from './site.service.ts';

const SiteConnection = connectionOf(Site, 'Site');
const SitePayload = payloadOf('SitePayload', 'site', () => Site);

@InputType()
class RegisterSiteInput {
  @Field(() => String, { description: '1 to 80 characters, used once.' }) name!: string;
  @Field(() => SiteKindEnum) kind!: SiteKind;
  @Field(() => AddressInput, { nullable: true }) address?: AddressInput | null;
  @Field(() => GeoPointInput, { nullable: true }) point?: GeoPointInput | null;
  @Field(() => TimeZone, { nullable: true, description: "The tenant's, unless given." }) zone?: string | null;
}

@Resolver(() => Site)
export class SiteResolver {
  @Query(() => Site, { nullable: true })
  @RequiresPermission('network.inventory.read')
  site(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return ctx.load(siteById, id);
  }

  @Query(() => SiteConnection, { description: 'By name.' })
  @RequiresPermission('network.inventory.read')
  sites(@Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return service.listSites(ctx, page);
  }

  @FieldResolver(() => GeoPoint, { nullable: true })
  point(@Root() { longitude, latitude }: Site): GeoPoint | null {
    return longitude == null || latitude == null ? null : { longitude, latitude };
  }

  @Mutation(() => SitePayload)
  @RequiresPermission('network.inventory.manage')
  registerSite(@Arg('input', () => RegisterSiteInput) input: RegisterSiteInput, @Ctx() ctx: Context) {
    return payload(async () => ({ site: await service.registerSite(ctx, input) }));
  }
}
