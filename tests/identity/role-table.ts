/**
 * What each role may do in an ISP, as the documents of the domains say (identity R2); unlisted means no. It is written
 * down here once more, by hand, so that a slip in `schema/permissions.ts` is found.
 */
const READS =
  'billing.customer.read billing.invoice.read billing.payment.read crm.contact.read crm.lead.read network.inventory.read network.plan.read network.service.read tickets.ticket.read';

const BILLING =
  'billing.charge.manage billing.customer.manage billing.customer.read billing.invoice.read billing.payment.read billing.payment.record';
const NETWORK =
  'network.inventory.manage network.inventory.read network.plan.manage network.plan.read network.service.provision network.service.read';
const CRM = 'crm.contact.manage crm.contact.read crm.lead.create crm.lead.manage crm.lead.read';
const TICKETS =
  'tickets.ticket.assign tickets.ticket.note tickets.ticket.open tickets.ticket.read tickets.ticket.reply';
const LOOKS_IN_ON_TICKETS = 'tickets.ticket.note tickets.ticket.open tickets.ticket.read';

const table: Record<string, string> = {
  tenant_admin: `${BILLING} ${NETWORK} ${CRM} ${TICKETS}
    identity.api_key.manage identity.api_key.read identity.impersonation.approve identity.impersonation.customer
    identity.impersonation.read identity.member.manage identity.member.read identity.policy.manage identity.policy.read
    identity.portal_access.manage identity.role.manage identity.role.read identity.sign_in.read
    licensing.file.issue licensing.license.change licensing.license.read licensing.usage.read licensing.usage.record
    tenancy.branding.update tenancy.domain.manage tenancy.export.request tenancy.invitation.manage tenancy.settings.read
    tenancy.settings.update tenancy.tenant.close tenancy.tenant.update`,
  billing_manager: `${BILLING} crm.contact.read crm.lead.read identity.member.read identity.portal_access.manage
    licensing.file.issue licensing.license.change licensing.license.read licensing.usage.read network.plan.read
    network.service.read tickets.ticket.read`,
  support_agent: `${TICKETS} billing.customer.manage billing.customer.read billing.invoice.read billing.payment.read
    crm.contact.manage crm.contact.read identity.impersonation.customer identity.member.read
    identity.portal_access.manage network.inventory.read network.plan.read network.service.read`,
  network_engineer: `${NETWORK} ${LOOKS_IN_ON_TICKETS} billing.customer.read identity.member.read`,
  dispatcher: `${LOOKS_IN_ON_TICKETS} billing.customer.read identity.member.read network.service.read`,
  technician: 'billing.customer.read network.inventory.read network.service.read',
  sales: `${CRM} ${LOOKS_IN_ON_TICKETS} billing.customer.manage billing.customer.read identity.member.read
    identity.portal_access.manage network.plan.read network.service.read`,
  auditor: `${READS} identity.api_key.read identity.impersonation.read identity.member.read identity.policy.read
    identity.role.read identity.sign_in.read licensing.license.read licensing.usage.read tenancy.settings.read`,
  customer: '',
};

/** The permissions of each role in an ISP. */
export const ROLE_TABLE: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(table).map(([role, names]) => [role, new Set(names.split(/\s+/).filter(Boolean))]),
);
