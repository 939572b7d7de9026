import type { Config } from './_kernel/config.ts';
import { reactionsOf } from './_kernel/jobs.ts';
import { migrate as migrateSources, writeReactions } from './_kernel/migrations.ts';
import { SUBGRAPHS } from './index.ts';

/** Brings the configured database up to this version of every subgraph. */
export async function migrate(config: Config): Promise<{ applied: string[] }> {
  const sources = ['kernel', ...SUBGRAPHS.map(({ name }) => name)].map((name) => ({
    name,
    dir: new URL(`./${name === 'kernel' ? '_kernel' : name}/migrations/`, import.meta.url),
  }));
  const result = await migrateSources(config, sources);
  await writeReactions(config, SUBGRAPHS.flatMap(reactionsOf));
  return result;
}
