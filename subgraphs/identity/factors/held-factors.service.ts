import type { EntityManager } from '../../_kernel/db.ts';
import type { HeldFactors } from './challenge.rules.ts';

/** What is read of the second factors of a row with an id that goes by the name `u`; `factorsIn` finds it again. */
export const FACTORS = `
  exists (select from identity.second_factor f where f.user_id = u.id and f.state = 'ACTIVE') as totp,
  (select count(*)::int from identity.passkey p where p.user_id = u.id) as passkeys,
  (select count(*)::int from identity.recovery_code c where c.user_id = u.id and c.used_at is null) as codes`;

/** The second factors a row holds that was read with `FACTORS`. */
export const factorsIn = ({ totp, passkeys, codes }: Record<string, unknown>): HeldFactors =>
  ({ hasTotp: totp, passkeys, recoveryCodes: codes }) as HeldFactors;

/** The second factors of people, by their id. */
export async function heldFactors(em: EntityManager, userIds: readonly string[]): Promise<Map<string, HeldFactors>> {
  const rows = await em.execute(`select u.id, ${FACTORS} from unnest(?::uuid[]) u (id)`, [`{${userIds.join(',')}}`]);
  return new Map(rows.map((row) => [row.id, factorsIn(row)] as const));
}

/** Of whoever has none. */
export const NO_FACTORS: HeldFactors = { hasTotp: false, passkeys: 0, recoveryCodes: 0 };

/** The second factors of one person. */
export const heldFactorsOf = async (em: EntityManager, userId: string): Promise<HeldFactors> =>
  (await heldFactors(em, [userId])).get(userId) ?? NO_FACTORS;
