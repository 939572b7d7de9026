import pg from 'pg';
import type { Config } from './_kernel/config.ts';
import { roleUrl } from './_kernel/db.ts';
import { seedWorld } from './_kernel/seed-world.ts';
import type { RunningSubgraph } from './_kernel/subgraph.ts';

export type WorldState = 'NONE' | 'HALF' | 'BUILT';

async function asOwner<T>(config: Config, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: roleUrl(config, 'dotmac_migrator') });
  await client.connect();
  try {
    await client.query('set role dotmac_owner');
    return await run(client);
  } finally {
    await client.end();
  }
}

/** Whether the example world stands in the configured database. HALF: a start was cut short while it was built. */
export function worldState(config: Config): Promise<WorldState> {
  return asOwner(config, async (client) => {
    const { rows } = await client.query('select finished_at from kernel.example_world');
    if (rows.length === 0) return 'NONE';
    return rows[0].finished_at ? 'BUILT' : 'HALF';
  });
}

/** Builds the example world: every domain's part, in the order of `subgraphs/index.ts`. Only in a database without one. */
export async function buildWorld(
  config: Config,
  subgraphs: readonly RunningSubgraph[],
  password: string,
): Promise<void> {
  await asOwner(config, (client) => client.query('insert into kernel.example_world default values'));
  for (const { machinery, subgraph } of subgraphs) await subgraph.definition.seed?.(seedWorld(machinery, password));
  if (config.NODE_ENV !== 'test')
    for (const { machinery, subgraph } of subgraphs)
      await subgraph.definition.seedLast?.(seedWorld(machinery, password));
  await asOwner(config, (client) => client.query('update kernel.example_world set finished_at = now()'));
}
