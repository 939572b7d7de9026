import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, Query, Resolver, Root } from 'type-graphql';
import { Continuity, ListSize, RequiresPermission, RequiresStrongProof } from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { PERMISSIONS, PLATFORM_PERMISSIONS } from '../../../schema/permissions.ts';
import type { Context } from '../../_kernel/context.ts';
import { DonePayload, done } from '../done.payload.ts';
import { toldEverywhere } from '../grant.service.ts';
import { IdInput } from '../id.input.ts';
import { Tenant } from '../tenant.stub.ts';
import { PermissionInfo, Role } from './role.entity.ts';
import * as service from './role.service.ts';

const RolePayload = payloadOf('RolePayload', 'role', () => Role);

@InputType()
class RoleInput {
  @Field(() => String, { description: '3 to 40 small letters, digits and underscores; it never changes.' })
  key!: string;
  @Field(() => String) name!: string;
  @Field(() => String, { nullable: true, description: 'Key of the role it begins from.' }) basedOn?: string | null;
  @Field(() => [String], {
    defaultValue: [],
    description: '`domain.noun.action`, `domain.*`, `domain.noun.*` or `*.*.action`.',
  })
  adds!: string[];
  @Field(() => [String], { defaultValue: [], description: 'Taken away, whatever adds them.' }) removes!: string[];
  @Field(() => Int, { nullable: true, description: 'How many members may have it.' }) maxMembers?: number | null;
}

@InputType()
class UpdateRoleInput {
  @Field(() => ID) roleId!: string;
  @Field(() => Int, { description: 'The version it was read at.' }) expectedVersion!: number;
  @Field(() => String, { nullable: true }) name?: string | null;
  @Field(() => String, { nullable: true, description: 'Null takes the base away; left out it stays.' })
  basedOn?: string | null;
  @Field(() => [String], { nullable: true }) adds?: string[] | null;
  @Field(() => [String], { nullable: true }) removes?: string[] | null;
  @Field(() => Int, { nullable: true, description: 'Null lifts the bound; left out it stays.' })
  maxMembers?: number | null;
}

/** What was given: a text or a list that is null stays, where null can mean nothing else. */
const given = ({ name, adds, removes, ...rest }: UpdateRoleInput) => ({
  ...rest,
  ...(name == null ? {} : { name }),
  ...(adds == null ? {} : { adds }),
  ...(removes == null ? {} : { removes }),
});

@Resolver(() => Role)
export class RoleResolver {
  @Query(() => [Role], { description: 'The roles there are in this tenant: the built-in ones, then its own.' })
  @RequiresPermission('identity.role.read')
  @ListSize(20)
  roles(@Ctx() ctx: Context) {
    return service.listRoles(ctx);
  }

  @Query(() => [PermissionInfo], { description: 'Every permission a role of this tenant can hold.' })
  @RequiresPermission('identity.role.read')
  @ListSize(100)
  permissions(@Ctx() ctx: Context): PermissionInfo[] {
    const here = PERMISSIONS.filter((name) => ctx.isPlatform || !PLATFORM_PERMISSIONS.includes(name));
    return here.map((name) => {
      const [domain = '', noun = '', action = ''] = name.split('.');
      return { name, domain, noun, action };
    });
  }

  @Mutation(() => RolePayload, { description: 'Nobody makes a role that may do what they may not.' })
  @RequiresPermission('identity.role.manage')
  @RequiresStrongProof()
  @Continuity()
  createRole(@Arg('input', () => RoleInput) input: RoleInput, @Ctx() ctx: Context) {
    const asked = { ...input, basedOn: input.basedOn ?? null, maxMembers: input.maxMembers ?? null };
    return payload(async () => ({ role: await service.createRole(ctx, asked) }));
  }

  @Mutation(() => RolePayload, { description: 'The next request of everybody who has it knows.' })
  @RequiresPermission('identity.role.manage')
  @RequiresStrongProof()
  @Continuity()
  updateRole(@Arg('input', () => UpdateRoleInput) input: UpdateRoleInput, @Ctx() ctx: Context) {
    return payload(() => toldEverywhere(ctx, async () => ({ role: await service.updateRole(ctx, given(input)) })));
  }

  @Mutation(() => DonePayload, { description: 'A role somebody has, or another stands on, stays.' })
  @RequiresPermission('identity.role.manage')
  @RequiresStrongProof()
  @Continuity()
  deleteRole(@Arg('input', () => IdInput) { id }: IdInput, @Ctx() ctx: Context) {
    return done(() => service.deleteRole(ctx, id));
  }
}

@Resolver(() => Tenant)
export class TenantRolesResolver {
  @FieldResolver(() => [Role], { nullable: true, description: 'The roles there are, for the tenant of the token.' })
  @RequiresPermission('identity.role.read')
  @ListSize(20)
  roles(@Root() { id }: Tenant, @Ctx() ctx: Context) {
    return id === ctx.tenantId ? service.listRoles(ctx) : null;
  }
}
