import type { Events } from '../../schema/events.ts';
import type { Context } from './context.ts';
import type { EntityManager } from './db.ts';
import { emit } from './events.ts';
import { writeFile } from './files.ts';
import { CONTROL } from './homes.ts';
import { hears, type SubgraphDefinition } from './subgraph.ts';

/** Domains that answer when tenancy asks for what they hold of a tenant, or tells them to delete it. */
export const DOMAINS = ['licensing', 'identity', 'billing', 'network', 'crm', 'tickets'] as const;
export type Domain = (typeof DOMAINS)[number];
export const isDomain = (name: string): name is Domain => (DOMAINS as readonly string[]).includes(name);

export type ExportedFile = Events['billing.export.completed']['files'][number];

/** Rows written to a file at once. */
const PAGE = 2_000;
/** One statement deletes what a domain holds of a tenant: it may take this long, milliseconds. */
const PURGE_MS = 1_800_000;

/**
 * Adds to a domain the two subscribers by which it leaves with a tenant: one writes its tables into files, the other
 * deletes their rows. They need no word of the domain: what is a tenant's is known to the database.
 */
export function withDeparture(definition: SubgraphDefinition): SubgraphDefinition {
  const { name } = definition;
  if (!isDomain(name)) return definition;
  return {
    ...definition,
    subscribers: {
      ...definition.subscribers,
      answerExport: hears('tenancy.export.requested', (ctx, { payload }) => answerExport(ctx, name, payload.exportId), {
        isAlwaysOn: true,
      }),
      answerPurge: hears('tenancy.purge.requested', (ctx, { payload }) => answerPurge(ctx, name, payload.purgeId), {
        isAlwaysOn: true,
      }),
    },
  };
}

function answerExport(ctx: Context, domain: Domain, exportId: string): Promise<void> {
  return ctx.tx(async (em) => {
    emit(em, `${domain}.export.completed`, { exportId, files: await exportTables(ctx, em, domain, exportId) });
  });
}

async function answerPurge(ctx: Context, domain: Domain, purgeId: string): Promise<void> {
  const { homes, copies } = ctx.machinery;
  const { home } = await homes.placeOf(ctx.tenantId);
  if (home !== CONTROL) await copies.push(ctx.tenantId, home); // it deletes only where it is known that it may
  return ctx.tx(async (em) => {
    emit(em, `${domain}.purge.completed`, { purgeId, counts: await purgeTables(em, domain) });
  });
}

/** Where the files of an export lie. */
export const exportFolder = (exportId: string) => `exports/${exportId}`;

/** Writes what the tenant has in a schema as JSON lines, a file for each table that has rows, without what is secret. */
export async function exportTables(
  ctx: Context,
  em: EntityManager,
  schema: string,
  exportId: string,
): Promise<ExportedFile[]> {
  const tables = await em.execute(
    'select table_name, rows_of_tenant from kernel.tables_of_tenant() where schema_name = ? and is_exported order by 1',
    [schema],
  );
  const files: ExportedFile[] = [];
  for (const { table_name, rows_of_tenant } of tables) {
    const file = await exportTable(ctx, em, { exportId, table: table_name, where: rows_of_tenant });
    if (file) files.push(file);
  }
  return files;
}

/** Columns that no export holds: what proves or opens something, sealed or hashed. */
const SECRET = '(^|_)(secret|sealed|password|token|hash|mac)(_|$)';

/** A cursor reads page after page of one state of the table, however long it is. Null where there is no row. */
async function exportTable(
  ctx: Context,
  em: EntityManager,
  { exportId, table, where }: { exportId: string; table: string; where: string },
): Promise<ExportedFile | null> {
  const [found] = await em.execute(
    `select coalesce(array_agg(attname::text), '{}') as secret from pg_attribute
      where attrelid = ?::regclass and attnum > 0 and not attisdropped and attname ~ ?`,
    [table, SECRET],
  );
  const plainName = table.replaceAll('"', '');
  const file = await writeFile(ctx, `${exportFolder(exportId)}/${plainName}.jsonl`);
  try {
    await em.execute(
      `declare leaving no scroll cursor for select (to_jsonb(t) - ?::text[])::text as line from ${table} t where ${where}`,
      [`{${found?.secret.join(',')}}`],
    );
    let rows = 0;
    for (;;) {
      const page = await em.execute(`fetch ${PAGE} from leaving`);
      if (page.length === 0) break;
      rows += page.length;
      await file.write(page.map(({ line }) => `${line}\n`).join(''));
    }
    await em.execute('close leaving');
    if (rows === 0) return null;
    const { name, bytes, sha256 } = await file.keep();
    return { fileId: name, noun: plainName.split('.')[1] as string, rows, bytes, sha256 };
  } finally {
    await file.discard();
  }
}

/** Deletes what the tenant has in a schema; answers how many rows of each noun went. */
export async function purgeTables(em: EntityManager, schema: string): Promise<Record<string, number>> {
  await em.execute("select set_config('statement_timeout', ?, true)", [String(PURGE_MS)]);
  const [row] = await em.execute('select kernel.purge(?) as counts', [schema]);
  return Object.fromEntries(
    Object.entries(row?.counts as Record<string, number>).map(([table, rows]) => [table.split('.')[1] as string, rows]),
  );
}
