import { seedTotpSecret } from '../../subgraphs/_kernel/seed-world.ts';
import { codeAt } from '../../subgraphs/identity/factors/totp.rules.ts';
import { PEOPLE } from '../../subgraphs/identity/seed.ts';

const STEP_MS = 30_000;
const used = new Map<string, number>();

/**
 * A code of somebody's app that was not used yet, from what their phone showed half a minute ago to what it shows next.
 * After three in half a minute it waits, as a person would.
 */
export async function answerFor(email: string, password: string): Promise<string> {
  const person = PEOPLE.find((one) => one.email === email);
  if (!person) throw new Error(`There is no ${email} in the example world.`);
  const present = () => Math.floor(Date.now() / STEP_MS);
  const step = Math.max(present() - 1, (used.get(email) ?? 0) + 1);
  used.set(email, step);
  while (step > present() + 1) await new Promise((resolve) => setTimeout(resolve, 500));
  return codeAt(seedTotpSecret(password, person.userId), new Date(step * STEP_MS));
}

/** Waits for the next step when the present one is nearly over, so that what a test calls now stays now while it runs. */
export async function earlyInStep(neededMs = 8_000): Promise<void> {
  const left = STEP_MS - (Date.now() % STEP_MS);
  if (left < neededMs) await new Promise((resolve) => setTimeout(resolve, left));
}
