import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { endSessionsThrough } from '../end-sessions.service.ts';
import { EmailDomain } from './email-domain.entity.ts';
import { SsoConnection } from './sso-connection.entity.ts';

/** Repeats on its domains what a connection is and demands: a sign-in looks there. */
export async function tellDomains(em: EntityManager, connection: SsoConnection): Promise<void> {
  const isOffered = connection.state === 'ACTIVE';
  const isRequired = isOffered && connection.isRequired;
  const served = await em.find(EmailDomain, { connectionId: connection.id });
  for (const domain of served)
    Object.assign(domain, { isOffered, isRequired, emergencyIds: [...connection.emergencyIds] });
}

/** Takes a connection out of use, in the transaction of what made it necessary; what it opened ends with it. */
export async function turnOff(em: EntityManager, id: string, reason: string): Promise<void> {
  const connection = await em.findOne(SsoConnection, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  if (connection?.state !== 'ACTIVE') return;
  connection.state = 'OFF';
  connection.version += 1;
  await tellDomains(em, connection);
  await endSessionsThrough(em, id);
  emit(em, 'identity.sso_connection.turned_off', { connectionId: id, reason });
}
