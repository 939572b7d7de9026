import { asId, keyAfter } from '../../../schema/cursor.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import type { ProofMethod } from '../session.rules.ts';
import { selfOf } from '../session.service.ts';
import { type SignInOutcome, SignInRecord } from '../sign-in-record.entity.ts';
import { readGlobally } from '../tenant.service.ts';
import { countALook } from './throttle.service.ts';

export interface SignInFilter {
  userId?: string | null;
  outcome?: SignInOutcome | null;
}

/** One's own attempts to sign in, the newest first. */
export function mySignIns(ctx: Context, page: PageArgs): Promise<Connection<SignInRecord>> {
  return list(ctx, { userId: selfOf(ctx).userId }, page);
}

/** The attempts to sign in to the caller's tenant, the newest first. */
export async function signIns(
  ctx: Context,
  { userId, outcome }: SignInFilter,
  page: PageArgs,
): Promise<Connection<SignInRecord>> {
  if (userId && !isId(userId)) return connect([], page, () => []);
  const where = { homeId: ctx.tenantId, ...(userId ? { userId } : {}), ...(outcome ? { outcome } : {}) };
  return list(ctx, where, page);
}

async function list(ctx: Context, where: object, page: PageArgs): Promise<Connection<SignInRecord>> {
  const after = keyAfter(page, asId);
  const rows = await readGlobally(ctx, (em) =>
    em.find(
      SignInRecord,
      { ...where, ...(after ? { id: { $lt: after } } : {}) },
      { orderBy: { id: 'desc' }, limit: page.first + 1 },
    ),
  );
  return connect(rows, page, ({ id }) => [id]);
}

/**
 * How the people of a realm sign in. It depends on the realm and on the domain of the mail alone, never on an account.
 * Throws RATE_LIMITED for the thirty-first look from a network within a minute.
 */
export async function signInMethods(ctx: Context): Promise<ProofMethod[]> {
  await countALook(ctx);
  return ['PWD', 'KEY'];
}
