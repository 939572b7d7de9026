import { anywhere, asText, placeAfter } from '../../../schema/cursor.ts';
import { badInput, forbidden } from '../../../schema/errors.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import { isPermission } from '../../../schema/permissions.ts';
import type { Context } from '../../_kernel/context.ts';
import { effectivePermissions, rolesIn } from '../membership.rules.ts';
import { User } from '../user.entity.ts';
import { ownRolesOf } from './role.service.ts';

/**
 * The active staff of the caller's tenant who may do something, by name: who work can be given to. Throws BAD_USER_INPUT
 * for a permission there is not, FORBIDDEN for a subscriber.
 */
export async function assignees(
  ctx: Context,
  { permission, text }: { permission: string; text?: string | null },
  page: PageArgs,
): Promise<Connection<User>> {
  if (ctx.envelope.customerId !== undefined) throw forbidden();
  if (!isPermission(permission)) throw badInput(`Unknown permission: ${permission.slice(0, 80)}`);
  const em = await ctx.em();
  const own = await ownRolesOf(em);
  const allows = (roles: string[], granted: string[] = []) =>
    effectivePermissions(roles, ctx.isPlatform, own, granted).includes(permission);
  const keys = [...rolesIn(ctx.isPlatform), ...own.keys()].filter((key) => allows([key]));
  const grants = [permission, permission.replace(/\.read$/, '.manage')].filter((given) => allows([], [given]));
  const after = placeAfter(page, asText);
  const rows = await em.execute(
    `select u.id from identity.membership m join identity.user u on u.id = m.user_id
     where m.kind = 'STAFF' and m.state = 'ACTIVE'
       and (m.roles && ?::text[] or exists (select from identity.permission_grant g
              where g.membership_id = m.id and g.permission = any(?::text[]) and g.ended_at is null and g.until > kernel.now()))
       and (?::text is null or u.display_name ilike ?::text) and (?::text is null or (u.display_name, u.id) > (?::text, ?::uuid))
     order by u.display_name, u.id limit ?`,
    [
      ...[`{${keys.join(',')}}`, `{${grants.join(',')}}`],
      ...(text == null ? [null, null] : [text, anywhere(text)]),
      ...(after ? [after.key, after.key, after.id] : [null, null, null]),
      page.first + 1,
    ],
  );
  const found = await em.find(User, { id: { $in: rows.map(({ id }) => String(id)) } });
  const people = new Map(found.map((user) => [user.id, user]));
  return connect(
    rows.flatMap(({ id }) => people.get(String(id)) ?? []),
    page,
    ({ displayName, id }) => [displayName, id],
  );
}
