import { UniqueConstraintViolationException } from '@mikro-orm/postgresql';
import { Refusal } from '../../../schema/errors.ts';
import type { EntityManager } from '../../_kernel/db.ts';

/** By the name of a unique constraint: what to say when a row with the same value is there already, and of which field. */
export type Conflicts = Record<string, readonly [sentence: string, field: string]>;

/** Saves what is new; the database decides what is unique, and its no becomes a CONFLICT. */
export async function saveUnique(em: EntityManager, conflicts: Conflicts): Promise<void> {
  try {
    await em.flush();
  } catch (error) {
    const { constraint } = error as { constraint?: string };
    const known = error instanceof UniqueConstraintViolationException ? conflicts[constraint ?? ''] : undefined;
    if (!known) throw error;
    throw new Refusal('CONFLICT', ...known);
  }
}
