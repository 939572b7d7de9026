import { Arg, Args, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { Continuity, RequiresPermission } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, UserError } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { LicenseFile } from './license-file.entity.ts';
import * as service from './license-file.service.ts';
import { revocationList } from './revocation-list.service.ts';

const LicenseFileConnection = connectionOf(LicenseFile, 'LicenseFile');

@InputType()
class IssueLicenseFileInput {
  @Field(() => ID, { nullable: true, description: 'The one installation it is for; left out, any of the tenant.' })
  installationId?: string | null;
  @Field(() => Int, { defaultValue: 168, description: '1 to 720.' }) ttlHours!: number;
  @Field(() => String) idempotencyKey!: string;
}

@InputType()
class RevokeLicenseFileInput {
  @Field(() => ID) id!: string;
  @Field(() => String, { description: '5 to 500 characters.' }) reason!: string;
}

@ObjectType()
class LicenseFilePayload {
  @Field(() => LicenseFile, { nullable: true }) licenseFile?: LicenseFile | null;
  @Field(() => String, {
    nullable: true,
    description:
      'The file itself, a compact JWS, when it is issued. It is kept nowhere: ask with the same key, or anew.',
  })
  jws?: string | null;
  @Field(() => [UserError]) userErrors!: UserError[];
}

@Resolver()
export class LicenseFileResolver {
  @Query(() => LicenseFileConnection, { description: 'The licence files of the caller’s tenant, newest first.' })
  @RequiresPermission('licensing.file.issue')
  licenseFiles(@Args(() => PageArgs) page: PageArgs, @Ctx() ctx: Context) {
    checkPage(page);
    return service.licenseFiles(ctx, page);
  }

  @Mutation(() => LicenseFilePayload, { description: 'Signs what the licence says, for an installation to carry.' })
  @RequiresPermission('licensing.file.issue')
  @Continuity()
  issueLicenseFile(
    @Arg('input', () => IssueLicenseFileInput) { installationId, ...asked }: IssueLicenseFileInput,
    @Ctx() ctx: Context,
  ) {
    return payload(() => service.issueLicenseFile(ctx, { ...asked, installationId: installationId ?? null }));
  }

  @Mutation(() => LicenseFilePayload, { description: 'Takes a file back; installations hear it within a minute.' })
  @RequiresPermission('licensing.key.manage')
  @Continuity()
  revokeLicenseFile(
    @Arg('input', () => RevokeLicenseFileInput) { id, reason }: RevokeLicenseFileInput,
    @Ctx() ctx: Context,
  ) {
    return payload(async () => {
      const tenantId = await service.tenantOfFile(ctx, id);
      const licenseFile = await service.revokeLicenseFile(ctx.inTenant(tenantId), id, reason);
      await revocationList(ctx);
      return { licenseFile };
    });
  }
}
