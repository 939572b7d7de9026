import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DENIAL_REASONS, type DenialReason } from '../../../schema/errors.ts';
import type { FeatureAccess } from '../../../schema/features.ts';
import { DateTime, FeatureKey } from '../../../schema/scalars.ts';
import type { EntitlementSource } from './entitlement.rules.ts';

export const FeatureAccessEnum = { NONE: 'NONE', READ: 'READ', FULL: 'FULL' } as const;
export const EntitlementSourceEnum = {
  OVERRIDE: 'OVERRIDE',
  GRANT: 'GRANT',
  TRIAL: 'TRIAL',
  ADD_ON: 'ADD_ON',
  PLAN: 'PLAN',
  DEFAULT: 'DEFAULT',
  TEST_OVERRIDE: 'TEST_OVERRIDE',
} as const;
export const DenialReasonEnum = Object.fromEntries(DENIAL_REASONS.map((r) => [r, r])) as { [R in DenialReason]: R };
registerEnumType(FeatureAccessEnum, { name: 'FeatureAccess' });
registerEnumType(EntitlementSourceEnum, { name: 'EntitlementSource', description: 'Who says what a licence allows.' });
registerEnumType(DenialReasonEnum, {
  name: 'DenialReason',
  description: 'Why a feature is shut, or open for reading only.',
});

@ObjectType({ description: 'Whether a feature is open now, who says so, until when, and if not, why.' })
export class Entitlement {
  @Field(() => FeatureKey) feature!: string;
  @Field(() => FeatureAccessEnum) access!: FeatureAccess;
  @Field(() => EntitlementSourceEnum) source!: EntitlementSource;
  @Field(() => ID, { nullable: true, description: 'The override, grant, add-on or plan version that says so.' })
  sourceId!: string | null;
  @Field(() => DateTime, { nullable: true }) expiresAt!: Date | null;
  @Field(() => DenialReasonEnum, { nullable: true }) reason!: DenialReason | null;
}
