import type { Feature, QuotaKey } from './features.ts';

interface ChangeLine {
  key: string;
  amountMinor: string;
  currency: string;
  periodStart: string;
  periodEnd: string;
}

interface LicenseChangeTold {
  changeId: string;
  licenseId: string;
  status: 'APPLIED' | 'SCHEDULED' | 'AWAITING_PAYMENT';
  direction: 'UPGRADE' | 'DOWNGRADE' | 'MIXED' | null;
  interval: 'MONTH' | 'YEAR';
  from: string;
  to: string;
  addOns: { code: string; quantity: number }[];
  pricedAt: string;
  effectiveAt: string;
  previewHash: string | null;
  lines: ChangeLine[];
  licensedTenantId: string;
  version: number;
}

/** Which part of a licence a document of billing is about. */
interface LicenseReference {
  licensedTenantId: string;
  licenseId: string;
  changeId?: string;
  periodStart: string;
  periodEnd: string;
}

interface InvoiceTold {
  invoiceId: string;
  customerId: string;
  totalMinor: string;
  openMinor: string;
  currency: string;
  references: LicenseReference[];
}

interface CustomerTold {
  customerId: string;
  kind: string;
  status: string;
  licensedTenantId?: string;
  /** The provisioning run that asked for it. */
  runId?: string;
  version: number;
}

/** What moved, in minor units, and what the customer owes after it. */
interface MoneyMoved {
  amountMinor: string;
  balanceMinor: string;
  currency: string;
}

interface ServiceTold {
  serviceId: string;
  customerId: string;
  planCode: string;
  technology: string;
  version: number;
}

interface ContactTold {
  contactId: string;
  /** The customer it stands behind, and as what; none and nothing where it stands alone. */
  customerId: string | null;
  roles: string[];
}

interface LeadTold {
  leadId: string;
  number: string;
  chainId: string;
}

interface TicketTold {
  ticketId: string;
  customerId: string | null;
}

interface MembershipTold {
  membershipId: string;
  userId: string;
  kind: 'STAFF' | 'PORTAL' | 'PARTNER';
  roles: string[];
  version: number;
  reason?: string;
  /** The provisioning run that asked for it. */
  runId?: string;
}

interface InvitationTold {
  invitationId: string;
  role: string;
}

/** Answers the undoing of a provisioning run that never got what it asked for. */
interface RunUndone {
  runId: string;
}

interface ImpersonationTold {
  impersonationId: string;
  operatorId: string;
  userId: string;
  mode: 'READ' | 'ACT';
  reason: string;
}

/** One file of an export, as it lies in the object store. */
interface ExportedFile {
  fileId: string;
  noun: string;
  rows: number;
  bytes: number;
  sha256: string;
}

interface ExportDone {
  exportId: string;
  files: ExportedFile[];
}

/** How many rows of each noun were deleted. */
interface PurgeDone {
  purgeId: string;
  counts: Record<string, number>;
}

/**
 * Who tells whom what. Figures and ids only: what is about a person travels in `personal`, which erasure can blank.
 * Every event also has its tenant, instant, actor and trace.
 */
export interface Events {
  'tenancy.tenant.created': {
    runId: string;
    slug: string;
    name: string;
    kind: 'PRODUCTION' | 'SANDBOX';
    country: string;
    zone: string;
    locale: string;
    currency: string;
    billingEmail: string | null;
  };
  'tenancy.tenant.settings_changed': { section: string; version: number; keys: string[] };
  'tenancy.tenant.activated': { placementVersion: number };
  'tenancy.tenant.purged': { certificateId: string };
  'tenancy.tenant.suspended': { reason: string; cutService?: boolean; continuityUntil?: string | null };
  'tenancy.tenant.reactivated': { reason: string };
  'tenancy.tenant.updated': { version: number };
  'tenancy.tenant.closed': { closesAt: string };
  'tenancy.tenant.reopened': { closesAt: null };
  'tenancy.placement.changed': { version: number; isolation: 'SHARED' | 'DEDICATED'; region: string };
  'tenancy.domain.verified': { host: string };
  'tenancy.domain.activated': { host: string };
  'tenancy.domain.lost': { host: string };
  'tenancy.domain.released': { host: string };
  'tenancy.branding.changed': { version: number };
  'tenancy.invitation.sent': InvitationTold;
  'tenancy.invitation.accepted': InvitationTold & { userId: string };
  'tenancy.invitation.revoked': InvitationTold;
  'tenancy.invitation.expired': InvitationTold;
  'tenancy.export.requested': { exportId: string };
  'tenancy.export.completed': { exportId: string };
  'tenancy.purge.requested': { purgeId: string };
  'tenancy.provisioning.started': { runId: string };
  'tenancy.provisioning.step_completed': { runId: string; step: string; percent: number };
  /** Each change of a run, for whoever follows it; `seq` is the change's own. */
  'tenancy.provisioning.changed': { runId: string; seq: number };
  'tenancy.provisioning.succeeded': { runId: string };
  'tenancy.provisioning.failed': { runId: string; step: string; error: string };
  /** In the log of `platform`; `personal` is {name, legalName, email}. */
  'tenancy.provisioning.account_requested': {
    runId: string;
    tenantId: string;
    country: string;
    zone: string;
    locale: string;
    currency: string;
  };
  /** `personal` is {email, name}; of somebody known, `userId` stands instead. */
  'tenancy.provisioning.admin_requested': { runId: string; customerId: string; userId?: string };
  'tenancy.provisioning.license_requested': {
    runId: string;
    plan: string;
    interval: 'MONTH' | 'YEAR';
    isTrial: boolean;
  };
  /** That of step `account` stands in the log of `platform`, the others in the tenant's own. */
  'tenancy.provisioning.undo_requested': { runId: string; step: string };
  'tenancy.clock.advanced': { offsetSeconds: number };
  'licensing.license.started': {
    licenseId: string;
    version: number;
    plan: string;
    interval: 'MONTH' | 'YEAR';
    addOns: { code: string; quantity: number }[];
    trialEndsAt?: string;
    validUntil: string | null;
    runId?: string;
  };
  'licensing.license.changed': {
    version: number;
    previousVersion: number;
    changedKeys: string[];
    endedFeatures: { feature: Feature; reason: string }[];
    state: string;
    stateWithoutHolds: string;
    enabledFeatures: Feature[];
    limits: Record<QuotaKey, string | null>;
    effectiveAt: string;
    reason?: string;
    cause: string;
  };
  'licensing.license.renewal_stopped': { licenseId: string; endsAt: string | null; licensedTenantId: string };
  'licensing.license.renewal_resumed': { licenseId: string; endsAt: string | null; licensedTenantId: string };
  'licensing.license.lapsed': { since: string };
  'licensing.license.ended': { version: number; reason: string };
  'licensing.license.withdrawn': { runId: string };
  'licensing.change.scheduled': LicenseChangeTold;
  'licensing.change.applied': LicenseChangeTold;
  'licensing.change.cancelled': { changeId: string; licensedTenantId: string };
  'licensing.renewal.requested': {
    licenseId: string;
    terms: 'INVOICED' | 'PREPAID';
    interval: 'MONTH' | 'YEAR';
    periodStart: string;
    periodEnd: string;
    lines: ChangeLine[];
    licensedTenantId: string;
  };
  'licensing.feature.started': { feature: Feature; source: string; version: number; endsAt?: string };
  'licensing.feature.ended': { feature: Feature; reason: string; version: number };
  'licensing.limit.reduced': {
    key: QuotaKey;
    from: string | null;
    to: string | null;
    treatment: 'NO_GROWTH' | 'FREEZE_EXCESS' | 'NEXT_PERIOD';
    keepIds: string[];
    version: number;
  };
  'licensing.limit.raised': { key: QuotaKey; from: string | null; to: string | null; version: number };
  /** The use of a local day is closed; whoever owns what a gauge counts looks whether it is right. */
  'licensing.usage.day_closed': { date: string };
  'licensing.usage.reported': {
    licenseId: string;
    key: QuotaKey;
    used: string;
    included: string;
    excess: string;
    unitRate: string;
    currency: string;
    periodStart: string;
    periodEnd: string;
    licensedTenantId: string;
  };
  'licensing.enforcement.ordered': { mode: 'ENFORCE' | 'OBSERVE'; observeUntil: string | null };
  'licensing.plan.published': {
    planVersionId: string;
    code: string;
    number: number;
    priceMinor: string;
    currency: string;
    annualDiscountPercent: string;
    trialDays: number;
  };
  'licensing.add_on.published': {
    addOnId: string;
    code: string;
    version: number;
    priceMinor: string;
    setupFeeMinor: string;
    currency: string;
  };
  'licensing.file.issued': { fileId: string; epoch: number };
  'licensing.file.revoked': { fileId: string; epoch: number };
  'licensing.key.rotated': { kid: string };
  'licensing.quota.threshold_reached': {
    key: QuotaKey;
    percent: number;
    used: string;
    limit: string;
    periodEnd: string | null;
  };
  'identity.membership.activated': MembershipTold;
  'identity.membership.changed': MembershipTold;
  'identity.membership.ended': MembershipTold | RunUndone;
  'identity.membership.frozen': MembershipTold;
  'identity.membership.restored': MembershipTold;
  'identity.membership.suspended': MembershipTold;
  'identity.user.registered': { userId: string };
  'identity.user.activated': { userId: string };
  'identity.user.suspended': { userId: string };
  'identity.user.restored': { userId: string };
  'identity.user.erased': { userId: string };
  'identity.member.invited': { runId: string; userId: string; membershipId: string };
  'identity.role.changed': { roleId: string; version: number };
  'identity.permission.granted': { membershipId: string; grantId: string; permission: string; until: string };
  'identity.permission.revoked': { membershipId: string; grantId: string; permission: string };
  'identity.permission.lapsed': { membershipId: string; grantId: string; permission: string };
  'identity.password.changed': { userId: string };
  'identity.second_factor.enrolled': { userId: string };
  'identity.second_factor.removed': { userId: string };
  'identity.passkey.added': { userId: string };
  'identity.passkey.removed': { userId: string };
  'identity.identity.linked': { userId: string; provider: string };
  'identity.identity.unlinked': { userId: string; provider: string };
  'identity.api_key.created': { keyId: string };
  'identity.api_key.rotated': { keyId: string; replacedBy: string };
  'identity.api_key.revoked': { keyId: string; reason: string };
  'identity.api_key.review_needed': { keyId: string };
  'identity.api_key.expiring': { keyId: string; days: number };
  'identity.api_key.expired': { keyId: string };
  'identity.portal_access.given': { customerId: string; membershipId: string };
  'identity.portal_access.ended': { customerId: string; membershipId: string };
  'identity.sso_connection.activated': { connectionId: string };
  'identity.sso_connection.turned_off': { connectionId: string; reason: string };
  'identity.impersonation.requested': ImpersonationTold;
  'identity.impersonation.started': ImpersonationTold;
  'identity.impersonation.ended': ImpersonationTold;
  'identity.session.ended': { sessionId: string; reason: string };
  'identity.session.started': { sessionId: string; membershipId: string | null; methods?: string[] };
  'identity.sign_in.locked': { userId: string | null; lockedUntil: string };
  'billing.charge.posted': { chargeId: string; customerId: string; kind: string } & MoneyMoved;
  'billing.customer.closed': CustomerTold | RunUndone;
  'billing.customer.created': CustomerTold;
  'billing.customer.reopened': CustomerTold;
  'billing.customer.updated': CustomerTold;
  'billing.invoice.issued': InvoiceTold & { dueOn: string };
  'billing.invoice.overdue': InvoiceTold & { overdueSince: string };
  'billing.invoice.paid': InvoiceTold;
  'billing.invoice.reopened': InvoiceTold;
  'billing.payment.charged_back': {
    paymentId: string;
    customerId: string;
    references: LicenseReference[];
  } & MoneyMoved;
  'billing.payment.succeeded': { paymentId: string; customerId: string; method: string } & MoneyMoved;
  'network.device.commissioned': { deviceId: string; kind: string };
  'network.device.registered': { deviceId: string; kind: string };
  'network.device.retired': { deviceId: string; kind: string };
  'network.service.activated': ServiceTold;
  'network.service.cancelled': ServiceTold;
  'network.service.requested': ServiceTold;
  'crm.contact.changed': ContactTold;
  'crm.contact.linked': ContactTold;
  'crm.contact.unlinked': ContactTold;
  'crm.lead.captured': LeadTold & { source: string };
  'crm.lead.disqualified': LeadTold & { reason: string };
  'crm.lead.graded': LeadTold & { score: number; grade: string };
  'crm.lead.qualified': LeadTold;
  'tickets.message.posted': TicketTold & { messageId: string; visibility: string; author: string };
  'tickets.ticket.assigned': TicketTold & { from: string | null; to: string | null };
  'tickets.ticket.cancelled': TicketTold & { reason: string };
  'tickets.ticket.closed': TicketTold;
  'tickets.ticket.opened': TicketTold & { number: string; kind: string; priority: string; channel: string };
  'tickets.ticket.priority_changed': TicketTold & { from: string; to: string };
  'tickets.ticket.reopened': TicketTold;
  'tickets.ticket.resolved': TicketTold;
  'tickets.ticket.status_changed': TicketTold & { from: string; to: string; reason: string | null };
  'licensing.export.completed': ExportDone;
  'identity.export.completed': ExportDone;
  'billing.export.completed': ExportDone;
  'network.export.completed': ExportDone;
  'crm.export.completed': ExportDone;
  'tickets.export.completed': ExportDone;
  'licensing.purge.completed': PurgeDone;
  'identity.purge.completed': PurgeDone;
  'billing.purge.completed': PurgeDone;
  'network.purge.completed': PurgeDone;
  'crm.purge.completed': PurgeDone;
  'tickets.purge.completed': PurgeDone;
}

export type EventName = keyof Events;

/** An event as it stands in the log of its tenant. */
export interface LoggedEvent<N extends EventName = EventName> {
  tenantId: string;
  /** Place in the tenant's log, from 1, without gaps, in commit order. */
  seq: number;
  id: string;
  name: N;
  at: Date;
  actor: string | null;
  actingFor: string | null;
  payload: Events[N];
  personal: Record<string, unknown> | null;
}
