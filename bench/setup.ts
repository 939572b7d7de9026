import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../subgraphs/_kernel/embedded-postgres.ts';
import { prepareTestDatabase } from '../tests/setup/database.ts';

/** Runs a bench over a PostgreSQL of its own that holds the example world. */
export async function withDatabase<T>(run: () => Promise<T>): Promise<T> {
  const dir = mkdtempSync(join(tmpdir(), 'dotmac-bench-'));
  const database = await startEmbeddedPostgres({ dir, isThrowaway: true });
  try {
    process.env.TEST_DATABASE_URL = database.url;
    await prepareTestDatabase(database.url);
    return await run();
  } finally {
    await database.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The value below which a share of the sorted measurements lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]) => percentile(values, 0.5);

/** The number of an option like `--homes=20`, or what it is by default. */
export function option(name: string, otherwise: number): number {
  const asked = process.argv.find((argument) => argument.startsWith(`--${name}=`));
  if (!asked) return otherwise;
  const value = Number(asked.slice(name.length + 3));
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} takes a whole number of at least 1.`);
  return value;
}

export interface Result {
  what: string;
  figure: string;
  bound: string;
  holds: boolean;
}
