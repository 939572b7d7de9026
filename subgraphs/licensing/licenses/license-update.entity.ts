import { Field, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { DenialReason } from '../../../schema/errors.ts';
import { DateTime, FeatureKey } from '../../../schema/scalars.ts';
import { DenialReasonEnum } from '../terms/entitlement.entity.ts';

export const LicenseUpdateKindEnum = { SNAPSHOT: 'SNAPSHOT', DELTA: 'DELTA', ENDED: 'ENDED' } as const;
registerEnumType(LicenseUpdateKindEnum, {
  name: 'LicenseUpdateKind',
  description: 'A SNAPSHOT stands for itself; a DELTA applies to `previousVersion` only; after ENDED nothing comes.',
});

@ObjectType({ description: 'A feature that a change has shut, and why.' })
export class FeatureEnd {
  @Field(() => FeatureKey) feature!: string;
  @Field(() => DenialReasonEnum) reason!: DenialReason;
}

@ObjectType({ description: 'News of a licence. A client that misses a version asks again with `after`.' })
export class LicenseUpdate {
  @Field(() => LicenseUpdateKindEnum) kind!: keyof typeof LicenseUpdateKindEnum;
  @Field(() => Int, { description: '0 while the tenant has no licence.' }) version!: number;
  @Field(() => Int, { nullable: true }) previousVersion!: number | null;
  @Field(() => [String], { description: 'Paths such as `state`, `features.crm` or `limits.subscribers`.' })
  changedKeys!: string[];
  @Field(() => [FeatureEnd]) endedFeatures!: FeatureEnd[];
  @Field(() => String, {
    nullable: true,
    description: 'Why the licence closed: one of the denial reasons; why the stream ENDED: TENANT_CLOSED.',
  })
  reason!: string | null;
  @Field(() => DateTime) effectiveAt!: Date;
  @Field(() => DateTime) committedAt!: Date;
}
