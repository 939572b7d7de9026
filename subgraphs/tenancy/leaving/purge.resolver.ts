import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Query, Resolver } from 'type-graphql';
import { Continuity, OpenDoor, RequiresPermission, RequiresStrongProof } from '../../../schema/directives.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { Context } from '../../_kernel/context.ts';
import { TenantInput, TenantPayload } from '../tenant.payload.ts';
import { verifyDeletionCertificate } from './certificate.service.ts';
import * as holds from './legal-hold.service.ts';
import { DeletionCertificate, Purge } from './purge.entity.ts';
import * as service from './purge.service.ts';

const PurgePayload = payloadOf('PurgePayload', 'purge', () => Purge);

@InputType()
class LegalHoldInput {
  @Field(() => ID) tenantId!: string;
  @Field(() => String, { description: '3 to 500 characters.' }) reason!: string;
}

@ObjectType()
class DeletedRows {
  @Field(() => String) table!: string;
  @Field(() => Int) rows!: number;
}

@ObjectType({ description: 'What a certificate of deletion says, if it is one of ours and no letter was changed.' })
class CertificateVerdict {
  @Field(() => Boolean) isValid!: boolean;
  @Field(() => ID, { nullable: true }) id?: string;
  @Field(() => String, { nullable: true, description: 'SHA-256 of the id of the tenant, 64 hex digits.' })
  tenantIdHash?: string;
  @Field(() => [DeletedRows], { nullable: true }) deleted?: DeletedRows[];
  @Field(() => DateTime, { nullable: true, description: 'When every table was counted and nothing of it was left.' })
  zeroAt?: Date;
  @Field(() => DateTime, { nullable: true, description: 'When the key of its sealed fields was destroyed.' })
  keyDestroyedAt?: Date;
  @Field(() => DateTime, { nullable: true, description: 'When the database was dropped that it had for itself.' })
  databaseDroppedAt?: Date | null;
  @Field(() => String, { nullable: true, description: 'Day on which the last backup ends.' }) lastBackupEndsOn?: string;
  @Field(() => [String], { nullable: true, description: 'What the law makes the platform keep.' }) kept?: string[];
  @Field(() => [ID], { nullable: true, description: 'The two people who approved.' }) approvedBy?: string[];
}

@Resolver()
export class PurgeResolver {
  @Mutation(() => TenantPayload, { description: 'Keeps a tenant from being deleted.' })
  @RequiresPermission('tenancy.purge.approve')
  @Continuity()
  placeLegalHold(@Arg('input', () => LegalHoldInput) { tenantId, reason }: LegalHoldInput, @Ctx() ctx: Context) {
    return payload(async () => ({ tenant: await holds.placeLegalHold(ctx, tenantId, reason) }));
  }

  @Mutation(() => TenantPayload)
  @RequiresPermission('tenancy.purge.approve')
  @Continuity()
  liftLegalHold(@Arg('input', () => TenantInput) { tenantId }: TenantInput, @Ctx() ctx: Context) {
    return payload(async () => ({ tenant: await holds.liftLegalHold(ctx, tenantId) }));
  }

  @Mutation(() => PurgePayload, {
    description: 'Approves that a closed tenant is deleted. With the second person it is, and there is no way back.',
  })
  @RequiresPermission('tenancy.purge.approve')
  @Continuity()
  @RequiresStrongProof()
  approvePurge(@Arg('input', () => TenantInput) { tenantId }: TenantInput, @Ctx() ctx: Context) {
    return payload(async () => ({ purge: await service.approvePurge(ctx, tenantId) }));
  }

  @Query(() => DeletionCertificate, { nullable: true, description: 'The certificate of a tenant that was deleted.' })
  @RequiresPermission('tenancy.fleet.read')
  deletionCertificate(@Arg('tenantId', () => ID) tenantId: string, @Ctx() ctx: Context) {
    return service.deletionCertificate(ctx, tenantId);
  }

  @Query(() => CertificateVerdict, { description: 'Whether a certificate of deletion is ours and whole.' })
  @OpenDoor('Whoever was given a certificate must be able to check it.')
  verifyDeletionCertificate(@Arg('document', () => String) document: string, @Ctx() ctx: Context): CertificateVerdict {
    const claims = verifyDeletionCertificate(ctx, document);
    if (!claims) return { isValid: false };
    return {
      ...claims,
      isValid: true,
      deleted: Object.entries(claims.deleted).map(([table, rows]) => ({ table, rows })),
      zeroAt: new Date(claims.zeroAt),
      keyDestroyedAt: new Date(claims.keyDestroyedAt),
      databaseDroppedAt: claims.databaseDroppedAt ? new Date(claims.databaseDroppedAt) : null,
      kept: [...claims.kept],
      approvedBy: [...claims.approvedBy],
    };
  }
}
