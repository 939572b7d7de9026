import { uuidv7 } from 'uuidv7';
import type { Context } from '../_kernel/context.ts';
import type { EntityManager } from '../_kernel/db.ts';
import { SignInRecord } from './sign-in-record.entity.ts';

type Said = Pick<SignInRecord, 'outcome' | 'method'> &
  Partial<Pick<SignInRecord, 'userId' | 'mailHash' | 'homeId' | 'membershipId' | 'sessionId'>>;

/** Writes down one attempt, with the address it came from. */
export function record(ctx: Context, em: EntityManager, said: Said): void {
  const nothing = { userId: null, mailHash: null, homeId: null, membershipId: null, sessionId: null };
  em.persist(em.create(SignInRecord, { id: uuidv7(), ...nothing, ...said, address: ctx.envelope.address ?? null }));
}
