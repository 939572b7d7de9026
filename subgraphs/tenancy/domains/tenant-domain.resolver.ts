import {
  Arg,
  Ctx,
  Directive,
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
import { Continuity, Internal, ListSize, RequiresFeature, RequiresPermission } from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { readFeed } from '../../_kernel/events.ts';
import { Tenant } from '../tenant.entity.ts';
import { checkDomain } from './check-domain.service.ts';
import { DomainMethodEnum, HostOwner, TenantDomain } from './tenant-domain.entity.ts';
import type { ProofMethod } from './tenant-domain.rules.ts';
import * as service from './tenant-domain.service.ts';

const DomainPayload = payloadOf('DomainPayload', 'domain', () => TenantDomain);

@InputType()
class AddDomainInput {
  @Field(() => String, { description: 'Such as `portal.example.com`.' }) host!: string;
  @Field(() => DomainMethodEnum, { defaultValue: 'DNS_TXT' }) method!: ProofMethod;
}

@InputType()
class DomainInput {
  @Field(() => ID) domainId!: string;
}

@ObjectType()
@Directive('@inaccessible')
class HostFeedPage {
  @Field(() => Int) head!: number;
  @Field(() => [String]) hosts!: string[];
}

@Resolver(() => Tenant)
export class TenantDomainResolver {
  @FieldResolver(() => [TenantDomain], { description: 'The names it is reached under, and those it claims.' })
  @ListSize(11)
  domains(@Root() tenant: Tenant, @Ctx() ctx: Context) {
    return service.domainsOf(ctx, tenant.id);
  }

  @Mutation(() => DomainPayload, { nullable: true, description: 'Claims a domain, which its DNS then has to prove.' })
  @RequiresFeature('white_label')
  @RequiresPermission('tenancy.domain.manage')
  addDomain(@Arg('input', () => AddDomainInput) input: AddDomainInput, @Ctx() ctx: Context) {
    return payload(async () => ({ domain: await service.addDomain(ctx, input) }));
  }

  @Mutation(() => DomainPayload, { nullable: true, description: 'Looks at once whether its DNS proves it.' })
  @RequiresFeature('white_label')
  @RequiresPermission('tenancy.domain.manage')
  checkDomain(@Arg('input', () => DomainInput) { domainId }: DomainInput, @Ctx() ctx: Context) {
    return payload(async () => ({ domain: await checkDomain(ctx, domainId) }));
  }

  @Mutation(() => DomainPayload, { nullable: true, description: 'Makes it the name links lead to.' })
  @RequiresFeature('white_label')
  @RequiresPermission('tenancy.domain.manage')
  setPrimaryDomain(@Arg('input', () => DomainInput) { domainId }: DomainInput, @Ctx() ctx: Context) {
    return payload(async () => ({ domain: await service.setPrimaryDomain(ctx, domainId) }));
  }

  @Mutation(() => DomainPayload, { description: 'Gives a domain back.' })
  @RequiresPermission('tenancy.domain.manage')
  @Continuity()
  removeDomain(@Arg('input', () => DomainInput) { domainId }: DomainInput, @Ctx() ctx: Context) {
    return payload(async () => ({ domain: await service.removeDomain(ctx, domainId) }));
  }

  @Query(() => [HostOwner])
  @Internal()
  hostOwners(@Arg('hosts', () => [String]) hosts: string[], @Ctx() ctx: Context) {
    return service.hostOwners(ctx, hosts);
  }

  @Query(() => HostFeedPage)
  @Internal()
  hostFeed(@Arg('afterSeq', () => Int) afterSeq: number, @Arg('first', () => Int) first: number, @Ctx() ctx: Context) {
    return ctx.acrossTenants(async (em) => {
      const { head, rows } = await readFeed(em, 'hosts', afterSeq, first);
      return {
        head: rows.length === first ? (rows.at(-1)?.seq ?? head) : head,
        hosts: rows.map(({ subject }) => subject),
      };
    });
  }
}
