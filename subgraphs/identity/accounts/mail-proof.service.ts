import type { EntityManager } from '../../_kernel/db.ts';
import { presentOf } from '../tenant.service.ts';
import { User } from '../user.entity.ts';
import { MailProof } from './mail-proof.entity.ts';
import { deadLink, drawProofToken, hashOfProof, LIFE_MINUTES, type ProofPurpose } from './mail-proof.rules.ts';

/** Makes the token of a link for a mail; an older one of the same purpose no longer works. */
export async function giveProof(
  em: EntityManager,
  userId: string,
  purpose: ProofPurpose,
  newEmail: string | null = null,
): Promise<string> {
  const token = drawProofToken();
  await em.execute(
    `insert into identity.mail_proof (hash, user_id, purpose, new_email, expires_at) values (?, ?, ?, ?, clock_timestamp() + make_interval(mins => ?))
     on conflict (user_id, purpose) do update
       set hash = excluded.hash, new_email = excluded.new_email, expires_at = excluded.expires_at`,
    [hashOfProof(token), userId, purpose, newEmail, LIFE_MINUTES[purpose]],
  );
  return token;
}

/**
 * Whose a link is, which stays good: for what must be looked at before it is used.
 * Refuses INVALID for a link that does not work.
 */
export async function bearerOf(em: EntityManager, token: string, purposes: ProofPurpose[]): Promise<User> {
  const { now } = await presentOf(em);
  const hash = hashOfProof(token);
  const proof = hash && (await em.findOne(MailProof, { hash, purpose: { $in: purposes }, expiresAt: { $gt: now } }));
  if (!proof) throw deadLink();
  return em.findOneOrFail(User, { id: proof.userId });
}

/** Uses a link up, in the transaction of what it is for; one statement, so that of two who bring it one wins. */
export async function useProof(em: EntityManager, token: string, purposes: ProofPurpose[]): Promise<MailProof> {
  const [row] = await em.execute(
    `delete from identity.mail_proof
     where hash = ? and purpose = any(?::text[]) and expires_at > clock_timestamp() returning *`,
    [hashOfProof(token) ?? '', `{${purposes.join(',')}}`],
  );
  if (!row) throw deadLink();
  return em.map(MailProof, row);
}
