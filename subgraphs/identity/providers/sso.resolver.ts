import {
  Arg,
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
  registerEnumType,
} from 'type-graphql';
import {
  Continuity,
  ListSize,
  NotWhileActing,
  RequiresPermission,
  RequiresStrongProof,
} from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { toldEverywhere } from '../grant.service.ts';
import { IdInput } from '../id.input.ts';
import { personById } from '../loaders.ts';
import { User } from '../user.entity.ts';
import { EmailDomain } from './email-domain.entity.ts';
import { recordName, recordValue } from './email-domain.rules.ts';
import * as domains from './email-domain.service.ts';
import { callbackUrl } from './provider.service.ts';
import { SsoConnection } from './sso-connection.entity.ts';
import type { RoleOfClaim } from './sso-connection.rules.ts';
import * as connections from './sso-connection.service.ts';

const EmailDomainPayload = payloadOf('EmailDomainPayload', 'emailDomain', () => EmailDomain);
const SsoPayload = payloadOf('SsoPayload', 'ssoConnection', () => SsoConnection);

const SsoMoveEnum = { ACTIVE: 'ACTIVE', OFF: 'OFF' } as const;
registerEnumType(SsoMoveEnum, { name: 'SsoMove', description: 'Into use, or out of it.' });

@InputType()
class EmailDomainInput {
  @Field(() => String, { description: 'Such as example.com.' }) domain!: string;
}

@InputType()
class SsoRoleInput implements RoleOfClaim {
  @Field(() => String) value!: string;
  @Field(() => String) role!: string;
}

@InputType({ description: 'The connection as a whole.' })
class SsoInput {
  @Field(() => ID, { nullable: true, description: 'Left out for a new one.' }) id?: string | null;
  @Field(() => Int, { nullable: true, description: 'The version it was read at, for one there is.' })
  expectedVersion?: number | null;
  @Field(() => String, { description: 'As its tokens name it, letter for letter.' }) issuer!: string;
  @Field(() => String) clientId!: string;
  @Field(() => String, { nullable: true, description: 'Left out it stays. It is never shown.' })
  clientSecret?: string | null;
  @Field(() => [ID], { description: 'Proved domains it serves.' }) domainIds!: string[];
  @Field(() => [SsoRoleInput], { defaultValue: [] }) roleMap!: SsoRoleInput[];
  @Field(() => Boolean, { defaultValue: false }) isRequired!: boolean;
  @Field(() => Boolean, { defaultValue: false }) createsMembers!: boolean;
  @Field(() => [ID], { defaultValue: [], description: 'At most two administrators.' }) emergencyUserIds!: string[];
}

@InputType()
class SsoStateInput {
  @Field(() => ID) id!: string;
  @Field(() => SsoMoveEnum) state!: 'ACTIVE' | 'OFF';
}

@ObjectType({ description: 'What to set at the name servers.' })
class TxtRecord {
  @Field(() => String) name!: string;
  @Field(() => String) value!: string;
}

@Resolver(() => EmailDomain)
export class EmailDomainResolver {
  @Query(() => [EmailDomain])
  @RequiresPermission('identity.policy.read')
  @ListSize(20)
  emailDomains(@Ctx() ctx: Context) {
    return domains.emailDomains(ctx);
  }

  @FieldResolver(() => TxtRecord, { description: 'The TXT record that proves it.' })
  record(@Root() { domain, token }: EmailDomain): TxtRecord {
    return { name: recordName(domain), value: recordValue(token) };
  }

  @Mutation(() => EmailDomainPayload, { description: 'Claims a domain; its TXT record proves it.' })
  @RequiresPermission('identity.policy.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  claimEmailDomain(@Arg('input', () => EmailDomainInput) { domain }: EmailDomainInput, @Ctx() ctx: Context) {
    return payload(async () => ({ emailDomain: await domains.claimEmailDomain(ctx, domain) }));
  }

  @Mutation(() => EmailDomainPayload, { description: 'Looks now whether the record stands.' })
  @RequiresPermission('identity.policy.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  checkEmailDomain(@Arg('input', () => IdInput) { id }: IdInput, @Ctx() ctx: Context) {
    return payload(async () => ({ emailDomain: await domains.checkEmailDomain(ctx, id) }));
  }
}

@Resolver(() => SsoConnection)
export class SsoConnectionResolver {
  @Query(() => [SsoConnection])
  @RequiresPermission('identity.policy.read')
  @ListSize(5)
  ssoConnections(@Ctx() ctx: Context) {
    return connections.ssoConnections(ctx);
  }

  @FieldResolver(() => [EmailDomain], { description: 'The domains it serves.' })
  @ListSize(20)
  async emailDomains(@Root() { id }: SsoConnection, @Ctx() ctx: Context) {
    return (await domains.emailDomains(ctx)).filter(({ connectionId }) => connectionId === id);
  }

  @FieldResolver(() => [User], { description: 'Administrators whose passwords go on working.' })
  @ListSize(2)
  async emergencyAdmins(@Root() { emergencyIds }: SsoConnection, @Ctx() ctx: Context) {
    const found = await Promise.all(emergencyIds.map((id) => ctx.load(personById, id)));
    return found.filter((person) => person !== null);
  }

  @FieldResolver(() => String, { description: 'The address the provider must be told to send people back to.' })
  callbackUrl(@Root() { id }: SsoConnection, @Ctx() ctx: Context) {
    return callbackUrl(ctx, id);
  }

  @Mutation(() => SsoPayload, { description: 'Makes a connection or changes one; then try it, and take it into use.' })
  @RequiresPermission('identity.policy.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  saveSsoConnection(@Arg('input', () => SsoInput) input: SsoInput, @Ctx() ctx: Context) {
    const save = () => connections.saveConnection(ctx, input);
    return payload(async () => ({ ssoConnection: await toldEverywhere(ctx, save) }));
  }

  @Mutation(() => SsoPayload, { description: 'Turned off, the sessions opened through it end.' })
  @RequiresPermission('identity.policy.manage')
  @RequiresStrongProof()
  @NotWhileActing()
  @Continuity()
  setSsoState(@Arg('input', () => SsoStateInput) { id, state }: SsoStateInput, @Ctx() ctx: Context) {
    const set = () => connections.setSsoState(ctx, id, state);
    return payload(async () => ({ ssoConnection: await toldEverywhere(ctx, set) }));
  }
}
