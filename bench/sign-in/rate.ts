import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'undici';
import type { Measured } from '../portal-mix/load.ts';

/** How requests at a rate went: how long each took, milliseconds, and how many were turned away. */
export type Course = Pick<Measured, 'tookMs' | 'refused'>;

/** Does something so many times a second, whatever becomes of it; false says that it was turned away. */
export async function atRate(
  perSecond: number,
  seconds: number,
  run: (i: number) => Promise<boolean>,
): Promise<Course> {
  const course: Course = { tookMs: [], refused: 0 };
  const startedAt = performance.now();
  const open = new Set<Promise<void>>();
  for (let i = 0; i < perSecond * seconds; i++) {
    const dueAt = startedAt + (i * 1_000) / perSecond;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const one = run(i).then((isAnswered) => {
      if (isAnswered) course.tookMs.push(performance.now() - dueAt);
      else course.refused += 1;
      open.delete(one);
    });
    open.add(one);
  }
  await Promise.all(open);
  return course;
}

/** What a gateway answers to an operation, as text. */
export async function post(pool: Pool, body: object, headers: Record<string, string>): Promise<string> {
  const answer = await pool.request({
    ...{ method: 'POST', path: '/graphql', body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json', ...headers },
  });
  return answer.body.text();
}
