import { createHash } from 'node:crypto';

/**
 * Every permission a door may ask for, `domain.noun.action`. A new door that needs a new one names it here; a role
 * that should hold it is a line further down. `manage` contains `read` of the same noun; nothing else implies anything.
 */
export const PERMISSIONS = [
  'billing.charge.manage',
  'billing.customer.manage',
  'billing.customer.read',
  'billing.invoice.read',
  'billing.payment.read',
  'billing.payment.record',
  'crm.contact.manage',
  'crm.contact.read',
  'crm.lead.create',
  'crm.lead.manage',
  'crm.lead.read',
  'identity.api_key.manage',
  'identity.api_key.read',
  'identity.impersonation.approve',
  'identity.impersonation.customer',
  'identity.impersonation.read',
  'identity.impersonation.start',
  'identity.member.manage',
  'identity.member.read',
  'identity.policy.manage',
  'identity.policy.read',
  'identity.portal_access.manage',
  'identity.role.manage',
  'identity.role.read',
  'identity.sign_in.read',
  'identity.user.suspend',
  'licensing.catalog.manage',
  'licensing.file.issue',
  'licensing.fleet.manage',
  'licensing.fleet.read',
  'licensing.key.manage',
  'licensing.license.change',
  'licensing.license.read',
  'licensing.usage.read',
  'licensing.usage.record',
  'network.inventory.manage',
  'network.inventory.read',
  'network.plan.manage',
  'network.plan.read',
  'network.service.provision',
  'network.service.read',
  'tenancy.branding.update',
  'tenancy.domain.manage',
  'tenancy.export.request',
  'tenancy.fleet.manage',
  'tenancy.fleet.read',
  'tenancy.invitation.manage',
  'tenancy.purge.approve',
  'tenancy.sandbox.manage',
  'tenancy.settings.read',
  'tenancy.settings.update',
  'tenancy.tenant.close',
  'tenancy.tenant.provision',
  'tenancy.tenant.suspend',
  'tenancy.tenant.update',
  'tickets.ticket.assign',
  'tickets.ticket.note',
  'tickets.ticket.open',
  'tickets.ticket.read',
  'tickets.ticket.reply',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

export const isPermission = (name: string): name is Permission => (PERMISSIONS as readonly string[]).includes(name);

const NO_CHANGE = 'You may not change this licence.';

/** What whoever lacks a permission is told, where it has a sentence of its own. */
export const REFUSALS: Partial<Record<Permission, string>> = {
  'licensing.fleet.manage': NO_CHANGE,
  'licensing.license.change': NO_CHANGE,
};

/** Held in tenant `platform` only; no role of an ISP can carry them. */
export const PLATFORM_PERMISSIONS: readonly Permission[] = [
  'identity.impersonation.start',
  'identity.user.suspend',
  'licensing.catalog.manage',
  'licensing.fleet.manage',
  'licensing.fleet.read',
  'licensing.key.manage',
  'tenancy.fleet.manage',
  'tenancy.fleet.read',
  'tenancy.purge.approve',
  'tenancy.sandbox.manage',
  'tenancy.tenant.provision',
  'tenancy.tenant.suspend',
];

/**
 * What nobody does in another person's name (identity R17): changes of people and their rights, keys, money out, payment
 * methods, the tenant's end, exports and the licence.
 */
export const WITHHELD_WHILE_ACTING: readonly Permission[] = [
  'identity.api_key.manage',
  'identity.impersonation.approve',
  'identity.impersonation.customer',
  'identity.impersonation.start',
  'identity.member.manage',
  'identity.policy.manage',
  'identity.portal_access.manage',
  'identity.role.manage',
  'identity.user.suspend',
  'licensing.file.issue',
  'licensing.license.change',
  'tenancy.domain.manage',
  'tenancy.export.request',
  'tenancy.invitation.manage',
  'tenancy.tenant.close',
];

/** A permission, `domain.*`, `domain.noun.*` or `*.*.action`. */
type Pattern = string;

interface Role {
  name: string;
  holds: readonly Pattern[];
  without?: readonly Pattern[];
}

/** The built-in roles. Each domain's document says its own part; unlisted means no. */
export const ROLES = {
  platform_admin: {
    name: 'Platform administrator',
    holds: ['tenancy.*', 'licensing.*', 'identity.*', 'billing.*', 'network.*', 'crm.*', 'tickets.*'],
  },
  tenant_admin: {
    name: 'Administrator',
    holds: ['tenancy.*', 'licensing.*', 'identity.*', 'billing.*', 'network.*', 'crm.*', 'tickets.*'],
    without: PLATFORM_PERMISSIONS,
  },
  billing_manager: {
    name: 'Billing manager',
    holds: [
      'billing.*',
      'licensing.license.read',
      'licensing.license.change',
      'licensing.usage.read',
      'licensing.file.issue',
      'identity.member.read',
      'identity.portal_access.manage',
      'crm.contact.read',
      'crm.lead.read',
      'network.service.read',
      'network.plan.read',
      'tickets.ticket.read',
    ],
  },
  support_agent: {
    name: 'Support agent',
    holds: [
      'tickets.*',
      'crm.contact.manage',
      'billing.customer.manage',
      'billing.invoice.read',
      'billing.payment.read',
      'network.inventory.read',
      'network.service.read',
      'network.plan.read',
      'identity.member.read',
      'identity.portal_access.manage',
      'identity.impersonation.customer',
    ],
  },
  network_engineer: {
    name: 'Network engineer',
    holds: [
      'network.*',
      'billing.customer.read',
      'identity.member.read',
      'tickets.ticket.read',
      'tickets.ticket.open',
      'tickets.ticket.note',
    ],
  },
  dispatcher: {
    name: 'Dispatcher',
    holds: [
      'billing.customer.read',
      'network.service.read',
      'identity.member.read',
      'tickets.ticket.read',
      'tickets.ticket.open',
      'tickets.ticket.note',
    ],
  },
  technician: {
    name: 'Technician',
    holds: ['billing.customer.read', 'network.inventory.read', 'network.service.read'],
  },
  sales: {
    name: 'Sales',
    holds: [
      'crm.*',
      'billing.customer.manage',
      'network.plan.read',
      'network.service.read',
      'identity.member.read',
      'identity.portal_access.manage',
      'tickets.ticket.read',
      'tickets.ticket.open',
      'tickets.ticket.note',
    ],
  },
  auditor: { name: 'Auditor', holds: ['*.*.read'], without: PLATFORM_PERMISSIONS },
  /** A subscriber in their ISP's portal: no permission, only doors that look at the customer they speak for. */
  customer: { name: 'Customer', holds: [] },
} as const satisfies Record<string, Role>;

export type RoleKey = keyof typeof ROLES;

export function isRole(key: string): key is RoleKey {
  return Object.hasOwn(ROLES, key);
}

/** Whether a pattern names a permission. A malformed pattern names none. */
export function matches(pattern: Pattern, permission: string): boolean {
  const [domain, noun, action] = permission.split('.');
  const asked = pattern.split('.');
  if (asked.length === 2) return asked[0] === domain && asked[1] === '*';
  if (asked.length !== 3) return false;
  if (asked[0] === '*') return asked[1] === '*' && asked[2] === action;
  return asked[0] === domain && asked[1] === noun && (asked[2] === '*' || asked[2] === action);
}

interface Meaning {
  /** The permissions it names, in the catalogue's order. */
  names: readonly Permission[];
  /** What it allows: all it names, and with `manage` the `read` of its noun. */
  allows: readonly Permission[];
}

/** What patterns were found to mean: of those that name something there are as few as the catalogue has names for. */
const meanings = new Map<Pattern, Meaning>();

function meaningOf(pattern: Pattern): Meaning {
  const known = meanings.get(pattern);
  if (known) return known;
  const names = PERMISSIONS.filter((permission) => matches(pattern, permission));
  const brought = names.map((name) => name.replace(/\.manage$/, '.read')).filter(isPermission);
  const meaning = { names, allows: [...new Set([...names, ...brought])] };
  if (names.length > 0) meanings.set(pattern, meaning);
  return meaning;
}

/** The permissions a pattern names, in the catalogue's order. */
export const namedBy = (pattern: Pattern): readonly Permission[] => meaningOf(pattern).names;

/** Adds what patterns allow: all they name, and with `manage` the `read` of its noun. */
export function allow(held: Set<Permission>, patterns: readonly Pattern[]): void {
  for (const pattern of patterns) for (const permission of meaningOf(pattern).allows) held.add(permission);
}

/** Takes away what patterns name. */
export function withhold(held: Set<Permission>, patterns: readonly Pattern[]): void {
  for (const pattern of patterns) for (const permission of meaningOf(pattern).names) held.delete(permission);
}

/** What a set of roles may do, sorted as the catalogue is. */
export function permissionsOf(roles: readonly string[]): Permission[] {
  const held = new Set<Permission>();
  for (const key of roles) {
    if (!isRole(key)) continue;
    const { holds, without = [] }: Role = ROLES[key];
    const its = new Set<Permission>();
    allow(its, holds);
    withhold(its, without);
    for (const permission of its) held.add(permission);
  }
  return PERMISSIONS.filter((permission) => held.has(permission));
}

export interface PermissionSet {
  /** 16 hex digits naming the catalogue the bits count in. */
  catalogue: string;
  /** base64url; bit i of byte i / 8, from the least, is permission i of the sorted catalogue. */
  bits: string;
}

/** The first 16 hex digits of SHA-256 over the names joined by line feeds (identity R20). */
export function catalogueFingerprint(names: readonly string[] = PERMISSIONS): string {
  return createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 16);
}

/** Packs a set of permissions into the bits that travel in the envelope. */
export function packPermissions(held: readonly string[], names: readonly string[] = PERMISSIONS): PermissionSet {
  const bytes = Buffer.alloc(Math.ceil(names.length / 8));
  const has = new Set(held);
  names.forEach((name, i) => {
    if (has.has(name)) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  });
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const catalogue = names === PERMISSIONS ? fingerprint : catalogueFingerprint(names);
  return { catalogue, bits: bytes.subarray(0, end).toString('base64url') };
}

const index = new Map<string, number>(PERMISSIONS.map((name, i) => [name, i]));
const fingerprint = catalogueFingerprint();

/** Reads the bits back; a set packed over another catalogue holds nothing. */
export function unpackPermissions(set: PermissionSet): (permission: Permission) => boolean {
  if (set.catalogue !== fingerprint) return () => false;
  const bytes = Buffer.from(set.bits, 'base64url');
  return (permission) => {
    const i = index.get(permission);
    return i !== undefined && ((bytes[i >> 3] ?? 0) & (1 << (i & 7))) !== 0;
  };
}
