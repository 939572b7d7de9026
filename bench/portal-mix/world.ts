import { seedId } from '../../subgraphs/_kernel/seed-world.ts';
import { withClient } from '../../tests/setup/database.ts';

export const NORTHWIND = seedId('0a02');
const DOMAINS = ['billing', 'crm', 'network', 'tickets'];
/** A provider a thousand times as large sells the same plans. */
const CATALOGUES = ['network.service_plan'];

interface Column {
  name: string;
  type: string;
  isSet: boolean;
}

interface Table {
  name: string;
  columns: Column[];
  /** Columns with ids that may not be there twice. */
  ids: string[];
  /** Columns of text that make its rows different from each other in the tenant, so that copies need their own. */
  named: string[];
  /** Which rows there may be several of: not those that belong to the tenant as a whole. */
  where: string;
}

/**
 * Makes a tenant of the example world `times` as large: copies its rows with ids of their own, each copy pointing at
 * itself as the first does. No triggers run; what is there is as if it had been written over years.
 * @param first number of its copies; one beyond those of the time before, where a tenant is enlarged again.
 */
export async function enlarge(databaseUrl: string, tenantId: string, times: number, first = 1): Promise<void> {
  const numbers = `generate_series(${first}, ${first + times - 2})`;
  await withClient(databaseUrl, async (client) => {
    await client.query('set session_replication_role = replica');
    const tables = await tablesOf(async (text, values) => (await client.query(text, values)).rows);
    await client.query('create temporary table copied (id uuid primary key)');
    for (const { name, ids, where } of tables)
      for (const id of ids)
        await client.query(
          `insert into copied select ${quoted(id)} from ${name} t where tenant_id = $1${where} and ${quoted(id)} is not null
           on conflict do nothing`,
          [tenantId],
        );
    await client.query(`create temporary table copy as
      select c.id, n, md5(c.id::text || n)::uuid as copy from copied c cross join ${numbers} n;
      alter table copy add primary key (id, n); analyze copy`);
    for (const { name, columns, named, where } of tables) {
      const joins: string[] = [];
      const values = columns.map(({ name: column, type }, i) => {
        if (named.includes(column)) return `t.${quoted(column)} || '-' || g.n`;
        if (type !== 'uuid' || column === 'tenant_id') return `t.${quoted(column)}`;
        joins.push(`left join copy c${i} on c${i}.id = t.${quoted(column)} and c${i}.n = g.n`);
        return `coalesce(c${i}.copy, t.${quoted(column)})`;
      });
      await client.query(
        `insert into ${name} (${columns.map((column) => quoted(column.name)).join(', ')})
         select ${values.join(', ')}
           from ${name} t cross join ${numbers} as g(n) ${joins.join(' ')} where t.tenant_id = $1${where}`,
        [tenantId],
      );
      await client.query(`analyze ${name}`);
    }
  });
}

const quoted = (name: string) => `"${name}"`;

async function tablesOf(ask: (text: string, values?: unknown[]) => Promise<object[]>): Promise<Table[]> {
  const tables = await ask(
    `select format('%I.%I', n.nspname, r.relname) as name, c.columns,
            (select coalesce(json_agg(json_build_object('attnums', i.indkey::int2[], 'isOnce', i.indnullsnotdistinct)), '[]')
               from pg_index i where i.indrelid = r.oid and i.indisunique) as keys
       from pg_class r join pg_namespace n on n.oid = r.relnamespace,
            lateral (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
                                                       'isSet', a.attnotnull, 'attnum', a.attnum) order by a.attnum) as columns
                       from pg_attribute a
                      where a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') c
      where r.relkind = 'r' and n.nspname = any ($1)
        and exists (select from pg_attribute a where a.attrelid = r.oid and a.attname = 'tenant_id')`,
    [DOMAINS],
  );
  type Told = Pick<Table, 'name'> & {
    columns: (Column & { attnum: number })[];
    keys: { attnums: number[]; isOnce: boolean }[];
  };
  const many = (tables as Told[]).filter(({ name }) => !CATALOGUES.includes(name));
  return many.map(({ name, columns, keys }) => {
    const isId = ({ name: column, type }: Column) => type === 'uuid' && column !== 'tenant_id';
    const known = keys.map(({ attnums, isOnce }) => ({
      isOnce,
      columns: columns.filter(({ attnum }) => attnums.includes(attnum)),
    }));
    const once = known.filter(({ isOnce }) => isOnce).flatMap((key) => key.columns.filter(isId));
    return {
      name,
      columns,
      ids: [...new Set(known.flatMap((key) => key.columns.filter(isId).map((column) => column.name)))],
      // A key with an id in it is another one already.
      named: known
        .filter((key) => !key.columns.some(isId))
        .flatMap((key) => key.columns.filter(({ type }) => type === 'text').slice(-1))
        .map((column) => column.name),
      where: once.map((column) => ` and t.${quoted(column.name)} is not null`).join(''),
    };
  });
}
