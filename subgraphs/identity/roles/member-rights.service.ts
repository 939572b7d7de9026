import type { Permission } from '../../../schema/permissions.ts';
import type { Context } from '../../_kernel/context.ts';
import { type EntityManager, PLATFORM_TENANT } from '../../_kernel/db.ts';
import { Membership } from '../membership.entity.ts';
import { effectivePermissions } from '../membership.rules.ts';
import { OwnRole } from './role.entity.ts';

export interface MemberRights {
  membership: Membership;
  permissions: Permission[];
}

/**
 * What memberships of any tenants allow now, by id, for gateways: roles, the tenants' own ones included, and live grants.
 * It is expanded when a gateway reads it, which is once per session and again when it is told of a change.
 */
export async function rightsOf(ctx: Context, ids: readonly string[]): Promise<Map<string, MemberRights>> {
  if (ids.length === 0) return new Map();
  return ctx.acrossTenants(async (em) => {
    const { members, own, granted } = await read(em, ids);
    const rolesAt = new Map(
      [...Map.groupBy(own, ({ homeId }) => homeId)].map(([home, all]) => [
        home,
        new Map(all.map((role) => [role.key, role])),
      ]),
    );
    return new Map(
      members.map((membership) => {
        const { id, roles, homeId } = membership;
        const given = granted.get(id)?.map(({ permission }) => permission);
        const permissions = effectivePermissions(roles, homeId === PLATFORM_TENANT, rolesAt.get(homeId), given);
        return [id, { membership, permissions }];
      }),
    );
  });
}

/** Memberships, the own roles of their tenants and what is granted to them now: one trip to the database for all. */
async function read(em: EntityManager, ids: readonly string[]) {
  const rows = await em.execute(
    `with m as (select * from identity.membership where id = any(?::uuid[]))
     select 'MEMBER' as kind, to_jsonb(m) as row from m
     union all
     select 'ROLE', to_jsonb(r) from identity.role r where r.tenant_id in (select tenant_id from m)
     union all
     select 'GRANT', to_jsonb(g) from m join identity.permission_grant g on g.tenant_id = m.tenant_id and g.membership_id = m.id
      where g.ended_at is null and g.until > ?`,
    [`{${ids.join(',')}}`, new Date()],
  );
  const of = (kind: string) => rows.filter((one) => one.kind === kind).map(({ row }) => row);
  const granted = new Map<string, string[]>();
  for (const { membership_id: id, permission } of of('GRANT'))
    granted.set(id, [...(granted.get(id) ?? []), permission]);
  return {
    members: of('MEMBER').map((row) => em.map(Membership, row)),
    own: of('ROLE').map((row) => em.map(OwnRole, row)),
    granted: Map.groupBy(of('GRANT'), (grant) => grant.membership_id as string),
  };
}
