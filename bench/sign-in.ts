import type { Result } from './setup.ts';
import { checks } from './sign-in/checks.ts';
import { costs } from './sign-in/costs.ts';

/** What it costs to know who asks: signing in, the next tokens, another tenant, and each request after that. */
export async function signIn(): Promise<Result[]> {
  return [...(await checks()), ...(await costs())];
}
