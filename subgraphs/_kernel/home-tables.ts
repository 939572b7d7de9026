import type pg from 'pg';

/** A table whose rows move with their tenant. */
export interface MovableTable {
  /** Quoted, with its schema. */
  name: string;
  /** As changed rows are noted under it. */
  title: string;
  /** Columns of the primary key with their types, the tenant first. */
  key: readonly { name: string; type: string }[];
  /** Columns that are written, quoted. */
  columns: readonly string[];
  /** The kernel's: rows of the control plane's own domains stand beside those that move. */
  isShared: boolean;
}

/** Rows copied in one statement. */
export const PAGE = 5_000;

/** What moves with a tenant, as `kernel.make_movable` has marked it. */
export async function movableTables(client: pg.Client): Promise<MovableTable[]> {
  const { rows } = await client.query(`
    select format('%I.%I', n.nspname, c.relname) as name, n.nspname || '.' || c.relname as title,
           n.nspname = 'kernel' and c.relname <> 'number_series' as "isShared",
           (select jsonb_agg(jsonb_build_object('name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod)) order by k.place)
              from pg_index i cross join unnest(i.indkey) with ordinality k (attnum, place)
              join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
             where i.indrelid = c.oid and i.indisprimary) as key,
           (select array_agg(quote_ident(a.attname) order by a.attnum) from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'follow') order by 2`);
  return rows;
}

const keyOf = ({ key }: MovableTable) => key.map(({ name }) => name).join(', ');
/** The columns of the key behind the tenant, which is the same in all rows. */
const restOf = ({ key }: MovableTable) => key.slice(1);

/** A page of a tenant's rows as text, in the order of their key, and the key of the last one. */
export async function readPage(
  source: pg.Client,
  table: MovableTable,
  tenantId: string,
  after: readonly string[] | undefined,
): Promise<{ rows: string[]; last: readonly string[] | undefined }> {
  const rest = restOf(table);
  const names = rest.map(({ name }) => name).join(', ');
  const behind =
    after && rest.length > 0
      ? `and (${names}) > (${rest.map(({ type }, i) => `$${i + 2}::text::${type}`).join(', ')})`
      : '';
  const { rows } = await source.query(
    `select t::text as row, array[${rest.map(({ name }) => `${name}::text`).join(', ')}]::text[] as key
       from ${table.name} t where tenant_id = $1 ${behind} order by ${keyOf(table)} limit ${PAGE}`,
    [tenantId, ...(behind ? (after ?? []) : [])],
  );
  return {
    rows: rows.map(({ row }) => row),
    last: rows.length === PAGE && rest.length > 0 ? rows.at(-1).key : undefined,
  };
}

/** Writes rows that were read as text. One whose place is taken changes yet, and comes when changes are followed. */
export async function writeRows(target: pg.Client, table: MovableTable, rows: readonly string[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = table.columns.join(', ');
  await target.query(
    `insert into ${table.name} (${columns}) overriding system value
     select ${columns} from unnest($1::${table.name}[]) on conflict do nothing`,
    [rows],
  );
}

/** The rows of a table by their keys, as they are in the transaction of `source`. */
export async function readRows(source: pg.Client, table: MovableTable, keys: readonly unknown[]): Promise<string[]> {
  const { rows } = await source.query(`select t::text as row from ${table.name} t where ${isAmong(table)}`, [
    JSON.stringify(keys),
  ]);
  return rows.map(({ row }) => row);
}

export async function deleteRows(target: pg.Client, table: MovableTable, keys: readonly unknown[]): Promise<void> {
  await target.query(`delete from ${table.name} t where ${isAmong(table)}`, [JSON.stringify(keys)]);
}

const isAmong = (table: MovableTable) =>
  `(${keyOf(table)}) in (select ${table.key.map(({ type }, i) => `(k ->> ${i})::${type}`).join(', ')} from jsonb_array_elements($1::jsonb) k)`;

/** Deletes a tenant's rows of a table, a page at a time. */
export async function deleteAll(client: pg.Client, table: MovableTable, tenantId: string): Promise<number> {
  for (let deleted = 0; ; ) {
    const { rowCount } = await client.query(
      `delete from ${table.name} where ctid = any(array(select ctid from ${table.name} where tenant_id = $1 limit ${PAGE}))`,
      [tenantId],
    );
    deleted += rowCount ?? 0;
    if ((rowCount ?? 0) < PAGE) return deleted;
  }
}

/** How many rows a tenant has in a table, and a sum over their contents that hangs on no order. */
export async function sumOf(client: pg.Client, table: MovableTable, tenantId: string): Promise<string> {
  const { rows } = await client.query(
    `select count(*) || ' rows, sum ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) as sum
       from ${table.name} t where tenant_id = $1`,
    [tenantId],
  );
  return rows[0].sum;
}
