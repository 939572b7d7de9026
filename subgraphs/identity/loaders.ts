import { isId } from '../../schema/ids.ts';
import type { Context } from '../_kernel/context.ts';
import { defineLoader } from '../_kernel/loader.ts';
import { findTenantProfile } from '../_kernel/tenant-profile.ts';
import { hasSecondFactor } from './factors/challenge.rules.ts';
import { heldFactors } from './factors/held-factors.service.ts';
import { Membership } from './membership.entity.ts';
import type { Tenant } from './tenant.stub.ts';
import { User } from './user.entity.ts';

/**
 * People as this tenant may see them: who is or was a member of it, and nobody else. A portal customer sees staff and
 * the accounts of their own customer.
 */
export const personById = defineLoader<User>('personById', async (em, ids, ctx) => {
  const known = ids.filter(isId);
  const { customerId } = ctx.envelope;
  const narrowed = customerId === undefined ? {} : { $or: [{ kind: 'STAFF' as const }, { customerId }] };
  const memberships = await membershipsOf(ctx, { userId: { $in: known }, ...narrowed });
  const people = await em.find(User, { id: { $in: memberships.map(({ userId }) => userId) } });
  const present = new Set(memberships.filter(({ state }) => state !== 'ENDED').map(({ userId }) => userId));
  return people.map((person) => [person.id, Object.assign(person, { isFormer: !present.has(person.id) })] as const);
});

/** A portal customer's transactions show no staff, so for them the tenant's memberships are read beside them. */
async function membershipsOf(ctx: Context, where: object): Promise<Membership[]> {
  if (ctx.envelope.customerId === undefined) return (await ctx.em()).find(Membership, where);
  const reader = ctx.inTenant(ctx.tenantId);
  try {
    return await (await reader.em()).find(Membership, where);
  } finally {
    await reader.end();
  }
}

/** When a member last signed in to this tenant. */
export const lastSignInOf = defineLoader<Date>('lastSignInOf', async (em, ids) => {
  const rows = await em.execute(
    "select membership_id as id, max(at) as at from identity.sign_in_record where outcome = 'OK' and membership_id = any(?::uuid[]) group by 1",
    [`{${ids.join(',')}}`],
  );
  return rows.map((row) => [String(row.id), new Date(row.at)] as const);
});

/** Whether people have a second factor. */
export const hasFactor = defineLoader<boolean>('hasFactor', async (em, ids) => {
  const held = await heldFactors(em, ids.filter(isId));
  return [...held].map(([id, factors]) => [id, hasSecondFactor(factors)] as const);
});

/** The tenant of the caller as others may point at it; it alone is seen. */
export const homeById = defineLoader<Tenant>('homeById', async (em, _, { tenantId }) => {
  const profile = await findTenantProfile(em);
  return profile ? [[tenantId, { id: tenantId, slug: profile.slug, name: profile.name }] as const] : [];
});

/** The names of people of other tenants, for whom what they did here tells more than an id. */
export const nameOf = defineLoader<string>('nameOf', async (em, ids) => {
  const people = await em.find(User, { id: { $in: ids.filter(isId) } });
  return people.map(({ id, displayName }) => [id, displayName] as const);
});
