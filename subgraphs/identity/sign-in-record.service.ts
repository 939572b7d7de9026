import { uuidv7 } from 'uuidv7';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { SignInRecord } from './sign-in-record.entity.ts';

type Said = Pick<SignInRecord, 'outcome' | 'method'> &
  Partial<Pick<SignInRecord, 'userId' | 'mailHash' | 'homeId' | 'membershipId' | 'sessionId'>>;

/** Writes down one attempt, with where it came from and what it said it is. */
export function record(ctx: Context, em: EntityManager, said: Said): void {
  const nothing = { userId: null, mailHash: null, homeId: null, membershipId: null, sessionId: null };
  const { address = null, agent = null } = ctx.envelope;
  em.persist(em.create(SignInRecord, { id: uuidv7(), ...nothing, ...said, address, agent }));
}
