import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { BillingInterval, Enforcement, LicenseTerms } from '../terms/license.rules.ts';
import type { Snapshot } from './license-change.rules.ts';

export const LicenseStateEnum = {
  TRIAL: 'TRIAL',
  ACTIVE: 'ACTIVE',
  GRACE: 'GRACE',
  RESTRICTED: 'RESTRICTED',
  SUSPENDED: 'SUSPENDED',
  EXPIRED: 'EXPIRED',
  REVOKED: 'REVOKED',
} as const;
export const BillingIntervalEnum = { MONTH: 'MONTH', YEAR: 'YEAR' } as const;
export const LicenseTermsEnum = { INVOICED: 'INVOICED', PREPAID: 'PREPAID' } as const;
export const EnforcementEnum = { ENFORCE: 'ENFORCE', OBSERVE: 'OBSERVE' } as const;
registerEnumType(LicenseStateEnum, { name: 'LicenseState' });
registerEnumType(BillingIntervalEnum, { name: 'BillingInterval' });
registerEnumType(LicenseTermsEnum, {
  name: 'LicenseTerms',
  description: 'Whether a period counts when it is invoiced or when it is paid.',
});
registerEnumType(EnforcementEnum, {
  name: 'Enforcement',
  description: 'Whether a gate refuses or only records what it would refuse.',
});

@ObjectType({
  description: 'What one tenant may use, and until when. State and features are computed for the present moment.',
})
@Directive('@key(fields: "id")')
@Entity({ schema: 'licensing', tableName: 'license' })
export class License {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => Int, { description: 'One more with each change that has an effect.' })
  @Property({ type: 'integer' })
  version!: number;
  @Property({ type: 'uuid' }) planVersionId!: string;
  @Property({ type: 'string' }) interval!: BillingInterval;
  @Property({ type: 'integer' }) anchorDay!: number;
  @Property({ type: 'string' }) zone!: string;
  @Property({ type: 'string' }) terms!: LicenseTerms;
  @Property({ type: 'datetime' }) validFrom!: Date;
  @Property({ type: 'datetime', nullable: true }) trialEndsAt!: Date | null;
  @Property({ type: 'datetime', nullable: true }) paidUntil!: Date | null;
  @Property({ type: 'boolean' }) autoRenew!: boolean;
  @Property({ type: 'string' }) enforcement!: Enforcement;
  @Property({ type: 'datetime', nullable: true }) observeUntil!: Date | null;
  @Property({ type: 'datetime', nullable: true }) revokedAt!: Date | null;
  /** What `version` says, and the instant at which it was said; null before version 1 is written. */
  @Property({ type: 'json' }) snapshot!: Snapshot;
  @Property({ type: 'datetime', nullable: true }) snapshotAt!: Date | null;
  @Property({ type: 'datetime', nullable: true }) nextTransitionAt!: Date | null;
}
