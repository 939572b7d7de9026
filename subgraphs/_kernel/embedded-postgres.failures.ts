/** The sentences with which the embedded database says that it did not start. */
import { join } from 'node:path';
import { StartFailure } from './embedded-postgres.ts';

export const inUse = (dir: string, by = 'another process') =>
  new StartFailure(
    'DATA_DIR_IN_USE',
    `The database in ${dir} is in use by ${by}: stop that first, or set another DATA_DIR.`,
  );

export const unreadable = (path: string) =>
  new StartFailure('DATA_DIR_UNREADABLE', `The account that runs the database may not read and write ${path}.`);

export const foreign = (path: string, why: string) =>
  new StartFailure('DATA_DIR_FOREIGN', `${path} ${why}: move it elsewhere, or set another DATA_DIR.`);

export const wrongVersion = (path: string, found: string, ours: string) =>
  new StartFailure(
    'DATA_DIR_WRONG_VERSION',
    `The data in ${path} is of PostgreSQL ${found}, but this release runs PostgreSQL ${ours}: ` +
      'carry it over with pg_dump and pg_restore, or set another DATA_DIR.',
  );

export const passwordWrong = (dir: string) =>
  new StartFailure(
    'DATABASE_PASSWORD_WRONG',
    `The file ${join(dir, 'postgres-password')} does not hold the password of the database beside it: bring the right one back.`,
  );

export const notStarted = (reason: string) =>
  new StartFailure('DATABASE_START_FAILED', `PostgreSQL did not start: ${reason.trim().replace(/\.$/, '')}.`);

/** What went wrong in a step that has no sentence of its own. */
export function asStartFailure(error: unknown, dir: string): StartFailure {
  if (error instanceof StartFailure) return error;
  const { code = '', message, path = dir } = error as NodeJS.ErrnoException;
  const isBarred = ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code);
  return isBarred ? unreadable(path) : notStarted(message);
}

/** The last complaint in what a program of PostgreSQL printed, without its time and severity. */
export function lastComplaint(output: string): string {
  const lines = output.trim().split('\n');
  const line = lines.findLast((one) => /FATAL|PANIC|ERROR|error/.test(one)) ?? lines.at(-1);
  return line?.replace(/^.*?\b(FATAL|PANIC|ERROR|error): +/, '') || 'it gave no reason';
}
