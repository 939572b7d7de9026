import type { Payload } from '../../schema/payload.ts';

/** A payload that also shows what is there now when someone else was faster (R2). */
export async function orCurrent<T extends object>(
  answer: Promise<Payload<T>>,
  current: () => Promise<T | { [K in keyof T]: null }>,
): Promise<Payload<T>> {
  const given = await answer;
  return given.userErrors.some(({ code }) => code === 'CONFLICT') ? { ...(await current()), ...given } : given;
}
