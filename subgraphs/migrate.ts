import type { Config } from './_kernel/config.ts';
import { homesToMigrate, migrateHome } from './_kernel/home-databases.ts';
import { isGone } from './_kernel/homes.ts';
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

/** Brings the control plane's database up to this version of every subgraph, and then the homes of single tenants. */
export async function migrateAll(config: Config): Promise<{ applied: string[] }> {
  const result = await migrate(config);
  for (const home of await homesToMigrate(config))
    await migrateHome(config, home, migrate).catch((error: Error) => {
      if (isGone(error)) return; // its tenant is being deleted
      throw new Error(`The home ${home} could not be brought up to this version: ${error.message}`, { cause: error });
    });
  return result;
}

/** Brings one database up to this version. */
export async function migrate(config: Config): Promise<{ applied: string[] }> {
  const result = await migrateSources(config, SOURCES);
  await writeReactions(config, SUBGRAPHS.flatMap(reactionsOf));
  return result;
}
