/**
 * Lets Node run this repository's TypeScript as it stands: `node --import ./run.mjs gateway/index.ts`.
 * Node's own type stripping cannot emit the decorators that type-graphql and MikroORM read, so SWC does it, with the
 * options of `.swcrc` that Jest uses too.
 */
import { register } from 'node:module';

process.setSourceMapsEnabled(true);
register('./run.hooks.mjs', import.meta.url);
