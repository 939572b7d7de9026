import { Refusal } from '../../../schema/errors.ts';
import { isPermission, type Permission, PLATFORM_PERMISSIONS } from '../../../schema/permissions.ts';
import { text } from '../../../schema/words.ts';

/** The longest a single permission is given for, days. */
const MAX_DAYS = 90;
const DAY_MS = 86_400_000;
/** Live grants one member may have. */
export const MAX_GRANTS = 20;

/** What is asked of a grant, checked. Refuses with INVALID and the field. */
export function checkGrant(
  asked: { permission: string; reason: string; until: Date },
  now: Date,
  isPlatform: boolean,
): { permission: Permission; reason: string; until: Date } {
  const { permission, until } = asked;
  const reason = text(asked.reason, 200, 'reason', { name: 'A reason', min: 5 });
  if (!isPermission(permission))
    throw new Refusal('INVALID', `There is no permission ${permission.slice(0, 80)}.`, 'permission');
  if (!isPlatform && PLATFORM_PERMISSIONS.includes(permission))
    throw new Refusal('INVALID', `${permission} is held on the platform only.`, 'permission');
  const days = (until.getTime() - now.getTime()) / DAY_MS;
  if (!(days > 0 && days <= MAX_DAYS))
    throw new Refusal('INVALID', `A permission is given for at most ${MAX_DAYS} days, from now on.`, 'until');
  return { permission, reason, until };
}
