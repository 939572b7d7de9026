import { Pacing } from '../../gateway/pacing.ts';

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

function work(milliseconds: number): void {
  for (const until = performance.now() + milliseconds; performance.now() < until; );
}

/** Runs operations of a few steps, all asked for at once; in which order they began, and how many were on their way. */
async function run(pacing: Pacing, count: number, step: () => Promise<unknown>) {
  const order: number[] = [];
  const underWay: number[] = [];
  let running = 0;
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const turn = await pacing.enter();
      order.push(i);
      underWay.push(++running);
      for (let steps = 0; steps < 5; steps++) await step();
      running--;
      turn.end();
    }),
  );
  return { order, underWay };
}

test('A gateway that waits for its subgraphs begins everything at once', async () => {
  const pacing = new Pacing();
  const { underWay } = await run(pacing, 300, () => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(Math.max(...underWay)).toBe(300);
  pacing.close();
});

test('A gateway with more to do than it can finishes what it began before it begins more, in the order it was asked', async () => {
  const pacing = new Pacing();
  const busy = () => {
    work(1);
    return turnOfTheLoop();
  };
  await run(pacing, 150, busy);
  const { order, underWay } = await run(pacing, 150, busy);
  expect(order).toEqual(Array.from({ length: 150 }, (_, i) => i));
  expect(Math.max(...underWay.slice(-50))).toBeLessThanOrEqual(60);
  expect(underWay.length).toBe(150);
  await new Promise((resolve) => setTimeout(resolve, 2_000)); // and once it is idle again, all may begin at once
  const { underWay: later } = await run(pacing, 100, () => new Promise((resolve) => setTimeout(resolve, 20)));
  expect(Math.max(...later)).toBeGreaterThan(60);
  pacing.close();
});
