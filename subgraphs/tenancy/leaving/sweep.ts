import type { Context } from '../../_kernel/context.ts';

/** Runs a use case in one tenant after the other. One's failure is its own; the first is thrown when all are done. */
export async function inEach(
  ctx: Context,
  rows: readonly { tenant_id?: string }[],
  run: (own: Context) => Promise<unknown>,
): Promise<void> {
  const failures: unknown[] = [];
  for (const { tenant_id } of rows) await run(ctx.inTenant(tenant_id as string)).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
