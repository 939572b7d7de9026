/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  query Leads { leads(first: 5) { nodes { number name } } }\n": typeof types.LeadsDocument,
    "\n  query LeadsBesideTenant { tenant { slug } leads(first: 5) { nodes { number } } }\n": typeof types.LeadsBesideTenantDocument,
    "\n  subscription FollowLicense($after: Int) {\n    licenseUpdated(after: $after) {\n      kind version previousVersion changedKeys\n      endedFeatures { feature reason }\n      license { version state enabledFeatures tenant { slug name } }\n    }\n  }\n": typeof types.FollowLicenseDocument,
    "\n  mutation Upgrade($input: UpgradeLicenseInput!) {\n    upgradeLicense(input: $input) {\n      license { version planVersion { plan { code } } }\n      propagation { nodes acknowledged waitedMs }\n      userErrors { code message }\n    }\n  }\n": typeof types.UpgradeDocument,
    "\n  mutation Override($input: SetOverrideInput!) { setOverride(input: $input) { license { version } userErrors { code message } } }\n": typeof types.OverrideDocument,
    "\n  mutation RemoveOverride($input: RemoveOverrideInput!) { removeOverride(input: $input) { license { version } userErrors { code message } } }\n": typeof types.RemoveOverrideDocument,
    "\n  subscription FollowContacts { contactsChanged { cursor kind contact { displayName } } }\n": typeof types.FollowContactsDocument,
    "\n  query AnyTicket { tickets(first: 1) { nodes { id } } }\n": typeof types.AnyTicketDocument,
    "\n  subscription FollowTicket($ticketId: ID!) { ticketUpdated(ticketId: $ticketId) { cursor ticket { number status } } }\n": typeof types.FollowTicketDocument,
    "\n  mutation OpenTicket($input: OpenTicketInput!) { openTicket(input: $input) { ticket { id number } userErrors { code message } } }\n": typeof types.OpenTicketDocument,
    "\n  query CustomerAtAGlance($id: ID!) {\n    customer(id: $id) {\n      name\n      balance { amountMinor currency }\n      services(first: 10) { nodes { number status plan { code } } }\n      openTicketCount\n      tickets(first: 10) { nodes { number subject status assignee { displayName } } }\n      contacts { displayName }\n    }\n    tenant { name license { state planVersion { plan { code } } } members(first: 3) { nodes { user { displayName } } } }\n  }\n": typeof types.CustomerAtAGlanceDocument,
    "\n  query Standing { tenant { now } license { version state trialEndsAt restrictedEndsAt } }\n": typeof types.StandingDocument,
    "\n  mutation AdvanceClock($input: AdvanceClockInput!) {\n    advanceClock(input: $input) { tenant { now clockOffsetSeconds } userErrors { code message field } }\n  }\n": typeof types.AdvanceClockDocument,
    "\n  query LeadsOfSandbox { leads(first: 5) { nodes { name } } }\n": typeof types.LeadsOfSandboxDocument,
    "\n  mutation CaptureLead($input: CaptureLeadInput!) { captureLead(input: $input) { lead { id } userErrors { code message } } }\n": typeof types.CaptureLeadDocument,
    "\n  mutation NewSubscriber($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code message } } }\n": typeof types.NewSubscriberDocument,
    "\n  mutation TakePayment($input: RecordPaymentInput!) { recordPayment(input: $input) { payment { id } userErrors { code message } } }\n": typeof types.TakePaymentDocument,
    "\n  subscription FollowState { licenseUpdated { kind version previousVersion changedKeys reason license { state } } }\n": typeof types.FollowStateDocument,
    "\n  subscription FollowPeople { contactsChanged { kind } }\n": typeof types.FollowPeopleDocument,
};
const documents: Documents = {
    "\n  query Leads { leads(first: 5) { nodes { number name } } }\n": types.LeadsDocument,
    "\n  query LeadsBesideTenant { tenant { slug } leads(first: 5) { nodes { number } } }\n": types.LeadsBesideTenantDocument,
    "\n  subscription FollowLicense($after: Int) {\n    licenseUpdated(after: $after) {\n      kind version previousVersion changedKeys\n      endedFeatures { feature reason }\n      license { version state enabledFeatures tenant { slug name } }\n    }\n  }\n": types.FollowLicenseDocument,
    "\n  mutation Upgrade($input: UpgradeLicenseInput!) {\n    upgradeLicense(input: $input) {\n      license { version planVersion { plan { code } } }\n      propagation { nodes acknowledged waitedMs }\n      userErrors { code message }\n    }\n  }\n": types.UpgradeDocument,
    "\n  mutation Override($input: SetOverrideInput!) { setOverride(input: $input) { license { version } userErrors { code message } } }\n": types.OverrideDocument,
    "\n  mutation RemoveOverride($input: RemoveOverrideInput!) { removeOverride(input: $input) { license { version } userErrors { code message } } }\n": types.RemoveOverrideDocument,
    "\n  subscription FollowContacts { contactsChanged { cursor kind contact { displayName } } }\n": types.FollowContactsDocument,
    "\n  query AnyTicket { tickets(first: 1) { nodes { id } } }\n": types.AnyTicketDocument,
    "\n  subscription FollowTicket($ticketId: ID!) { ticketUpdated(ticketId: $ticketId) { cursor ticket { number status } } }\n": types.FollowTicketDocument,
    "\n  mutation OpenTicket($input: OpenTicketInput!) { openTicket(input: $input) { ticket { id number } userErrors { code message } } }\n": types.OpenTicketDocument,
    "\n  query CustomerAtAGlance($id: ID!) {\n    customer(id: $id) {\n      name\n      balance { amountMinor currency }\n      services(first: 10) { nodes { number status plan { code } } }\n      openTicketCount\n      tickets(first: 10) { nodes { number subject status assignee { displayName } } }\n      contacts { displayName }\n    }\n    tenant { name license { state planVersion { plan { code } } } members(first: 3) { nodes { user { displayName } } } }\n  }\n": types.CustomerAtAGlanceDocument,
    "\n  query Standing { tenant { now } license { version state trialEndsAt restrictedEndsAt } }\n": types.StandingDocument,
    "\n  mutation AdvanceClock($input: AdvanceClockInput!) {\n    advanceClock(input: $input) { tenant { now clockOffsetSeconds } userErrors { code message field } }\n  }\n": types.AdvanceClockDocument,
    "\n  query LeadsOfSandbox { leads(first: 5) { nodes { name } } }\n": types.LeadsOfSandboxDocument,
    "\n  mutation CaptureLead($input: CaptureLeadInput!) { captureLead(input: $input) { lead { id } userErrors { code message } } }\n": types.CaptureLeadDocument,
    "\n  mutation NewSubscriber($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code message } } }\n": types.NewSubscriberDocument,
    "\n  mutation TakePayment($input: RecordPaymentInput!) { recordPayment(input: $input) { payment { id } userErrors { code message } } }\n": types.TakePaymentDocument,
    "\n  subscription FollowState { licenseUpdated { kind version previousVersion changedKeys reason license { state } } }\n": types.FollowStateDocument,
    "\n  subscription FollowPeople { contactsChanged { kind } }\n": types.FollowPeopleDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Leads { leads(first: 5) { nodes { number name } } }\n"): typeof import('./graphql.ts').LeadsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query LeadsBesideTenant { tenant { slug } leads(first: 5) { nodes { number } } }\n"): typeof import('./graphql.ts').LeadsBesideTenantDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription FollowLicense($after: Int) {\n    licenseUpdated(after: $after) {\n      kind version previousVersion changedKeys\n      endedFeatures { feature reason }\n      license { version state enabledFeatures tenant { slug name } }\n    }\n  }\n"): typeof import('./graphql.ts').FollowLicenseDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Upgrade($input: UpgradeLicenseInput!) {\n    upgradeLicense(input: $input) {\n      license { version planVersion { plan { code } } }\n      propagation { nodes acknowledged waitedMs }\n      userErrors { code message }\n    }\n  }\n"): typeof import('./graphql.ts').UpgradeDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Override($input: SetOverrideInput!) { setOverride(input: $input) { license { version } userErrors { code message } } }\n"): typeof import('./graphql.ts').OverrideDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation RemoveOverride($input: RemoveOverrideInput!) { removeOverride(input: $input) { license { version } userErrors { code message } } }\n"): typeof import('./graphql.ts').RemoveOverrideDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription FollowContacts { contactsChanged { cursor kind contact { displayName } } }\n"): typeof import('./graphql.ts').FollowContactsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query AnyTicket { tickets(first: 1) { nodes { id } } }\n"): typeof import('./graphql.ts').AnyTicketDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription FollowTicket($ticketId: ID!) { ticketUpdated(ticketId: $ticketId) { cursor ticket { number status } } }\n"): typeof import('./graphql.ts').FollowTicketDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation OpenTicket($input: OpenTicketInput!) { openTicket(input: $input) { ticket { id number } userErrors { code message } } }\n"): typeof import('./graphql.ts').OpenTicketDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query CustomerAtAGlance($id: ID!) {\n    customer(id: $id) {\n      name\n      balance { amountMinor currency }\n      services(first: 10) { nodes { number status plan { code } } }\n      openTicketCount\n      tickets(first: 10) { nodes { number subject status assignee { displayName } } }\n      contacts { displayName }\n    }\n    tenant { name license { state planVersion { plan { code } } } members(first: 3) { nodes { user { displayName } } } }\n  }\n"): typeof import('./graphql.ts').CustomerAtAGlanceDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Standing { tenant { now } license { version state trialEndsAt restrictedEndsAt } }\n"): typeof import('./graphql.ts').StandingDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation AdvanceClock($input: AdvanceClockInput!) {\n    advanceClock(input: $input) { tenant { now clockOffsetSeconds } userErrors { code message field } }\n  }\n"): typeof import('./graphql.ts').AdvanceClockDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query LeadsOfSandbox { leads(first: 5) { nodes { name } } }\n"): typeof import('./graphql.ts').LeadsOfSandboxDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CaptureLead($input: CaptureLeadInput!) { captureLead(input: $input) { lead { id } userErrors { code message } } }\n"): typeof import('./graphql.ts').CaptureLeadDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation NewSubscriber($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code message } } }\n"): typeof import('./graphql.ts').NewSubscriberDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation TakePayment($input: RecordPaymentInput!) { recordPayment(input: $input) { payment { id } userErrors { code message } } }\n"): typeof import('./graphql.ts').TakePaymentDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription FollowState { licenseUpdated { kind version previousVersion changedKeys reason license { state } } }\n"): typeof import('./graphql.ts').FollowStateDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription FollowPeople { contactsChanged { kind } }\n"): typeof import('./graphql.ts').FollowPeopleDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
