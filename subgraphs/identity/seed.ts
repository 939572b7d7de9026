import type { RoleKey } from '../../schema/permissions.ts';
import { type SeedTenant, type SeedWorld, seedId, seedTotpSecret } from '../_kernel/seed-world.ts';
import { seedKeys } from './api-keys/seed.ts';
import { hashPassword } from './credential.service.ts';
import { addTotp } from './factors/totp.service.ts';
import { addMember } from './membership.service.ts';
import { seedSso } from './providers/seed.ts';
import { createRole } from './roles/role.service.ts';
import { seedSupport } from './support/seed.ts';
import { addUser } from './user.service.ts';

export interface SeedPerson {
  userId: string;
  membershipId: string;
  name: string;
  email: string;
  tenant: SeedTenant;
  role: RoleKey;
  /** Of a subscriber: whom they speak for. They sign in with `realm` = the tenant's slug. */
  customerId?: string;
  /** Whether an authenticator app holds their second factor. */
  hasTotp?: boolean;
}

const STAFF: [tenant: SeedTenant, digits: string, name: string, role: RoleKey][] = [
  ['platform', '6001', 'Ngozi Adeyemi', 'platform_admin'],
  ['platform', '6002', 'Tomás Rivera', 'platform_admin'],
  ['kestrel', '6011', 'Wren Castillo', 'tenant_admin'],
  ['kestrel', '6012', 'Ada Quill', 'support_agent'],
  ['kestrel', '6013', 'Milo Hart', 'technician'],
  ['northwind', '6021', 'Ingrid Solberg', 'tenant_admin'],
  ['northwind', '6022', 'Jonas Brandt', 'network_engineer'],
  ['northwind', '6023', 'Mira Petrov', 'billing_manager'],
  ['northwind', '6024', 'Edda Klein', 'auditor'],
  ['northwind', '6025', 'Nils Aumann', 'sales'],
  ['northwind', '6026', 'Samira Haddad', 'support_agent'],
  ['northwind', '6027', 'Piet Claasen', 'support_agent'],
  ['northwind', '6028', 'Lotte Kern', 'support_agent'],
  ['harbour', '6041', 'Chidi Obi', 'tenant_admin'],
  ['sable', '6051', 'Rosa Lim', 'tenant_admin'],
  ['oldtown', '6061', 'Ewa Nowak', 'tenant_admin'],
  ['atlas', '6071', 'Bruno Tavares', 'tenant_admin'],
  ['atlas', '6072', 'Lia Prado', 'dispatcher'],
  ['fable', '6091', 'Fen Abbot', 'tenant_admin'],
];

const SUBSCRIBERS: [tenant: SeedTenant, digits: string, name: string, customer: string, mail?: string][] = [
  ['kestrel', '6019', 'Marcus Tran', '7019'],
  ['northwind', '6031', 'Lena Spaet', '7031'],
  ['northwind', '6032', 'Mara Lind', '7032'],
  ['northwind', '6033', 'Ole Brink', '7034'],
  ['atlas', '6079', 'Mara Lind', '7079', 'mara@northwind.example'], // another person by the same mail
];

const mailOf = (name: string, slug: string) =>
  `${name.split(' ')[0]?.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()}@${slug}.example`;
const membershipIdOf = (digits: string, nth = 1) => seedId(`${digits}${String(nth).padStart(4, '0')}`);

const staff = STAFF.map(([tenant, digits, name, role]): SeedPerson => {
  return {
    userId: seedId(digits),
    membershipId: membershipIdOf(digits),
    name,
    email: mailOf(name, tenant),
    tenant,
    role,
    ...(role === 'platform_admin' ? { hasTotp: true } : {}),
  };
});
const subscribers = SUBSCRIBERS.map(([tenant, digits, name, customer, email = mailOf(name, tenant)]): SeedPerson => {
  const customerId = seedId(customer);
  return {
    userId: seedId(digits),
    membershipId: membershipIdOf(digits),
    name,
    email,
    tenant,
    role: 'customer',
    customerId,
  };
});
/** One person, two tenants. */
const alsoElsewhere: SeedPerson[] = staff
  .filter(({ name }) => name === 'Edda Klein')
  .map((edda) => ({ ...edda, membershipId: membershipIdOf('6024', 2), tenant: 'harbour' }));

/** Who lives in the example world; one password for all. */
export const PEOPLE: readonly SeedPerson[] = [...staff, ...alsoElsewhere, ...subscribers];

/** A role of Northwind's own. */
const BILLING_JUNIOR = {
  key: 'billing_junior',
  name: 'Billing junior',
  basedOn: 'billing_manager',
  adds: [],
  removes: ['billing.payment.record'],
  maxMembers: null,
};

/** The people of the example world and what they are. */
export async function seed(world: SeedWorld): Promise<void> {
  const hash = await hashPassword(world.password);
  for (const { userId: id, name: displayName, email, tenant, customerId } of [...staff, ...subscribers]) {
    const realm = customerId === undefined ? 'STAFF' : world.tenantId(tenant);
    await world.inTenant(tenant, (ctx) => addUser(ctx, { id, realm, email, displayName, locale: 'en', hash }));
  }
  for (const { userId, tenant } of staff.filter(({ hasTotp }) => hasTotp))
    await world.inTenant(tenant, (ctx) => addTotp(ctx, userId, seedTotpSecret(world.password, userId)));
  for (const { membershipId: id, userId, tenant, role, customerId } of PEOPLE) {
    const kind = customerId === undefined ? 'STAFF' : 'PORTAL';
    const isUnlicensed = tenant === 'oldtown'; // came from the older platform and has no plan to take a seat of
    await world.inTenant(tenant, (ctx) =>
      addMember(ctx, { id, userId, kind, roles: [role], customerId, ...(isUnlicensed ? { takesSeat: false } : {}) }),
    );
  }
  await world.inTenant('northwind', (ctx) => createRole(ctx, BILLING_JUNIOR));
  await seedSso(world);
  await seedKeys(world);
  await seedSupport(world);
}
