import { readdirSync, readFileSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';

/** How far they stand back: with as many who want a processor as there are, they get a third of what the others get. */
export const NICENESS = 5;
const MOST = constants.priority.PRIORITY_LOW;

/** The threads of this process, where the system tells of them. */
const THREADS = '/proc/self/task';

let isDone = false;

/**
 * Lets the threads that work beside the event loop stand back for it, and for other processes. Call it when they have been
 * given work, for they come with the first. Only Linux gives threads priorities of their own; elsewhere nothing happens.
 */
export function standBack(): void {
  if (isDone) return;
  isDone = true;
  try {
    for (const id of backgroundThreads()) setPriority(id, Math.min(getPriority() + NICENESS, MOST));
  } catch {
    // it works without
  }
}

/** Ids of the threads libuv works with. */
export const backgroundThreads = (): number[] =>
  readdirSync(THREADS)
    .filter((id) => readFileSync(`${THREADS}/${id}/comm`, 'utf8').startsWith('libuv-worker'))
    .map(Number);
