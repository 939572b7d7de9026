import type { EntityManager } from './db.ts';

/**
 * The next number of a series, `T-000001`. Its row stays locked until the transaction ends, so a rollback burns none:
 * draw it late.
 */
export async function nextNumber(em: EntityManager, series: string, prefix: string): Promise<string> {
  const [row] = await em.execute(
    `insert into kernel.number_series (series, last) values (?, 1)
     on conflict (tenant_id, series) do update set last = kernel.number_series.last + 1 returning last`,
    [series],
  );
  return `${prefix}-${String(row?.last).padStart(6, '0')}`;
}
