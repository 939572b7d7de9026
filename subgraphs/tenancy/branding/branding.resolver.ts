import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Continuity, Internal, OpenDoor, RequiresFeature, RequiresPermission } from '../../../schema/directives.ts';
import { orCurrent, payload, payloadOf } from '../../../schema/payload.ts';
import { Upload } from '../../../schema/upload.ts';
import type { Context } from '../../_kernel/context.ts';
import { Tenant } from '../tenant.entity.ts';
import { putUpload, requestBrandUpload } from './brand-upload.service.ts';
import { Branding, PortalBranding } from './branding.entity.ts';
import * as service from './branding.service.ts';
import { brandImage, brandingForHost } from './portal-branding.service.ts';

const BrandingPayload = payloadOf('BrandingPayload', 'branding', () => Branding);
const BrandUploadPayload = payloadOf('BrandUploadPayload', 'upload', () => Upload);
const PICTURE = 'The id of an upload, or a PNG or WebP in base64, of about 190 kB at most; null takes it away.';

@InputType()
class BrandingInput {
  @Field(() => Int, { description: 'The version it was read at.' }) expectedVersion!: number;
  @Field(() => String, { nullable: true, description: '2 to 80 characters.' }) displayName?: string | null;
  @Field(() => String, { nullable: true, description: PICTURE }) logoLight?: string | null;
  @Field(() => String, { nullable: true, description: PICTURE }) logoDark?: string | null;
  @Field(() => String, { nullable: true, description: '#RRGGBB, on which white text can be read.' })
  primaryColor?: string | null;
  @Field(() => String, { nullable: true }) supportEmail?: string | null;
  @Field(() => String, { nullable: true, description: 'E.164.' }) supportPhone?: string | null;
  @Field(() => String, { nullable: true, description: 'https.' }) termsUrl?: string | null;
  @Field(() => String, { nullable: true, description: 'https.' }) privacyUrl?: string | null;
  @Field(() => String, { nullable: true, description: 'https.' }) imprintUrl?: string | null;
}

@InputType()
class WhiteLabelInput {
  @Field(() => Int, { description: 'The version the branding was read at.' }) expectedVersion!: number;
  @Field(() => String, { nullable: true, description: PICTURE }) favicon?: string | null;
  @Field(() => String, { nullable: true, description: 'One of the list.' }) font?: string | null;
  @Field(() => String, { nullable: true }) secondaryColor?: string | null;
  @Field(() => String, { nullable: true }) accentColor?: string | null;
  @Field(() => String, { nullable: true }) backgroundColor?: string | null;
  @Field(() => String, { nullable: true }) textColor?: string | null;
  @Field(() => String, { nullable: true, description: 'Whom mails are from.' }) senderName?: string | null;
  @Field(() => Boolean, { nullable: true }) hidePoweredBy?: boolean | null;
}

@Resolver(() => Tenant)
export class BrandingResolver {
  @FieldResolver(() => Branding, { description: 'How it looks to its subscribers.' })
  branding(@Root() tenant: Tenant, @Ctx() ctx: Context) {
    return service.brandingOf(tenant.id === ctx.tenantId ? ctx : ctx.inTenant(tenant.id));
  }

  @Query(() => PortalBranding, {
    description: 'What a portal shows under a host; the platform’s own where it is nobody’s.',
  })
  @OpenDoor('A portal shows whose it is before anybody has signed in.')
  brandingForHost(@Arg('host', () => String) host: string, @Ctx() ctx: Context) {
    return brandingForHost(ctx, host);
  }

  @Mutation(() => BrandingPayload)
  @RequiresPermission('tenancy.branding.update')
  @Continuity()
  updateBranding(@Arg('input', () => BrandingInput) input: BrandingInput, @Ctx() ctx: Context) {
    return orPresent(ctx, () => service.updateBranding(ctx, input));
  }

  @Mutation(() => BrandUploadPayload, {
    description: 'Where to put a picture of up to 512 kB, a PNG or WebP, within 15 minutes. It is used within a day.',
  })
  @RequiresPermission('tenancy.branding.update')
  @Continuity()
  requestBrandUpload(@Ctx() ctx: Context) {
    return payload(async () => ({ upload: await requestBrandUpload(ctx) }));
  }

  @Mutation(() => BrandingPayload, { nullable: true })
  @RequiresFeature('white_label')
  @RequiresPermission('tenancy.branding.update')
  updateWhiteLabel(@Arg('input', () => WhiteLabelInput) input: WhiteLabelInput, @Ctx() ctx: Context) {
    return orPresent(ctx, () => service.updateWhiteLabel(ctx, input));
  }

  @Mutation(() => String)
  @Internal()
  putUpload(
    @Arg('token', () => String) token: string,
    @Arg('content', () => String) content: string,
    @Ctx() ctx: Context,
  ) {
    return putUpload(ctx, token, Buffer.from(content, 'base64'));
  }

  @Query(() => String, { nullable: true })
  @Internal()
  brandImage(
    @Arg('tenantId', () => ID) tenantId: string,
    @Arg('name', () => String) name: string,
    @Ctx() ctx: Context,
  ) {
    return brandImage(ctx, tenantId, name);
  }
}

/** Who comes too late sees what is there now. */
const orPresent = (ctx: Context, change: () => Promise<Branding>) =>
  orCurrent(
    payload(async () => ({ branding: await change() })),
    async () => ({ branding: await service.brandingOf(ctx) }),
  );
