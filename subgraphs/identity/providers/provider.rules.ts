import { createHash, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../../../schema/errors.ts';

export type Provider = 'GOOGLE' | 'GITHUB' | 'MICROSOFT' | 'SSO';
export type OAuthIntent = 'SIGN_IN' | 'LINK';

/** What a provider says of somebody. */
export interface Asserted {
  issuer: string;
  /** The provider's own name for them, which never goes to another. */
  subject: string;
  email: string | null;
  isEmailVerified: boolean;
  /** Whether they proved more than one thing there. */
  hasSecondFactor: boolean;
  groups: string[];
}

/** How long somebody may take at the provider, and a portal to redeem the code, milliseconds. */
export const VISIT_MS = 600_000;
export const CODE_MS = 60_000;

export const notLinked = () => new Refusal('INVALID', 'This account is not linked yet.');
export const linkNoMore = () => new Refusal('INVALID', 'This link no longer works.', 'code');

const LONGEST_RETURN = 1_800;

/** Where somebody goes afterwards: a page of one of our portals. Refuses INVALID any other. */
export function checkReturnTo(typed: string, origins: readonly string[]): string {
  const url = URL.canParse(typed) ? new URL(typed) : undefined;
  const isOurs =
    url && origins.includes(url.origin) && !url.username && !url.password && typed.length <= LONGEST_RETURN;
  if (!isOurs) throw new Refusal('INVALID', 'This page is on none of our portals.', 'returnTo');
  url.hash = '';
  return url.href;
}

/** The same page with one more parameter. */
export function withParameter(returnTo: string, name: 'code' | 'error', value: string): string {
  const url = new URL(returnTo);
  url.searchParams.set(name, value);
  return url.href;
}

/** What PKCE asks for (RFC 7636, S256). Refuses INVALID for anything else. */
export function checkCodeChallenge(typed: string): string {
  if (!/^[A-Za-z0-9_-]{43}$/.test(typed))
    throw new Refusal('INVALID', 'A code challenge is the SHA-256 of the verifier, base64url.', 'codeChallenge');
  return typed;
}

/** Whether the verifier is the one the browser that began has kept (RFC 7636 section 4.6). */
export function isVerifierOf(codeChallenge: string, verifier: string): boolean {
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(verifier)) return false;
  const hash = createHash('sha256').update(verifier).digest('base64url');
  return timingSafeEqual(Buffer.from(hash), Buffer.from(codeChallenge));
}

/** Ways of proving that are a second factor (RFC 8176). A text message is none. */
const SECOND_FACTORS = ['mfa', 'otp', 'hwk', 'swk', 'sc', 'pop'];

export const assertsSecondFactor = (amr: unknown): boolean =>
  Array.isArray(amr) && amr.some((way) => SECOND_FACTORS.includes(String(way)));

const MAX_GROUPS = 200;

/** The groups or roles a token names. */
export function groupsOf(claims: Record<string, unknown>): string[] {
  const named = [claims.groups, claims.roles].flatMap((value) => (Array.isArray(value) ? value : []));
  return named.filter((name) => typeof name === 'string' && name.length <= 200).slice(0, MAX_GROUPS);
}

/** The part of a mail address that tells whose it is; null for none. */
export const domainOf = (email: string | null): string | null => email?.slice(email.lastIndexOf('@') + 1) || null;
