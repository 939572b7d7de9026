import { ClientError } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { consume, quotaLeft, release } from '../../_kernel/quota.ts';
import type { ApiCallLease } from './api-call-lease.entity.ts';
import { leaseOf } from './api-call-lease.rules.ts';

const GRANTED = { message: null, limit: null, used: null, resetsAt: null };

/** Counts calls that a gateway will let in, at most as many as it asks for. Granted 0 says that nothing is left. */
export function leaseApiCalls(ctx: Context, tenantId: string, leaseId: string, asked: number): Promise<ApiCallLease> {
  const there = ctx.inTenant(tenantId);
  return there.tx(async (em) => {
    const amount = leaseOf(await quotaLeft(there, em, 'api_calls'), BigInt(asked));
    try {
      await consume(there, em, 'api_calls', amount > 0n ? amount : 1n, onceKeyOf(leaseId));
      return { granted: Number(amount), ...GRANTED };
    } catch (error) {
      if (!(error instanceof ClientError && error.code === 'QUOTA_EXCEEDED')) throw error;
      const { limit, used, resetsAt } = error.extensions as { limit: string; used: string; resetsAt: string | null };
      return { granted: 0, message: error.message, limit, used, resetsAt: resetsAt ? new Date(resetsAt) : null };
    }
  });
}

/** Takes back the calls of a lease that nobody made. Again, or once its period is over, it changes nothing. */
export function returnApiCalls(
  ctx: Context,
  tenantId: string,
  lease: { leaseId: string; granted: number; unused: number },
): Promise<boolean> {
  const there = ctx.inTenant(tenantId);
  const [unused, granted] = [BigInt(lease.unused), BigInt(lease.granted)];
  return there.tx(async (em) => {
    await release(there, em, 'api_calls', unused, onceKeyOf(lease.leaseId), granted);
    return true;
  });
}

const onceKeyOf = (leaseId: string) => `lease:${leaseId}`;
