import type { Context } from './context.ts';

/** The longest a timer can run, milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Answers what `run` does in a context, or `late()` as soon as the deadline of its envelope passes or `signal` says that
 * whoever asked went away. Then everything it still does in the database is stopped.
 */
export async function inTime<T>(
  ctx: Context,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
  late: () => T,
): Promise<T> {
  const { promise: left, resolve } = Promise.withResolvers<T>();
  const leave = () => {
    ctx.cancel();
    resolve(late());
  };
  const timer = setTimeout(leave, Math.min(LONGEST_TIMER_MS, ctx.envelope.deadline - Date.now()));
  signal?.addEventListener('abort', leave);
  try {
    if (signal?.aborted) return late();
    const answer = run();
    answer.catch(() => undefined); // nobody hears what comes of it after it was left
    return await Promise.race([answer, left]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', leave);
  }
}
