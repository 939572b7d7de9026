import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { BillingInterval } from '../catalogue/price.rules.ts';
import type { Enforcement, LicenseTerms } from '../terms/license.rules.ts';
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
  /** The provisioning run that asked for it. */
  @Property({ type: 'uuid', nullable: true }) runId!: string | null;
  /** That run was undone: the licence is revoked, and as if it had never been. */
  @Property({ type: 'boolean' }) isWithdrawn!: boolean;
  /** Renewal was stopped because the tenant closed, and goes on when it reopens. */
  @Property({ type: 'boolean' }) resumesRenewal!: boolean;
  /** When it will have been expired for so long that it lapses; null once that was told. */
  @Property({ type: 'datetime', nullable: true }) lapsesAt!: Date | null;
  /** The end of reading (`restrictedEnd`) of which it was told last that the licence lapsed. */
  @Property({ type: 'datetime', nullable: true }) lapsedSince!: Date | null;
  /** What `version` says, and the instant at which it was said; null before version 1 is written. */
  @Property({ type: 'json' }) snapshot!: Snapshot;
  @Property({ type: 'datetime', nullable: true }) snapshotAt!: Date | null;
  @Property({ type: 'datetime', nullable: true }) nextTransitionAt!: Date | null;
  /** Paid time that was given without an invoice. */
  @Property({ type: 'datetime', nullable: true }) grantedUntil!: Date | null;
  /** End of the last period that billing was asked to charge. */
  @Property({ type: 'datetime', nullable: true }) askedUntil!: Date | null;
  /** Where its periods began anew after it had ended. */
  @Property({ type: 'datetime', nullable: true }) periodOrigin!: Date | null;
  @Property({ type: 'datetime', nullable: true }) renewalDueAt!: Date | null;
  /** Features the last change of what is sold took away. */
  @Property({ type: 'array' }) lostFeatures!: string[];
}
