import { uuidv7 } from 'uuidv7';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { expectVersion, text } from '../../../schema/words.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { seal } from '../../_kernel/secrets.ts';
import { endSessionsThrough } from '../end-sessions.service.ts';
import { Membership } from '../membership.entity.ts';
import { checkHeld, checkRoles, effectivePermissions, isAdmin } from '../membership.rules.ts';
import { giverOf } from '../membership.steps.ts';
import { ownRolesOf } from '../roles/role.service.ts';
import { EmailDomain } from './email-domain.entity.ts';
import { notProved } from './email-domain.rules.ts';
import { lockDomains } from './email-domain.service.ts';
import { allowsLoopback, secretName } from './provider.service.ts';
import { leadsOutside } from './public-fetch.ts';
import { SsoConnection } from './sso-connection.entity.ts';
import {
  advanceSso,
  checkEmergency,
  checkIssuer,
  checkReady,
  checkRoleMap,
  MAX_CONNECTIONS,
  type RoleOfClaim,
} from './sso-connection.rules.ts';
import { tellDomains, turnOff } from './sso-connection.steps.ts';

/** The connections of the caller's tenant, in the order they were made. */
export async function ssoConnections(ctx: Context): Promise<SsoConnection[]> {
  return (await ctx.em()).find(SsoConnection, {}, { orderBy: { id: 'asc' } });
}

/** A connection of the caller's tenant; null for an unknown one and another tenant's. */
export async function connectionById(ctx: Context, id: string): Promise<SsoConnection | null> {
  return isId(id) ? (await ctx.em()).findOne(SsoConnection, { id }) : null;
}

export interface AskedConnection {
  /** Left out for a new one. */
  id?: string | null;
  expectedVersion?: number | null;
  issuer: string;
  clientId: string;
  /** Left out it stays. */
  clientSecret?: string | null;
  /** Ids of claimed domains. */
  domainIds: string[];
  roleMap: RoleOfClaim[];
  isRequired: boolean;
  createsMembers: boolean;
  emergencyUserIds: string[];
}

/**
 * Makes a connection, or changes one whole. With another issuer, client or secret it is DRAFT again until somebody has tried
 * it, and sessions opened through it end. Refuses INVALID for an issuer that is not public, roles and people that do not fit; CONFLICT for a domain that is not
 * proved or is served by another connection, and for an older version; LIMIT_REACHED; throws FORBIDDEN for roles one may not
 * give.
 */
export async function saveConnection(ctx: Context, asked: AskedConnection): Promise<SsoConnection> {
  const issuer = checkIssuer(asked.issuer);
  const clientId = text(asked.clientId, 200, 'clientId', { name: 'A client id' });
  const secret = asked.clientSecret == null ? null : text(asked.clientSecret, 500, 'clientSecret');
  const roleMap = checkRoleMap(asked.roleMap);
  const emergencyIds = checkEmergency(asked.emergencyUserIds);
  if (!(await leadsOutside(new URL(issuer), allowsLoopback(ctx.machinery.config))))
    throw new Refusal('INVALID', 'An issuer has https and a public address.', 'issuer');
  return ctx.tx(async (em) => {
    await lockDomains(em);
    const held = await heldOrNew(ctx, em, asked);
    await checkRoleRights(ctx, em, roleMap);
    await checkAdmins(em, emergencyIds);
    const isOther = held.issuer !== issuer || held.clientId !== clientId || secret !== null;
    const { isRequired, createsMembers } = asked;
    Object.assign(held, { issuer, clientId, roleMap, emergencyIds, isRequired, createsMembers });
    if (secret !== null) held.sealedSecret = await seal(ctx, em, secretName(held.id), secret);
    if (isOther) {
      if (held.state === 'ACTIVE') {
        await endSessionsThrough(em, held.id);
        emit(em, 'identity.sso_connection.turned_off', { connectionId: held.id, reason: 'CHANGED' });
      }
      Object.assign(held, { state: 'DRAFT', testedAt: null });
    }
    await em.flush();
    await serve(ctx, em, held, asked.domainIds);
    return held;
  });
}

async function heldOrNew(ctx: Context, em: EntityManager, asked: AskedConnection): Promise<SsoConnection> {
  if (asked.id) {
    const held = await lockOrRefuse(em, SsoConnection, asked.id, 'connection', { field: 'id' });
    expectVersion(held.version, asked.expectedVersion ?? 0, 'connection');
    held.version += 1;
    return held;
  }
  if ((await em.count(SsoConnection, {})) >= MAX_CONNECTIONS)
    throw new Refusal('LIMIT_REACHED', `A tenant has at most ${MAX_CONNECTIONS} connections.`);
  const made = em.create(SsoConnection, {
    ...{ id: uuidv7(), kind: 'OIDC', issuer: '', clientId: '', sealedSecret: null, roleMap: [], emergencyIds: [] },
    ...{ isRequired: false, createsMembers: false, state: 'DRAFT', testedAt: null, version: 1, createdAt: ctx.now() },
  });
  em.persist(made);
  return made;
}

/** Nobody gives by a provider what they may not give themselves (identity R3). */
async function checkRoleRights(ctx: Context, em: EntityManager, roleMap: readonly RoleOfClaim[]): Promise<void> {
  if (roleMap.length === 0) return;
  const own = await ownRolesOf(em);
  const keys = [...new Set(roleMap.map(({ role }) => role))];
  for (const key of keys) checkRoles([key], 'STAFF', ctx.isPlatform, own);
  const giver = await giverOf(ctx, em);
  if (!giver) return;
  if (isAdmin(keys) && !isAdmin(giver.roles))
    throw new Refusal('INVALID', 'Only an administrator makes an administrator.', 'roleMap');
  checkHeld(giver, effectivePermissions(keys, ctx.isPlatform, own));
}

async function checkAdmins(em: EntityManager, userIds: readonly string[]): Promise<void> {
  const known = userIds.filter(isId);
  const found = await em.find(Membership, { userId: { $in: known }, kind: 'STAFF', state: 'ACTIVE' });
  const admins = new Set(found.filter(({ roles }) => isAdmin(roles)).map(({ userId }) => userId));
  if (!userIds.every((id) => admins.has(id)))
    throw new Refusal('INVALID', 'Only administrators are named for emergencies.', 'emergencyUserIds');
}

/** Makes these domains the ones the connection serves. */
async function serve(
  ctx: Context,
  em: EntityManager,
  connection: SsoConnection,
  ids: readonly string[],
): Promise<void> {
  const all = await em.find(EmailDomain, { homeId: ctx.tenantId });
  for (const id of ids) {
    const domain = all.find((one) => one.id === id);
    if (!domain) throw new Refusal('NOT_FOUND', 'There is no such domain.', 'domainIds');
    if (domain.state !== 'PROVED') throw notProved('domainIds');
    if (domain.connectionId !== null && domain.connectionId !== connection.id)
      throw new Refusal('CONFLICT', 'Another connection serves this domain.', 'domainIds');
  }
  for (const domain of all) {
    if (ids.includes(domain.id)) domain.connectionId = connection.id;
    else if (domain.connectionId === connection.id)
      Object.assign(domain, { connectionId: null, isOffered: false, isRequired: false, emergencyIds: [] });
  }
  await em.flush();
  await tellDomains(em, connection);
}

/**
 * Takes a connection into use, or out of it; then the sessions opened through it end. Refuses INVALID_STATE where none of its domains is proved or nobody has tried it
 * yet, and for a move there is not.
 */
export function setSsoState(ctx: Context, id: string, to: 'ACTIVE' | 'OFF'): Promise<SsoConnection> {
  return ctx.tx(async (em) => {
    await lockDomains(em);
    const connection = await lockOrRefuse(em, SsoConnection, id, 'connection', { field: 'id' });
    const next = advanceSso(connection.state, to);
    if (next === 'OFF' && connection.state === 'ACTIVE') {
      await turnOff(em, id, 'BY_TENANT');
      return connection;
    }
    if (next === 'ACTIVE')
      checkReady(await em.count(EmailDomain, { connectionId: id, state: 'PROVED' }), connection.testedAt);
    connection.state = next;
    connection.version += 1;
    await tellDomains(em, connection);
    if (next === 'ACTIVE') emit(em, 'identity.sso_connection.activated', { connectionId: id });
    return connection;
  });
}

/** Notes that somebody has signed in with a connection as it is; with an older version of it nothing is shown. */
export function noteTest(ctx: Context, { id, version }: Pick<SsoConnection, 'id' | 'version'>): Promise<void> {
  return ctx.tx(async (em) => {
    const connection = await lockOrRefuse(em, SsoConnection, id, 'connection');
    expectVersion(connection.version, version, 'connection');
    connection.testedAt = ctx.now();
  });
}
