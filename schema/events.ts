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
  direction: 'UPGRADE' | 'DOWNGRADE' | 'MIXED';
  interval: 'MONTH' | 'YEAR';
  from: string;
  to: string;
  pricedAt: string;
  effectiveAt: string;
  lines: ChangeLine[];
  licensedTenantId: string;
  version: number;
}

/**
 * Who tells whom what. Figures and ids only: what is about a person travels in `personal`, which erasure can blank.
 * Every event also has its tenant, instant, actor and trace.
 */
export interface Events {
  'tenancy.tenant.suspended': { reason: string };
  'tenancy.tenant.reactivated': { reason: string };
  'tenancy.tenant.updated': { version: number };
  'licensing.license.started': { licenseId: string; version: number; plan: string; interval: string };
  'licensing.license.changed': {
    version: number;
    previousVersion: number;
    changedKeys: string[];
    endedFeatures: { feature: Feature; reason: string }[];
    state: string;
    enabledFeatures: Feature[];
    effectiveAt: string;
    reason?: string;
    cause: string;
  };
  'licensing.change.applied': LicenseChangeTold;
  'licensing.feature.started': { feature: Feature; source: string; version: number };
  'licensing.feature.ended': { feature: Feature; reason: string; version: number };
  'licensing.quota.threshold_reached': { key: QuotaKey; percent: number; used: string; limit: string; periodEnd: string | null };
  'identity.session.started': { sessionId: string; membershipId: string | null };
  'identity.session.ended': { sessionId: string; reason: string };
  'identity.sign_in.locked': { bucket: string };
  'billing.customer.created': { customerId: string; kind: string; status: string };
  'billing.customer.updated': { customerId: string; kind: string; status: string };
  'billing.charge.posted': { chargeId: string; customerId: string; amountMinor: string; currency: string };
  'billing.payment.succeeded': { paymentId: string; customerId: string; amountMinor: string; currency: string };
  'network.device.registered': { deviceId: string; kind: string };
  'network.device.retired': { deviceId: string; kind: string };
  'network.service.requested': { serviceId: string; customerId: string; planCode: string };
  'network.service.activated': { serviceId: string; customerId: string; planCode: string };
  'crm.lead.captured': { leadId: string; number: string };
  'crm.lead.qualified': { leadId: string; number: string };
  'crm.lead.disqualified': { leadId: string; number: string; reason: string };
  'crm.contact.linked': { contactId: string; customerId: string; roles: string[] };
  'tickets.ticket.opened': { ticketId: string; number: string; customerId: string | null; priority: string };
  'tickets.ticket.assigned': { ticketId: string; assigneeId: string };
  'tickets.ticket.resolved': { ticketId: string; customerId: string | null };
  'tickets.ticket.reopened': { ticketId: string; customerId: string | null };
  'tickets.message.posted': { ticketId: string; messageId: string; visibility: string };
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
