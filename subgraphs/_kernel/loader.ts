import DataLoader from 'dataloader';
import type { Context } from './context.ts';
import type { EntityManager } from './db.ts';

/** Ids asked for in one statement at most. */
const MAX_BATCH = 1_000;

export interface Loader<V> {
  readonly name: string;
  readonly batch: (em: EntityManager, ids: readonly string[], ctx: Context) => Promise<Iterable<readonly [string, V]>>;
}

/**
 * A read that many fields of one request ask for one id at a time and the database answers in one statement.
 * `batch` returns pairs of id and value; an id it leaves out is null, whether unknown or another tenant's.
 */
export function defineLoader<V>(name: string, batch: Loader<V>['batch']): Loader<V> {
  return { name, batch };
}

/** The loaders of one request; dropped after a write, so that nobody reads what was. */
export class Loaders {
  private readonly held = new Map<Loader<unknown>, DataLoader<string, unknown>>();
  private readonly ctx: Context;

  constructor(ctx: Context) {
    this.ctx = ctx;
  }

  load<V>(loader: Loader<V>, id: string): Promise<V | null> {
    let held = this.held.get(loader as Loader<unknown>);
    if (!held) {
      held = new DataLoader<string, unknown>(
        async (ids) => {
          const found = new Map(await loader.batch(await this.ctx.em(), ids, this.ctx));
          return ids.map((wanted) => found.get(wanted) ?? null);
        },
        { maxBatchSize: MAX_BATCH },
      );
      this.held.set(loader as Loader<unknown>, held);
    }
    return held.load(id) as Promise<V | null>;
  }

  clear(): void {
    this.held.clear();
  }
}
