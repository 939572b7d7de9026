import { ClientError } from '../../schema/errors.ts';

const overloaded = () => new ClientError('OVERLOADED', 'Too much is going on at once. Please try again.');

/**
 * Runs at most `width` pieces of work at once and lets `waiting` more queue for `patienceMs`; whoever comes beyond
 * that, or waits longer, gets OVERLOADED. Keeps costly work from filling threads and pools others need.
 */
export function lanes(width: number, waiting: number, patienceMs: number): <T>(work: () => Promise<T>) => Promise<T> {
  const queue: (() => void)[] = [];
  let running = 0;

  const turn = () =>
    new Promise<void>((resolve, reject) => {
      if (queue.length >= waiting) return reject(overloaded());
      const go = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        queue.splice(queue.indexOf(go), 1);
        reject(overloaded());
      }, patienceMs);
      queue.push(go);
    });

  return async (work) => {
    if (running < width) running += 1;
    else await turn(); // whoever leaves hands over the place
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
