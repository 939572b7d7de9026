import { overloaded } from '../../schema/errors.ts';

/** Runs a piece of work when its turn comes. */
export interface Lanes {
  <T>(work: () => Promise<T>): Promise<T>;
  /** A place in the queue for who has something to do before their work; undefined when none is left. */
  reserve(): Reserved | undefined;
}

/** A place in the queue, which counts as taken until it is used or given back. */
export interface Reserved {
  /** Uses it: runs a piece of work when its turn comes. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Gives it back; harmless when it was used. */
  giveBack(): void;
}

/** The share of their patience after which those who are let in should have their turn: some work takes longer than most. */
const IN_TIME = 0.75;
/** How much the last piece of work says of how long the next will take. */
const LEARNING = 0.1;

/**
 * Runs at most `width` pieces of work at once and lets others queue: at most `waiting`, and no more than are likely to have
 * their turn within `patienceMs`. Whoever comes beyond that gets OVERLOADED at once, and so does, when it is over, whoever
 * has waited that long all the same. Keeps costly work from filling threads and pools others need.
 */
export function lanes(width: number, waiting: number, patienceMs: number): Lanes {
  const queue: (() => void)[] = [];
  let reserved = 0;
  let running = 0;
  /** How long a piece of work takes, milliseconds; 0 before anything is known. */
  let typicalMs = 0;
  const longest = () => Math.min(waiting, Math.max(1, Math.floor((IN_TIME * patienceMs * width) / typicalMs)));
  const isFull = () => queue.length + reserved >= longest();

  const turn = () =>
    new Promise<void>((resolve, reject) => {
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
    if (running >= width && isFull()) throw overloaded();
    if (running < width) running += 1;
    else await turn(); // whoever leaves hands over the place
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      typicalMs += (performance.now() - startedAt - typicalMs) * LEARNING;
      const next = queue.shift();
      if (next) next();
      else running -= 1;
    }
  };

  return Object.assign(inTurn, {
    reserve(): Reserved | undefined {
      if (isFull()) return undefined;
      reserved += 1;
      let isHeld = true;
      const giveBack = () => {
        if (isHeld) reserved -= 1;
        isHeld = false;
      };
      return {
        run(work) {
          giveBack();
          return inTurn(work);
        },
        giveBack,
      };
    },
  });
}
