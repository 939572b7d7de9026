import { ClientError } from '../../schema/errors.ts';

/** Runs a piece of work when its turn comes. */
export interface Lanes {
  <T>(work: () => Promise<T>): Promise<T>;
  /** Throws OVERLOADED when whoever came now would be turned away: for those who have much to do before. */
  refuseIfFull(): void;
}

const overloaded = () => new ClientError('OVERLOADED', 'Too much is going on at once. Please try again.');

/**
 * Runs at most `width` pieces of work at once and lets `waiting` more queue for `patienceMs`; whoever comes beyond
 * that, or waits longer, gets OVERLOADED. Keeps costly work from filling threads and pools others need.
 */
export function lanes(width: number, waiting: number, patienceMs: number): Lanes {
  const queue: (() => void)[] = [];
  let running = 0;
  const isFull = () => queue.length >= waiting;

  const turn = () =>
    new Promise<void>((resolve, reject) => {
      if (isFull()) return reject(overloaded());
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

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
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
  return Object.assign(inTurn, {
    refuseIfFull() {
      if (isFull()) throw overloaded();
    },
  });
}
