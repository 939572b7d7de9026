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
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import {
  Continuity,
  Internal,
  NotWhileActing,
  OpenDoor,
  RequiresFeature,
  RequiresPermission,
  RequiresStrongProof,
} from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf, UserError } from '../../../schema/payload.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { DonePayload, done } from '../done.payload.ts';
import { toldEverywhere } from '../grant.service.ts';
import { IdInput } from '../id.input.ts';
import { Tenant } from '../tenant.stub.ts';
import { ApiKey, ApiKeyGrant, ApiKeyStateEnum } from './api-key.entity.ts';
import type { ApiKeyState } from './api-key.rules.ts';
import * as service from './api-key.service.ts';
import * as grants from './key-grant.service.ts';

const ApiKeyConnection = connectionOf(ApiKey, 'ApiKey');
const ApiKeyPayload = payloadOf('ApiKeyPayload', 'apiKey', () => ApiKey);

@InputType()
class CreateApiKeyInput {
  @Field(() => String) name!: string;
  @Field(() => [String], { description: 'What it may do, single permissions its maker holds.' }) scopes!: string[];
  @Field(() => [String], {
    defaultValue: [],
    description: 'Networks it may be used from, as 192.0.2.0/24; empty is any.',
  })
  addresses!: string[];
  @Field(() => Int, { defaultValue: 20, description: '1 to 100.' }) requestsPerSecond!: number;
  @Field(() => DateTime, { nullable: true, description: 'At most 2 years from now; left out, a year.' })
  expiresAt?: Date | null;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
class RotateApiKeyInput {
  @Field(() => ID) id!: string;
  @Field(() => Int, { defaultValue: 24, description: 'How long both work, 0 to 168.' }) overlapHours!: number;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
class RevokeApiKeyInput {
  @Field(() => ID) id!: string;
  @Field(() => String, { nullable: true, description: 'At most 200 characters.' }) reason?: string | null;
}

@InputType()
class LeakedKeyInput {
  @Field(() => String, { description: 'The key itself.' }) key!: string;
}

@ObjectType()
class ApiKeySecretPayload {
  @Field(() => ApiKey, { nullable: true }) apiKey?: ApiKey | null;
  @Field(() => String, { nullable: true, description: 'The key itself, in the first answer only. It is kept nowhere.' })
  key?: string | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

@Resolver(() => ApiKey)
export class ApiKeyResolver {
  @Query(() => ApiKeyConnection, { description: 'The keys of this tenant, newest first; never the keys themselves.' })
  @RequiresPermission('identity.api_key.read')
  apiKeys(
    @Arg('state', () => ApiKeyStateEnum, { nullable: true }) state: ApiKeyState | null | undefined,
    @Args(() => PageArgs) page: PageArgs,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listKeys(ctx, state ?? null, page);
  }

  @Query(() => ApiKey, { nullable: true })
  @RequiresPermission('identity.api_key.read')
  apiKey(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return service.keyById(ctx, id);
  }

  @Mutation(() => ApiKeySecretPayload, { nullable: true, description: 'The key is in the first answer only.' })
  @RequiresPermission('identity.api_key.manage')
  @RequiresFeature('api_keys')
  @RequiresStrongProof()
  createApiKey(@Arg('input', () => CreateApiKeyInput) input: CreateApiKeyInput, @Ctx() ctx: Context) {
    return payload(() => service.createApiKey(ctx, input));
  }

  @Mutation(() => ApiKeySecretPayload, {
    nullable: true,
    description: 'Another key in the place of one; both work for a while.',
  })
  @RequiresPermission('identity.api_key.manage')
  @RequiresFeature('api_keys')
  @RequiresStrongProof()
  rotateApiKey(@Arg('input', () => RotateApiKeyInput) input: RotateApiKeyInput, @Ctx() ctx: Context) {
    return payload(() => service.rotateApiKey(ctx, input));
  }

  @Mutation(() => ApiKeyPayload, { description: 'Answers for a key whose maker no longer can.' })
  @RequiresPermission('identity.api_key.manage')
  @NotWhileActing()
  @Continuity()
  confirmApiKey(@Arg('input', () => IdInput) { id }: IdInput, @Ctx() ctx: Context) {
    return payload(async () => ({ apiKey: await service.confirmApiKey(ctx, id) }));
  }

  @Mutation(() => ApiKeyPayload, { description: 'For good, within a second.' })
  @RequiresPermission('identity.api_key.manage')
  @NotWhileActing()
  @Continuity()
  revokeApiKey(@Arg('input', () => RevokeApiKeyInput) { id, reason }: RevokeApiKeyInput, @Ctx() ctx: Context) {
    return payload(() =>
      toldEverywhere(ctx, async () => ({ apiKey: await service.revokeApiKey(ctx, id, reason ?? null) })),
    );
  }

  @Mutation(() => DonePayload, {
    description: 'Ends a key that was found. The answer never tells whether there is such a key.',
  })
  @OpenDoor('Whoever holds a key may end it.')
  revokeLeakedKey(@Arg('input', () => LeakedKeyInput) { key }: LeakedKeyInput, @Ctx() ctx: Context) {
    // It waits for no gateway: how long would tell whether there is such a key.
    return done(() => service.revokeLeakedKey(ctx, key));
  }

  @Query(() => [ApiKeyGrant])
  @Internal()
  keyGrants(@Arg('hashes', () => [String]) hashes: string[], @Ctx() ctx: Context) {
    return grants.keyGrants(ctx, hashes);
  }

  @Mutation(() => Boolean)
  @Internal()
  async noteKeyUse(@Arg('keyIds', () => [ID]) keyIds: string[], @Ctx() ctx: Context) {
    await grants.noteKeyUse(ctx, keyIds);
    return true;
  }
}

@Resolver(() => Tenant)
export class TenantKeysResolver {
  @FieldResolver(() => ApiKeyConnection, { nullable: true, description: 'Its keys, for the tenant of the token.' })
  @RequiresPermission('identity.api_key.read')
  apiKeys(@Root() { id }: Tenant, @Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return id === ctx.tenantId ? service.listKeys(ctx, null, page) : null;
  }
}
