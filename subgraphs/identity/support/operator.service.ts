import { forbidden } from '../../../schema/errors.ts';
import type { Context } from '../../_kernel/context.ts';
import { selfOf } from '../session.service.ts';
import type { OperatorKind } from './impersonation.rules.ts';

/** Who wants to act in another person's name, and the session of theirs it ends with. */
export interface Operator {
  kind: OperatorKind;
  userId: string;
  sessionId: string;
  membershipId: string;
}

/** What lets somebody be an operator, in the platform and in an ISP. */
export const RIGHT_TO_ACT = {
  PLATFORM: 'identity.impersonation.start',
  ISP: 'identity.impersonation.customer',
} as const;

/** The operator who asks. Throws FORBIDDEN for who is none. */
export function operatorOf(ctx: Context): Operator {
  const kind = ctx.isPlatform ? 'PLATFORM' : 'ISP';
  const { membershipId } = ctx.envelope;
  if (!ctx.can(RIGHT_TO_ACT[kind]) || !membershipId) throw forbidden();
  return { kind, ...selfOf(ctx), membershipId };
}
