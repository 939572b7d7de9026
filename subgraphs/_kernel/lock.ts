import { type EntityClass, type FilterQuery, LockMode } from '@mikro-orm/postgresql';
import { Refusal } from '../../schema/errors.ts';
import { isId } from '../../schema/ids.ts';
import type { EntityManager } from './db.ts';

/**
 * The row of an id, locked until the transaction ends. Refuses with NOT_FOUND what is no id, unknown or another
 * tenant's; `noun` says what was looked for, and the field is named after it.
 */
export async function lockOrRefuse<T extends { id: string }>(
  em: EntityManager,
  entity: EntityClass<T>,
  id: string,
  noun: string,
  { field = `${noun}Id`, where = {} }: { field?: string; where?: object } = {},
): Promise<T> {
  const wanted = { ...where, id } as FilterQuery<T>;
  const row = isId(id) ? await em.findOne(entity, wanted, { lockMode: LockMode.PESSIMISTIC_WRITE }) : null;
  if (!row) throw new Refusal('NOT_FOUND', `There is no such ${noun}.`, field);
  return row as T;
}
