import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';

/** What a gateway holds of a licence: enough to know its answers at any later instant. */
@ObjectType()
@Directive('@inaccessible')
export class LicenseView {
  @Field(() => ID) tenantId!: string;
  @Field(() => ID) licenseId!: string;
  @Field(() => Int) version!: number;
  @Field(() => String, { description: 'Code of the plan.' }) plan!: string;
  @Field(() => String, { description: 'JSON: [{from, state, core, features: {key: {access, reason?}}}], ascending.' })
  course!: string;
  @Field(() => String, { description: 'JSON: {quota: {limit, policy}}; limit null is unlimited.' }) limits!: string;
}

@ObjectType()
@Directive('@inaccessible')
export class LicenseFeedPage {
  @Field(() => Int, { description: 'The place up to which `views` is complete.' }) head!: number;
  @Field(() => [LicenseView]) views!: LicenseView[];
  @Field(() => [ID], { description: 'Tenants of the page that have no licence any more.' }) gone!: string[];
}

@ObjectType({ description: 'Which gateways hold a change already, so that the next request sees it.' })
export class Propagation {
  @Field(() => Int, { description: 'Gateways heard of in the last 3 seconds.' }) nodes!: number;
  @Field(() => Int) acknowledged!: number;
  @Field(() => Int) waitedMs!: number;
}

@ObjectType({ description: 'How changes of licences reached the gateways; times are null without changes.' })
export class PropagationStats {
  @Field(() => Int, { description: 'Changes that waited for the gateways.' }) changes!: number;
  @Field(() => Int, { description: 'Those that every living gateway held when they were answered.' }) complete!: number;
  @Field(() => Int, { nullable: true }) medianMs!: number | null;
  @Field(() => Int, { nullable: true }) p95Ms!: number | null;
  @Field(() => Int, { nullable: true }) worstMs!: number | null;
}
