import { asId, keyAfter } from '../../../schema/cursor.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { boundTenantOf } from '../providers/bound-session.service.ts';
import { selfOf } from '../session.service.ts';
import { type SignInOutcome, SignInRecord } from '../sign-in-record.entity.ts';
import { readGlobally } from '../tenant.service.ts';

export interface SignInFilter {
  userId?: string | null;
  outcome?: SignInOutcome | null;
}

/** One's own attempts to sign in, the newest first; in a session that cannot leave its tenant, those there. */
export async function mySignIns(ctx: Context, page: PageArgs): Promise<Connection<SignInRecord>> {
  const { userId } = selfOf(ctx);
  const boundTo = await boundTenantOf(ctx);
  return list(ctx, { userId, ...(boundTo === null ? {} : { homeId: boundTo }) }, page);
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
