import { isId } from '../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../schema/page.ts';
import type { Context } from './context.ts';
import type { EntityManager } from './db.ts';
import { defineLoader, type Loader } from './loader.ts';

/** Which page of a list that hangs on one row is wanted, with whatever else its field was given. */
interface Wanted<A> {
  id: string;
  page: Pick<PageArgs, 'first' | 'after'>;
  args: A;
}

/** Reads the same page of many rows' lists in one statement: pairs of a row's id and a node, `first + 1` of each. */
type ReadPages<A, T> = (
  em: EntityManager,
  ids: string[],
  page: Wanted<A>['page'],
  args: A,
) => Promise<(readonly [string, T])[]>;

/** A read of lists that hang on rows, for `loadPage`; `keyOf` is what stands in the cursor of a node. */
export function definePageLoader<A, T>(
  name: string,
  read: ReadPages<A, T>,
  keyOf: (node: T) => readonly (string | number)[],
): Loader<Connection<T>> {
  return defineLoader(name, async (em, keys) => {
    const wanted = keys.map((key) => ({ key, ...(JSON.parse(key) as Wanted<A>) })).filter(({ id }) => isId(id));
    const answers: [string, Connection<T>][] = [];
    for (const alike of Map.groupBy(wanted, ({ page, args }) => JSON.stringify([page, args])).values()) {
      const { page, args } = alike[0] as Wanted<A>;
      const ids = alike.map(({ id }) => id);
      const rows = Map.groupBy(await read(em, ids, page, args), ([id]) => id);
      for (const { key, id } of alike) {
        const nodes = (rows.get(id.toLowerCase()) ?? []).map(([, node]) => node);
        answers.push([key, connect(nodes, page as PageArgs, keyOf)]);
      }
    }
    return answers;
  });
}

/** A page of the list that hangs on one row; the caller has checked its size. Empty for what is no id. */
export async function loadPage<A, T>(
  ctx: Context,
  loader: Loader<Connection<T>>,
  id: string,
  { first, after }: PageArgs,
  args: A,
): Promise<Connection<T>> {
  const wanted: Wanted<A> = { id, page: { first, after: after ?? null }, args };
  return (await ctx.load(loader, JSON.stringify(wanted))) ?? connect<T>([], { first, after }, () => []);
}
