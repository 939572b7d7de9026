import { seedTotpSecret } from '../../subgraphs/_kernel/seed-world.ts';
import { codeAt } from '../../subgraphs/identity/factors/totp.rules.ts';
import { PEOPLE } from '../../subgraphs/identity/seed.ts';

const STEP_MS = 30_000;
/** A code of the step before is not given when the present one ends so soon: it might arrive too late. */
const LATE_MS = 5_000;
const used: { email: string; databaseUrl: string | undefined; step: number }[] = [];

/**
 * A code of somebody's app that was not used yet, from what their phone showed half a minute ago to what it shows next.
 * After three in half a minute it waits, as a person would.
 * @param databaseUrl the database that the code is used in; without it none is given twice anywhere.
 */
export async function answerFor(email: string, password: string, databaseUrl?: string): Promise<string> {
  const person = PEOPLE.find((one) => one.email === email);
  if (!person) throw new Error(`There is no ${email} in the example world.`);
  const present = () => Math.floor(Date.now() / STEP_MS);
  const before = used.filter(
    (one) => one.email === email && (!databaseUrl || !one.databaseUrl || one.databaseUrl === databaseUrl),
  );
  const first = Math.floor((Date.now() + LATE_MS) / STEP_MS) - 1;
  const step = Math.max(first, ...before.map((one) => one.step + 1));
  used.push({ email, databaseUrl, step });
  while (step > present() + 1) await new Promise((resolve) => setTimeout(resolve, 500));
  return codeAt(seedTotpSecret(password, person.userId), new Date(step * STEP_MS));
}

/** Waits for the next step when the present one is nearly over, so that what a test calls now stays now while it runs. */
export async function earlyInStep(neededMs = 8_000): Promise<void> {
  const left = STEP_MS - (Date.now() % STEP_MS);
  if (left < neededMs) await new Promise((resolve) => setTimeout(resolve, left));
}
