import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { Continuity, OpenDoor, RequiresPermission } from '../../../schema/directives.ts';
import { payload, payloadOf, UserError } from '../../../schema/payload.ts';
import { DateTime, TimeZone } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { Tenant } from '../tenant.entity.ts';
import { newestOf } from './progress.service.ts';
import { ProvisioningPayload, runPayload } from './provisioning.resolver.ts';
import * as sandbox from './sandbox.service.ts';
import * as service from './sign-up.service.ts';

@InputType()
class SignUpInput {
  @Field(() => String, { description: '3 to 30 letters, digits and single hyphens; never used twice.' }) slug!: string;
  @Field(() => String, { description: '2 to 120 characters.' }) name!: string;
  @Field(() => String, { description: '1 to 120 characters.' }) adminName!: string;
  @Field(() => String) adminEmail!: string;
  @Field(() => String, { description: 'ISO 3166-1 alpha-2.' }) country!: string;
  @Field(() => TimeZone) zone!: string;
  @Field(() => String, { description: 'Code of a plan; it begins with its trial.' }) plan!: string;
  @Field(() => String, { description: 'Version of the terms that were agreed to.' }) termsVersion!: string;
}

@InputType()
class ConfirmSignUpInput {
  @Field(() => String) token!: string;
}

@InputType()
class SandboxInput {
  @Field(() => String) slug!: string;
  @Field(() => String, { description: 'Code of a plan.' }) plan!: string;
  @Field(() => Int, { defaultValue: 14, description: '1 to 14.' }) days!: number;
}

@InputType()
class DisposeSandboxInput {
  @Field(() => ID) tenantId!: string;
}

@ObjectType()
class SignUpPayload {
  @Field(() => DateTime, { nullable: true, description: 'Until then the mail that was sent can be answered.' })
  expiresAt?: Date | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

const DisposeSandboxPayload = payloadOf('DisposeSandboxPayload', 'tenant', () => Tenant);

@Resolver()
export class SignUpResolver {
  @Query(() => Boolean, { description: 'Whether a short name can be had now.' })
  @OpenDoor('who signs up has no account yet; 30 times a minute from one address')
  slugAvailable(@Arg('slug', () => String) slug: string, @Ctx() ctx: Context) {
    return service.slugAvailable(ctx, slug);
  }

  @Mutation(() => SignUpPayload, { description: 'Asks for a tenant; a mail comes to be answered within 24 hours.' })
  @OpenDoor('who signs up has no account yet; 5 times an hour from one address')
  @Continuity()
  signUp(@Arg('input', () => SignUpInput) input: SignUpInput, @Ctx() ctx: Context) {
    const { adminName: name, adminEmail: email, ...asked } = input;
    return payload(async () => ({ expiresAt: await service.signUp(ctx, { ...asked, admin: { name, email } }) }));
  }

  @Mutation(() => ProvisioningPayload)
  @OpenDoor('who signs up has no account yet and shows the token of a mail')
  @Continuity()
  confirmSignUp(@Arg('input', () => ConfirmSignUpInput) { token }: ConfirmSignUpInput, @Ctx() ctx: Context) {
    return payload(async () => {
      const { run, ticket } = await service.confirmSignUp(ctx, token);
      return { run: await newestOf(ctx, run), ticket };
    });
  }

  @Mutation(() => ProvisioningPayload, {
    description: 'Sets up a sandbox whose clock can be moved; it lives 1 to 14 days.',
  })
  @RequiresPermission('tenancy.sandbox.manage')
  @Continuity()
  createSandbox(@Arg('input', () => SandboxInput) input: SandboxInput, @Ctx() ctx: Context) {
    return runPayload(ctx, () => sandbox.createSandbox(ctx, input));
  }

  @Mutation(() => DisposeSandboxPayload, { description: 'Closes a sandbox before its days are over.' })
  @RequiresPermission('tenancy.sandbox.manage')
  @Continuity()
  disposeSandbox(@Arg('input', () => DisposeSandboxInput) { tenantId }: DisposeSandboxInput, @Ctx() ctx: Context) {
    return payload(async () => ({ tenant: await sandbox.disposeSandbox(ctx, tenantId) }));
  }
}
