import { unauthenticated } from '../../../schema/errors.ts';
import { expectVersion } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { heldFactorsOf } from '../factors/held-factors.service.ts';
import { Membership } from '../membership.entity.ts';
import { rolesIn } from '../membership.rules.ts';
import { Session } from '../session.entity.ts';
import { SignInPolicy } from './sign-in-policy.entity.ts';
import { checkPolicy, DEFAULT_POLICY, keepMaker, type Policy } from './sign-in-policy.rules.ts';

/** The policy of the tenant a transaction is in. */
export async function policyOf(em: EntityManager): Promise<Policy> {
  return (await em.findOne(SignInPolicy, { version: { $gte: 1 } })) ?? DEFAULT_POLICY;
}

/** The policy that was read as JSON; the default where there was none. */
export const policyIn = (em: EntityManager, row: object | null): Policy =>
  row ? em.map(SignInPolicy, row as never) : DEFAULT_POLICY;

/** The policy of the caller's tenant. */
export async function signInPolicy(ctx: Context): Promise<Policy> {
  return policyOf(await ctx.em());
}

export type PolicyChange = { [F in keyof Omit<Policy, 'version'>]?: Policy[F] | null } & { expectedVersion: number };

/**
 * Changes the policy of the caller's tenant; what is left out stays. It holds for everybody from their next sign-in or
 * refresh. Refuses INVALID for what cannot hold or would shut out who asks, CONFLICT for an older version.
 */
export function updateSignInPolicy(ctx: Context, { expectedVersion, ...changes }: PolicyChange): Promise<Policy> {
  return ctx.tx(async (em) => {
    await em.execute("select pg_advisory_xact_lock(hashtextextended('sign_in_policy|' || kernel.tenant_id(), 0))");
    const held = await policyOf(em);
    expectVersion(held.version, expectedVersion, 'policy');
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value != null));
    const policy = checkPolicy({ ...held, ...given, version: held.version + 1 }, [...rolesIn(ctx.isPlatform)]);
    await keepWhoAsks(ctx, em, policy);
    await save(em, policy);
    return policy;
  });
}

/** Background work shuts nobody out who could not come back. */
async function keepWhoAsks(ctx: Context, em: EntityManager, policy: Policy): Promise<void> {
  const { caller, sessionId, membershipId, address } = ctx.envelope;
  if (caller.kind !== 'USER' || !sessionId || !membershipId) return;
  const session = await em.findOne(Session, { id: sessionId });
  const membership = await em.findOne(Membership, { id: membershipId });
  if (!session || !membership) throw unauthenticated('REVOKED');
  const held = await heldFactorsOf(em, session.userId);
  keepMaker(policy, { kind: membership.kind, roles: membership.roles, methods: session.methods, held, address });
}

async function save(em: EntityManager, policy: Policy): Promise<void> {
  const columns = {
    needs_second_factor: listOf(policy.needsSecondFactor),
    methods: listOf(policy.methods),
    idle_minutes: policy.idleMinutes,
    max_hours: policy.maxHours,
    portal_idle_days: policy.portalIdleDays,
    portal_max_days: policy.portalMaxDays,
    addresses: listOf(policy.addresses),
    support_access: policy.supportAccess,
    version: policy.version,
  };
  const names = Object.keys(columns);
  await em.execute(
    `insert into identity.sign_in_policy (${names.join(', ')}) values (${names.map(() => '?').join(', ')})
     on conflict (tenant_id) do update set ${names.map((name) => `${name} = excluded.${name}`).join(', ')}`,
    Object.values(columns),
  );
}

const listOf = (texts: readonly string[]) => `{${texts.map((text) => JSON.stringify(text)).join(',')}}`;
