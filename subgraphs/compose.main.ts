import 'reflect-metadata';
import { writeSchema } from './compose.ts';

await writeSchema().catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
