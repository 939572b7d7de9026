import 'reflect-metadata';
import { writeReleased, writeSchema } from './compose.ts';

/** `npm run compose`; with `-- --release` instead, what clients may rely on from now on. */
await (process.argv.includes('--release') ? writeReleased() : writeSchema()).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
