import 'reflect-metadata';
import { readConfig } from './_kernel/config.ts';
import { devSecrets } from './_kernel/dev-secrets.ts';
import { createLog } from './_kernel/telemetry.ts';
import { migrateAll } from './migrate.ts';
import { buildWorld, worldState } from './seed.ts';
import { serve } from './serve.ts';

/** `npm run migrate`: brings the database at DATABASE_URL, and the homes of single tenants, up to this version; `-- --example-world` fills an empty one. */
try {
  const isProduction = (process.env.NODE_ENV ?? 'production') === 'production';
  const config = readConfig(process.env, isProduction ? {} : devSecrets(process.env.DATA_DIR || '.data'));
  if (!config.DATABASE_URL) throw new Error('DATABASE_URL is missing.');
  const { applied } = await migrateAll(config);
  console.log(applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'The database is up to date.');
  if (process.argv.includes('--example-world')) {
    if (!config.SEED_PASSWORD)
      throw new Error('The example world is made in development and test only, and needs SEED_PASSWORD.');
    if ((await worldState(config)) === 'NONE') {
      const serving = await serve(config, createLog(config, 'migrate'));
      await buildWorld(config, serving.subgraphs, config.SEED_PASSWORD);
      await serving.stop();
      console.log('The example world is built.');
    }
  }
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
