import { Ctx, Directive, Field, FieldResolver, ObjectType, Resolver } from 'type-graphql';
import { RequiresPermission } from '../../schema/directives.ts';
import { FeatureFootprint } from '../../schema/footprint.ts';
import type { Context } from '../_kernel/context.ts';
import { ticketsFootprint } from './footprint.service.ts';

@ObjectType('LicenseChangePreview')
@Directive('@key(fields: "hash")')
export class LicenseChangePreview {
  @Field(() => String) hash!: string;
}

/** Needs no feature: it speaks of losing it, and of having lost it. */
@Resolver(() => LicenseChangePreview)
export class TicketsFootprintResolver {
  @FieldResolver(() => [FeatureFootprint], { nullable: true, description: 'What losing Tickets would shut away.' })
  @RequiresPermission('licensing.license.change')
  ticketsFootprint(@Ctx() ctx: Context) {
    return ticketsFootprint(ctx);
  }
}
