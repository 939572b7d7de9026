/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type BillingInterval =
  | 'MONTH'
  | 'YEAR';

export type ContactChangeKind =
  | 'CHANGED'
  | 'LINKED'
  /** What there is as the stream begins; for all customers read it in `contacts`. */
  | 'SNAPSHOT'
  | 'UNLINKED';

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

export type LicenseState =
  | 'ACTIVE'
  | 'EXPIRED'
  | 'GRACE'
  | 'RESTRICTED'
  | 'REVOKED'
  | 'SUSPENDED'
  | 'TRIAL';

/** A SNAPSHOT stands for itself; a DELTA applies to `previousVersion` only. */
export type LicenseUpdateKind =
  | 'DELTA'
  | 'SNAPSHOT';

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

/** What happens at the limit: HARD refuses, SOFT allows a margin, OVERAGE allows and charges. */
export type QuotaPolicy =
  | 'HARD'
  | 'OVERAGE'
  | 'SOFT';

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