import type { Config } from './_kernel/config.ts';
import { reactionsOf } from './_kernel/jobs.ts';
import { type MigrationSource, migrate as migrateSources, writeReactions } from './_kernel/migrations.ts';
import { SUBGRAPHS } from './index.ts';

const SOURCES: readonly MigrationSource[] = [{ name: 'kernel', isAtHome: false }, ...SUBGRAPHS].map(
  ({ name, isAtHome }) => ({
    name,
    dir: new URL(`./${name === 'kernel' ? '_kernel' : name}/migrations/`, import.meta.url),
    isAtHome,
  }),
);

/** Brings the configured database up to this version of every subgraph. */
export async function migrate(config: Config): Promise<{ applied: string[] }> {
  const result = await migrateSources(config, SOURCES);
  await writeReactions(config, SUBGRAPHS.flatMap(reactionsOf));
  return result;
}
