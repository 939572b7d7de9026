import 'reflect-metadata';
import { readConfig } from './_kernel/config.ts';
import { devSecrets } from './_kernel/dev-secrets.ts';
import { migrate } from './migrate.ts';

/** `npm run migrate`: brings the database at DATABASE_URL up to this version. */
try {
  const isProduction = (process.env.NODE_ENV ?? 'production') === 'production';
  const config = readConfig(process.env, isProduction ? {} : devSecrets(process.env.DATA_DIR || '.data'));
  if (!config.DATABASE_URL) throw new Error('DATABASE_URL is missing.');
  const { applied } = await migrate(config);
  console.log(applied.length > 0 ? `Applied ${applied.join(', ')}.` : 'The database is up to date.');
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
