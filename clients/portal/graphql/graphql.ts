/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type BillingInterval =
  | 'MONTH'
  | 'YEAR';

/** Why a feature is shut, or open for reading only. */
export type DenialReason =
  | 'DOWNGRADED'
  | 'EXPIRED'
  | 'GRANT_ENDED'
  | 'NOT_IN_PLAN'
  | 'NO_LICENSE'
  | 'OVERRIDE_OFF'
  | 'PARENT_OFF'
  | 'RESTRICTED'
  | 'REVOKED'
  | 'SUSPENDED'
  | 'TRIAL_ENDED';

/** Whether a gate refuses or only records what it would refuse. */
export type Enforcement =
  | 'ENFORCE'
  | 'OBSERVE';

/** Who says what a licence allows. */
export type EntitlementSource =
  | 'ADD_ON'
  | 'DEFAULT'
  | 'GRANT'
  | 'OVERRIDE'
  | 'PLAN'
  | 'TEST_OVERRIDE'
  | 'TRIAL';

export type FeatureAccess =
  | 'FULL'
  | 'NONE'
  | 'READ';

export type LicenseState =
  | 'ACTIVE'
  | 'EXPIRED'
  | 'GRACE'
  | 'RESTRICTED'
  | 'REVOKED'
  | 'SUSPENDED'
  | 'TRIAL';

/** A SNAPSHOT stands for itself; a DELTA applies to `previousVersion` only; after ENDED nothing comes. */
export type LicenseUpdateKind =
  | 'DELTA'
  | 'ENDED'
  | 'SNAPSHOT';

/** What happens at the limit: HARD refuses, SOFT allows a margin, OVERAGE allows and charges. */
export type QuotaPolicy =
  | 'HARD'
  | 'OVERAGE'
  | 'SOFT';

export type UpgradeLicenseInput = {
  idempotencyKey: string;
  /** As it is, when left out. */
  interval?: BillingInterval | null | undefined;
  /** Code of a plan. */
  newPlan: string;
};

/** Why the domain said no. */
export type UserErrorCode =
  | 'CONFLICT'
  | 'IDEMPOTENCY_IN_PROGRESS'
  | 'IDEMPOTENCY_MISMATCH'
  | 'INVALID'
  | 'INVALID_STATE'
  | 'LIMIT_REACHED'
  | 'NOT_FOUND'
  | 'STALE_PREVIEW';

export type PortalLicenseFragment = { version: number, state: LicenseState, enforcement: Enforcement, trialEndsAt: string | null, graceEndsAt: string | null, restrictedEndsAt: string | null, features: Array<{ feature: string, access: FeatureAccess, source: EntitlementSource, expiresAt: string | null, reason: DenialReason | null }>, planVersion: { plan: { code: string, name: string } } | null, limits: Array<{ key: string, baseUnit: string, isUnlimited: boolean, limit: string | null, used: string, percent: number | null, policy: QuotaPolicy, periodEnd: string | null }> | null };

export type ReadLicenseQueryVariables = Exact<{ [key: string]: never; }>;


export type ReadLicenseQuery = { license: { version: number, state: LicenseState, enforcement: Enforcement, trialEndsAt: string | null, graceEndsAt: string | null, restrictedEndsAt: string | null, features: Array<{ feature: string, access: FeatureAccess, source: EntitlementSource, expiresAt: string | null, reason: DenialReason | null }>, planVersion: { plan: { code: string, name: string } } | null, limits: Array<{ key: string, baseUnit: string, isUnlimited: boolean, limit: string | null, used: string, percent: number | null, policy: QuotaPolicy, periodEnd: string | null }> | null } | null };

export type FollowLicenseSubscriptionVariables = Exact<{
  after?: number | null | undefined;
}>;


export type FollowLicenseSubscription = { licenseUpdated: { kind: LicenseUpdateKind, version: number, previousVersion: number | null, license: { version: number, state: LicenseState, enforcement: Enforcement, trialEndsAt: string | null, graceEndsAt: string | null, restrictedEndsAt: string | null, features: Array<{ feature: string, access: FeatureAccess, source: EntitlementSource, expiresAt: string | null, reason: DenialReason | null }>, planVersion: { plan: { code: string, name: string } } | null, limits: Array<{ key: string, baseUnit: string, isUnlimited: boolean, limit: string | null, used: string, percent: number | null, policy: QuotaPolicy, periodEnd: string | null }> | null } | null } };

export type ReadUpgradeOptionsQueryVariables = Exact<{
  feature: string;
}>;


export type ReadUpgradeOptionsQuery = { upgradeOptions: Array<{ plan: { code: string, name: string } | null, addOn: { code: string, name: string } | null, netDueToday: { amountMinor: string, currency: string } | null, monthlyPrice: { amountMinor: string, currency: string } }> };

export type UpgradeMutationVariables = Exact<{
  input: UpgradeLicenseInput;
}>;


export type UpgradeMutation = { upgradeLicense: { license: { version: number, state: LicenseState, enforcement: Enforcement, trialEndsAt: string | null, graceEndsAt: string | null, restrictedEndsAt: string | null, features: Array<{ feature: string, access: FeatureAccess, source: EntitlementSource, expiresAt: string | null, reason: DenialReason | null }>, planVersion: { plan: { code: string, name: string } } | null, limits: Array<{ key: string, baseUnit: string, isUnlimited: boolean, limit: string | null, used: string, percent: number | null, policy: QuotaPolicy, periodEnd: string | null }> | null } | null, userErrors: Array<{ code: UserErrorCode, message: string }> } };

export type RecordUpgradeClickMutationVariables = Exact<{
  denialId: string | number;
}>;


export type RecordUpgradeClickMutation = { recordUpgradeClick: { userErrors: Array<{ code: UserErrorCode }> } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const PortalLicenseFragmentDoc = new TypedDocumentString(`
    fragment PortalLicense on License {
  version
  state
  enforcement
  features {
    feature
    access
    source
    expiresAt
    reason
  }
  planVersion {
    plan {
      code
      name
    }
  }
  trialEndsAt
  graceEndsAt
  restrictedEndsAt
  limits {
    key
    baseUnit
    isUnlimited
    limit
    used
    percent
    policy
    periodEnd
  }
}
    `, {"fragmentName":"PortalLicense"}) as unknown as TypedDocumentString<PortalLicenseFragment, unknown>;
export const ReadLicenseDocument = new TypedDocumentString(`
    query ReadLicense {
  license {
    ...PortalLicense
  }
}
    fragment PortalLicense on License {
  version
  state
  enforcement
  features {
    feature
    access
    source
    expiresAt
    reason
  }
  planVersion {
    plan {
      code
      name
    }
  }
  trialEndsAt
  graceEndsAt
  restrictedEndsAt
  limits {
    key
    baseUnit
    isUnlimited
    limit
    used
    percent
    policy
    periodEnd
  }
}`) as unknown as TypedDocumentString<ReadLicenseQuery, ReadLicenseQueryVariables>;
export const FollowLicenseDocument = new TypedDocumentString(`
    subscription FollowLicense($after: Int) {
  licenseUpdated(after: $after) {
    kind
    version
    previousVersion
    license {
      ...PortalLicense
    }
  }
}
    fragment PortalLicense on License {
  version
  state
  enforcement
  features {
    feature
    access
    source
    expiresAt
    reason
  }
  planVersion {
    plan {
      code
      name
    }
  }
  trialEndsAt
  graceEndsAt
  restrictedEndsAt
  limits {
    key
    baseUnit
    isUnlimited
    limit
    used
    percent
    policy
    periodEnd
  }
}`) as unknown as TypedDocumentString<FollowLicenseSubscription, FollowLicenseSubscriptionVariables>;
export const ReadUpgradeOptionsDocument = new TypedDocumentString(`
    query ReadUpgradeOptions($feature: FeatureKey!) {
  upgradeOptions(feature: $feature) {
    plan {
      code
      name
    }
    addOn {
      code
      name
    }
    netDueToday {
      amountMinor
      currency
    }
    monthlyPrice {
      amountMinor
      currency
    }
  }
}
    `) as unknown as TypedDocumentString<ReadUpgradeOptionsQuery, ReadUpgradeOptionsQueryVariables>;
export const UpgradeDocument = new TypedDocumentString(`
    mutation Upgrade($input: UpgradeLicenseInput!) {
  upgradeLicense(input: $input) {
    license {
      ...PortalLicense
    }
    userErrors {
      code
      message
    }
  }
}
    fragment PortalLicense on License {
  version
  state
  enforcement
  features {
    feature
    access
    source
    expiresAt
    reason
  }
  planVersion {
    plan {
      code
      name
    }
  }
  trialEndsAt
  graceEndsAt
  restrictedEndsAt
  limits {
    key
    baseUnit
    isUnlimited
    limit
    used
    percent
    policy
    periodEnd
  }
}`) as unknown as TypedDocumentString<UpgradeMutation, UpgradeMutationVariables>;
export const RecordUpgradeClickDocument = new TypedDocumentString(`
    mutation RecordUpgradeClick($denialId: ID!) {
  recordUpgradeClick(input: {denialId: $denialId}) {
    userErrors {
      code
    }
  }
}
    `) as unknown as TypedDocumentString<RecordUpgradeClickMutation, RecordUpgradeClickMutationVariables>;