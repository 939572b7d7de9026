/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type AddressInput = {
  /** 1 to 100 characters. */
  city: string;
  /** ISO 3166-1 alpha-2, upper case. */
  country: string;
  /** Street and number, 1 to 200 characters. */
  line1: string;
  line2?: string | null | undefined;
  postalCode?: string | null | undefined;
  /** State, province or county. */
  region?: string | null | undefined;
};

export type AdvanceClockInput = {
  /** How far, an ISO 8601 duration such as `P14D` or `PT1H30M`. */
  by: string;
  tenantId: string | number;
};

export type BillingInterval =
  | 'MONTH'
  | 'YEAR';

/** An e-mail address or a telephone number is needed. */
export type CaptureLeadInput = {
  decideBy?: string | null | undefined;
  email?: string | null | undefined;
  idempotencyKey: string;
  isDecisionMaker?: boolean | null | undefined;
  kind?: LeadKind;
  /** BCP 47. */
  language?: string | null | undefined;
  /** What they mean to spend each month. */
  monthlyBudget?: MoneyInput | null | undefined;
  /** 1 to 200 characters. */
  name: string;
  /** At most 2,000 characters. */
  need?: string | null | undefined;
  organisationName?: string | null | undefined;
  ownerId?: string | number | null | undefined;
  /** A number without a country code is one of the tenant’s country. */
  phone?: string | null | undefined;
  /** 1 to 5; 3 if nothing is said. */
  priority?: number | null | undefined;
  source: LeadSource;
};

export type ContactChangeKind =
  | 'CHANGED'
  | 'LINKED'
  /** What there is as the stream begins; for all customers read it in `contacts`. */
  | 'SNAPSHOT'
  | 'UNLINKED';

export type CreateCustomerInput = {
  billingAddress?: AddressInput | null | undefined;
  /** Today, unless given. */
  billingDay?: number | null | undefined;
  /** The tenant's, unless given. */
  currency?: string | null | undefined;
  email?: string | null | undefined;
  kind: CustomerKind;
  /** BCP 47. */
  locale?: string | null | undefined;
  /** 1 to 200 characters. */
  name: string;
  phone?: string | null | undefined;
  /** The tenant's, unless given. */
  timeZone?: string | null | undefined;
};

export type CustomerKind =
  | 'BUSINESS'
  | 'PERSON';

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

export type LeadKind =
  | 'BUSINESS'
  | 'ENTERPRISE'
  | 'PUBLIC_SECTOR'
  | 'RESIDENTIAL';

/** How they came to us. */
export type LeadSource =
  | 'ADVERT'
  | 'COLD_CALL'
  | 'EMAIL'
  | 'EVENT'
  | 'EXISTING_CUSTOMER'
  | 'OTHER'
  | 'REFERRAL'
  | 'SOCIAL'
  | 'WEBSITE';

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

export type MoneyInput = {
  amountMinor: string;
  currency: string;
};

export type OpenTicketInput = {
  /** What they said; 1 to 100,000 characters. */
  bodyText: string;
  /** STAFF when the first word is ours; never PORTAL or SYSTEM. */
  channel?: TicketChannel;
  /** At most 100 characters. */
  externalRef?: string | null | undefined;
  idempotencyKey: string;
  kind?: TicketKind;
  /** BCP 47. */
  language?: string | null | undefined;
  priority?: TicketPriority;
  requester: RequesterInput;
  /** 1 to 200 characters. */
  subject: string;
  /** At most 20, of 1 to 40 small letters, digits and hyphens. */
  tags?: Array<string> | null | undefined;
};

/** How money came. */
export type PaymentMeans =
  | 'BANK_TRANSFER'
  | 'CASH'
  | 'CHEQUE';

/** What happens at the limit: HARD refuses, SOFT allows a margin, OVERAGE allows and charges. */
export type QuotaPolicy =
  | 'HARD'
  | 'OVERAGE'
  | 'SOFT';

export type RecordPaymentInput = {
  /** Above 0, in the customer's currency. What is more than owed is credit. */
  amount: MoneyInput;
  customerId: string | number;
  /** Asked again with it, the first answer comes back, for ever. 1 to 128 characters. */
  idempotencyKey: string;
  method: PaymentMeans;
  receivedOn: string;
  /** At most 140 characters. */
  reference?: string | null | undefined;
};

export type RemoveOverrideInput = {
  key: string;
  reason: string;
  tenantId: string | number;
};

/** A customer or a name is needed. */
export type RequesterInput = {
  contactId?: string | number | null | undefined;
  customerId?: string | number | null | undefined;
  email?: string | null | undefined;
  /** At most 200 characters. */
  name?: string | null | undefined;
};

export type ServiceStatus =
  | 'ACTIVE'
  | 'CANCELLED'
  | 'REQUESTED';

/** An exception; what is left out inherits. It replaces one that stands for the same key. */
export type SetOverrideInput = {
  expiresAt?: string | null | undefined;
  /** For a feature. */
  isEnabled?: boolean | null | undefined;
  isUnlimited?: boolean | null | undefined;
  /** A feature or a quota. */
  key: string;
  /** In the base unit of the quota. */
  limit?: string | null | undefined;
  policy?: QuotaPolicy | null | undefined;
  /** 5 to 500 characters. */
  reason: string;
  /** 0 to 50. */
  softMarginPercent?: number | null | undefined;
  tenantId: string | number;
  unitRate?: string | null | undefined;
};

/** How it reached us. */
export type TicketChannel =
  | 'API'
  | 'CHAT'
  | 'EMAIL'
  | 'PHONE'
  | 'PORTAL'
  | 'STAFF'
  | 'SYSTEM';

export type TicketKind =
  | 'INCIDENT'
  | 'QUESTION'
  | 'REQUEST';

export type TicketPriority =
  | 'HIGH'
  | 'LOW'
  | 'NORMAL'
  | 'URGENT';

/** CLOSED and CANCELLED are final. */
export type TicketStatus =
  | 'CANCELLED'
  | 'CLOSED'
  | 'NEW'
  | 'OPEN'
  | 'RESOLVED'
  | 'WAITING';

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

export type LeadsQueryVariables = Exact<{ [key: string]: never; }>;


export type LeadsQuery = { leads: { nodes: Array<{ number: string, name: string }> } | null };

export type LeadsBesideTenantQueryVariables = Exact<{ [key: string]: never; }>;


export type LeadsBesideTenantQuery = { tenant: { slug: string } | null, leads: { nodes: Array<{ number: string }> } | null };

export type FollowLicenseSubscriptionVariables = Exact<{
  after?: number | null | undefined;
}>;


export type FollowLicenseSubscription = { licenseUpdated: { kind: LicenseUpdateKind, version: number, previousVersion: number | null, changedKeys: Array<string>, endedFeatures: Array<{ feature: string, reason: DenialReason }>, license: { version: number, state: LicenseState, enabledFeatures: Array<string>, tenant: { slug: string, name: string } } | null } };

export type UpgradeMutationVariables = Exact<{
  input: UpgradeLicenseInput;
}>;


export type UpgradeMutation = { upgradeLicense: { license: { version: number, planVersion: { plan: { code: string } } | null } | null, propagation: { nodes: number, acknowledged: number, waitedMs: number } | null, userErrors: Array<{ code: UserErrorCode, message: string }> } };

export type OverrideMutationVariables = Exact<{
  input: SetOverrideInput;
}>;


export type OverrideMutation = { setOverride: { license: { version: number } | null, userErrors: Array<{ code: UserErrorCode, message: string }> } };

export type RemoveOverrideMutationVariables = Exact<{
  input: RemoveOverrideInput;
}>;


export type RemoveOverrideMutation = { removeOverride: { license: { version: number } | null, userErrors: Array<{ code: UserErrorCode, message: string }> } };

export type FollowContactsSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type FollowContactsSubscription = { contactsChanged: { cursor: string, kind: ContactChangeKind, contact: { displayName: string } | null } };

export type AnyTicketQueryVariables = Exact<{ [key: string]: never; }>;


export type AnyTicketQuery = { tickets: { nodes: Array<{ id: string }> } | null };

export type FollowTicketSubscriptionVariables = Exact<{
  ticketId: string | number;
}>;


export type FollowTicketSubscription = { ticketUpdated: { cursor: string, ticket: { number: string, status: TicketStatus } | null } };

export type OpenTicketMutationVariables = Exact<{
  input: OpenTicketInput;
}>;


export type OpenTicketMutation = { openTicket: { ticket: { id: string, number: string } | null, userErrors: Array<{ code: UserErrorCode, message: string }> } | null };

export type CustomerAtAGlanceQueryVariables = Exact<{
  id: string | number;
}>;


export type CustomerAtAGlanceQuery = { customer: { name: string, openTicketCount: number | null, balance: { amountMinor: string, currency: string }, services: { nodes: Array<{ number: string, status: ServiceStatus, plan: { code: string } }> }, tickets: { nodes: Array<{ number: string, subject: string, status: TicketStatus, assignee: { displayName: string } | null }> } | null, contacts: Array<{ displayName: string }> | null } | null, tenant: { name: string, license: { state: LicenseState, planVersion: { plan: { code: string } } | null } | null, members: { nodes: Array<{ user: { displayName: string } }> } | null } | null };

export type StandingQueryVariables = Exact<{ [key: string]: never; }>;


export type StandingQuery = { tenant: { now: string } | null, license: { version: number, state: LicenseState, trialEndsAt: string | null, restrictedEndsAt: string | null } | null };

export type AdvanceClockMutationVariables = Exact<{
  input: AdvanceClockInput;
}>;


export type AdvanceClockMutation = { advanceClock: { tenant: { now: string, clockOffsetSeconds: number } | null, userErrors: Array<{ code: UserErrorCode, message: string, field: string | null }> } };

export type LeadsOfSandboxQueryVariables = Exact<{ [key: string]: never; }>;


export type LeadsOfSandboxQuery = { leads: { nodes: Array<{ name: string }> } | null };

export type CaptureLeadMutationVariables = Exact<{
  input: CaptureLeadInput;
}>;


export type CaptureLeadMutation = { captureLead: { lead: { id: string } | null, userErrors: Array<{ code: UserErrorCode, message: string }> } | null };

export type NewSubscriberMutationVariables = Exact<{
  input: CreateCustomerInput;
}>;


export type NewSubscriberMutation = { createCustomer: { customer: { id: string } | null, userErrors: Array<{ code: UserErrorCode, message: string }> } };

export type TakePaymentMutationVariables = Exact<{
  input: RecordPaymentInput;
}>;


export type TakePaymentMutation = { recordPayment: { payment: { id: string } | null, userErrors: Array<{ code: UserErrorCode, message: string }> } };

export type FollowStateSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type FollowStateSubscription = { licenseUpdated: { kind: LicenseUpdateKind, version: number, previousVersion: number | null, changedKeys: Array<string>, reason: string | null, license: { state: LicenseState } | null } };

export type FollowPeopleSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type FollowPeopleSubscription = { contactsChanged: { kind: ContactChangeKind } };

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

export const LeadsDocument = new TypedDocumentString(`
    query Leads {
  leads(first: 5) {
    nodes {
      number
      name
    }
  }
}
    `) as unknown as TypedDocumentString<LeadsQuery, LeadsQueryVariables>;
export const LeadsBesideTenantDocument = new TypedDocumentString(`
    query LeadsBesideTenant {
  tenant {
    slug
  }
  leads(first: 5) {
    nodes {
      number
    }
  }
}
    `) as unknown as TypedDocumentString<LeadsBesideTenantQuery, LeadsBesideTenantQueryVariables>;
export const FollowLicenseDocument = new TypedDocumentString(`
    subscription FollowLicense($after: Int) {
  licenseUpdated(after: $after) {
    kind
    version
    previousVersion
    changedKeys
    endedFeatures {
      feature
      reason
    }
    license {
      version
      state
      enabledFeatures
      tenant {
        slug
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<FollowLicenseSubscription, FollowLicenseSubscriptionVariables>;
export const UpgradeDocument = new TypedDocumentString(`
    mutation Upgrade($input: UpgradeLicenseInput!) {
  upgradeLicense(input: $input) {
    license {
      version
      planVersion {
        plan {
          code
        }
      }
    }
    propagation {
      nodes
      acknowledged
      waitedMs
    }
    userErrors {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<UpgradeMutation, UpgradeMutationVariables>;
export const OverrideDocument = new TypedDocumentString(`
    mutation Override($input: SetOverrideInput!) {
  setOverride(input: $input) {
    license {
      version
    }
    userErrors {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OverrideMutation, OverrideMutationVariables>;
export const RemoveOverrideDocument = new TypedDocumentString(`
    mutation RemoveOverride($input: RemoveOverrideInput!) {
  removeOverride(input: $input) {
    license {
      version
    }
    userErrors {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RemoveOverrideMutation, RemoveOverrideMutationVariables>;
export const FollowContactsDocument = new TypedDocumentString(`
    subscription FollowContacts {
  contactsChanged {
    cursor
    kind
    contact {
      displayName
    }
  }
}
    `) as unknown as TypedDocumentString<FollowContactsSubscription, FollowContactsSubscriptionVariables>;
export const AnyTicketDocument = new TypedDocumentString(`
    query AnyTicket {
  tickets(first: 1) {
    nodes {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<AnyTicketQuery, AnyTicketQueryVariables>;
export const FollowTicketDocument = new TypedDocumentString(`
    subscription FollowTicket($ticketId: ID!) {
  ticketUpdated(ticketId: $ticketId) {
    cursor
    ticket {
      number
      status
    }
  }
}
    `) as unknown as TypedDocumentString<FollowTicketSubscription, FollowTicketSubscriptionVariables>;
export const OpenTicketDocument = new TypedDocumentString(`
    mutation OpenTicket($input: OpenTicketInput!) {
  openTicket(input: $input) {
    ticket {
      id
      number
    }
    userErrors {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<OpenTicketMutation, OpenTicketMutationVariables>;
export const CustomerAtAGlanceDocument = new TypedDocumentString(`
    query CustomerAtAGlance($id: ID!) {
  customer(id: $id) {
    name
    balance {
      amountMinor
      currency
    }
    services(first: 10) {
      nodes {
        number
        status
        plan {
          code
        }
      }
    }
    openTicketCount
    tickets(first: 10) {
      nodes {
        number
        subject
        status
        assignee {
          displayName
        }
      }
    }
    contacts {
      displayName
    }
  }
  tenant {
    name
    license {
      state
      planVersion {
        plan {
          code
        }
      }
    }
    members(first: 3) {
      nodes {
        user {
          displayName
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CustomerAtAGlanceQuery, CustomerAtAGlanceQueryVariables>;
export const StandingDocument = new TypedDocumentString(`
    query Standing {
  tenant {
    now
  }
  license {
    version
    state
    trialEndsAt
    restrictedEndsAt
  }
}
    `) as unknown as TypedDocumentString<StandingQuery, StandingQueryVariables>;
export const AdvanceClockDocument = new TypedDocumentString(`
    mutation AdvanceClock($input: AdvanceClockInput!) {
  advanceClock(input: $input) {
    tenant {
      now
      clockOffsetSeconds
    }
    userErrors {
      code
      message
      field
    }
  }
}
    `) as unknown as TypedDocumentString<AdvanceClockMutation, AdvanceClockMutationVariables>;
export const LeadsOfSandboxDocument = new TypedDocumentString(`
    query LeadsOfSandbox {
  leads(first: 5) {
    nodes {
      name
    }
  }
}
    `) as unknown as TypedDocumentString<LeadsOfSandboxQuery, LeadsOfSandboxQueryVariables>;
export const CaptureLeadDocument = new TypedDocumentString(`
    mutation CaptureLead($input: CaptureLeadInput!) {
  captureLead(input: $input) {
    lead {
      id
    }
    userErrors {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<CaptureLeadMutation, CaptureLeadMutationVariables>;
export const NewSubscriberDocument = new TypedDocumentString(`
    mutation NewSubscriber($input: CreateCustomerInput!) {
  createCustomer(input: $input) {
    customer {
      id
    }
    userErrors {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<NewSubscriberMutation, NewSubscriberMutationVariables>;
export const TakePaymentDocument = new TypedDocumentString(`
    mutation TakePayment($input: RecordPaymentInput!) {
  recordPayment(input: $input) {
    payment {
      id
    }
    userErrors {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<TakePaymentMutation, TakePaymentMutationVariables>;
export const FollowStateDocument = new TypedDocumentString(`
    subscription FollowState {
  licenseUpdated {
    kind
    version
    previousVersion
    changedKeys
    reason
    license {
      state
    }
  }
}
    `) as unknown as TypedDocumentString<FollowStateSubscription, FollowStateSubscriptionVariables>;
export const FollowPeopleDocument = new TypedDocumentString(`
    subscription FollowPeople {
  contactsChanged {
    kind
  }
}
    `) as unknown as TypedDocumentString<FollowPeopleSubscription, FollowPeopleSubscriptionVariables>;