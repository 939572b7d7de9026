import { forbidden } from '../../schema/errors.ts';
import type { Permission } from '../../schema/permissions.ts';
import type { Context } from '../_kernel/context.ts';

/**
 * Lets in who holds the permission, and a portal customer, whom row policies keep to what is its own. For doors that are
 * marked as open to anybody signed in. Throws FORBIDDEN.
 */
export function enterOwn(ctx: Context, permission: Permission): void {
  if (!ctx.can(permission) && !ctx.envelope.customerId) throw forbidden();
}
