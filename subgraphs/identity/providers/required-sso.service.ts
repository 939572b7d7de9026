import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import type { HeldFactors } from '../factors/challenge.rules.ts';
import { FACTORS, factorsIn } from '../factors/held-factors.service.ts';
import { Membership } from '../membership.entity.ts';
import { isAdmin } from '../membership.rules.ts';
import type { ProofMethod } from '../session.rules.ts';
import type { User } from '../user.entity.ts';
import { EmailDomain } from './email-domain.entity.ts';
import { domainOf } from './provider.rules.ts';

/** The domain of a staff member's mail, where somebody has proved it. */
export async function provedDomainOf(
  em: EntityManager,
  realm: string,
  email: string | null,
): Promise<EmailDomain | null> {
  const domain = realm === 'STAFF' ? domainOf(email) : null;
  return domain === null ? null : em.findOne(EmailDomain, { domain, state: 'PROVED' });
}

/**
 * Whether passwords of somebody are refused, because the tenant that has proved the domain of their mail has its people sign
 * in with its own provider. Whoever it named for emergencies goes on with theirs while they are its administrator.
 * @param domain of their mail, where a tenant has proved it.
 */
export async function isPasswordRefused(ctx: Context, { id }: User, domain: EmailDomain | null): Promise<boolean> {
  if (!domain?.isRequired) return false;
  if (!domain.emergencyIds.includes(id)) return true;
  const home = ctx.inTenant(domain.homeId);
  try {
    const own = await (await home.em()).findOne(Membership, { userId: id, kind: 'STAFF', state: 'ACTIVE' });
    return !own || !isAdmin(own.roles);
  } finally {
    await home.end();
  }
}

/** What somebody has besides a password: one trip to the database for both. */
export interface Beside {
  held: HeldFactors;
  /** Of their mail, where a tenant has proved it. */
  domain: EmailDomain | null;
}

export async function besideOf(
  em: EntityManager,
  { id, realm, email }: Pick<User, 'id' | 'realm' | 'email'>,
): Promise<Beside> {
  const [row = {}] = await em.execute(
    `select ${FACTORS}, to_jsonb(d) as domain
       from (select ?::uuid as id) u left join identity.email_domain d on d.domain = ? and d.state = 'PROVED' limit 1`,
    [id, realm === 'STAFF' ? domainOf(email) : null],
  );
  return { held: factorsIn(row), domain: row.domain ? em.map(EmailDomain, row.domain) : null };
}

/** What of somebody's proofs still counts: not the password, once the tenant asks for its provider. */
export function countedProofs(
  { id }: Pick<User, 'id'>,
  { domain }: Beside,
  methods: readonly ProofMethod[],
): readonly ProofMethod[] {
  const isRefused = domain?.isRequired && !domain.emergencyIds.includes(id);
  return isRefused ? methods.filter((method) => method !== 'PWD') : methods;
}
