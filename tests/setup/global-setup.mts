/**
 * Gives all tests one PostgreSQL: that of TEST_DATABASE_URL, or a throwaway that is gone with this process.
 * It is .mts because Jest would load a .ts as CommonJS; everything with decorators comes in after the hooks of `run.mjs`.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '../../run.mjs';
import type { EmbeddedDatabase } from '../../subgraphs/_kernel/embedded-postgres.ts';

declare global {
  /** What global-teardown.mts has to end; Jest shares nothing else between the two. */
  var testDatabase: EmbeddedDatabase | undefined;
}

export default async function setUp(): Promise<void> {
  try {
    process.env.TEST_DATABASE_URL ||= await startThrowaway();
    const prepare = new URL('database.ts', import.meta.url);
    if (!existsSync(prepare)) return;
    const { prepareTestDatabase } = await import(prepare.href);
    await prepareTestDatabase(process.env.TEST_DATABASE_URL);
  } catch (error) {
    await globalThis.testDatabase?.stop();
    const { printLast } = await import('./reporter.ts');
    printLast('0 passed, 1 failed');
    throw error;
  }
}

async function startThrowaway(): Promise<string> {
  const { startEmbeddedPostgres } = await import('../../subgraphs/_kernel/embedded-postgres.ts');
  const dir = join(tmpdir(), `dotmac-test-${randomUUID()}`);
  globalThis.testDatabase = await startEmbeddedPostgres({ dir, isThrowaway: true });
  return globalThis.testDatabase.url;
}
