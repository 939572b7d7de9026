import { isCountry } from '../../../schema/address.ts';
import { currencyExponent } from '../../../schema/currency.ts';
import { Refusal } from '../../../schema/errors.ts';
import { checkTimeZone, emailAddress, languageTag, optionalText, text } from '../../../schema/words.ts';
import { type Isolation, type Region, regionFor, regionOf } from '../placement/placement.rules.ts';
import type { StepName } from './course.rules.ts';

/** What a run is to make; a later run of the tenant makes the same. */
export interface Wanted {
  slug: string;
  isolation: Isolation;
  region: Region;
  plan: string;
  interval: 'MONTH' | 'YEAR';
  isTrial: boolean;
  /** The first administrator: somebody new or known by their mail, or who asked. */
  admin: { email: string; name: string } | { userId: string };
}

const SHAPE = /^[a-z](?:[a-z0-9]|-(?!-)){1,28}[a-z0-9]$/;

/** Names of hosts and paths of the platform's own; nobody is called so. */
const RESERVED = new Set(
  `about account accounts admin api app assets auth billing blog cdn console dashboard demo dev docs example files ftp
   graphql help health hooks imap internal login mail metrics mx news ns1 ns2 ops partner partners platform pop portal
   postmaster root sandbox secure security signup smtp sso staging static status support system test vpn webmail www`.split(
    /\s+/,
  ),
);

/** What the slug of a tenant begins with that never came to be and has given its own back. */
const RELEASED = 'released-';

/** The slug such a tenant has instead. */
export const releasedSlug = (tenantId: string): string => `${RELEASED}${tenantId.slice(-12)}`;

export const slugTaken = () => new Refusal('CONFLICT', 'This short name is not available.', 'slug');

/** Whether a short name may be given to anybody. */
export const isSlug = (slug: string): boolean => SHAPE.test(slug) && !RESERVED.has(slug) && !slug.startsWith(RELEASED);

/** Refuses what is no short name with INVALID, and one that nobody may have with CONFLICT. */
export function checkSlug(slug: string): string {
  if (!SHAPE.test(slug))
    throw new Refusal('INVALID', 'A short name has 3 to 30 letters, digits and single hyphens.', 'slug');
  if (!isSlug(slug)) throw slugTaken();
  return slug;
}

/** Steps that are not for a tenant: on a shared home it has no database and no instance of its own. */
export function skippedSteps(isolation: Isolation): StepName[] {
  return isolation === 'SHARED' ? ['database', 'migrate', 'deploy'] : ['deploy'];
}

export interface TenantRequest {
  slug: string;
  name: string;
  legalName?: string | null;
  country: string;
  zone: string;
  locale?: string | null;
  currency?: string | null;
  billingEmail?: string | null;
  admin: { name: string; email: string };
  plan: string;
  interval?: 'MONTH' | 'YEAR' | null;
  isTrial?: boolean | null;
  isolation?: Isolation | null;
  /** By default the one its country lies in. */
  region?: string | null;
}

/** Refuses with INVALID what cannot be the code of a plan; whether there is one, licensing knows. */
export function checkPlan(plan: string): string {
  if (!/^[a-z][a-z0-9_]{1,31}$/.test(plan))
    throw new Refusal('INVALID', 'A plan is named by its code, such as starter.', 'plan');
  return plan;
}

/** What a tenant will be, and what its run is to make. */
export interface Checked {
  profile: {
    slug: string;
    name: string;
    legalName?: string | null;
    country: string;
    zone: string;
    locale: string;
    /** Null: the platform's own. */
    currency: string | null;
    contactEmail?: string;
    billingEmail?: string;
  };
  wanted: Wanted;
}

/** Trims a request and refuses what is malformed or unknown with INVALID and its field, a name nobody may have with CONFLICT. */
export function checkRequest(asked: TenantRequest) {
  const slug = checkSlug(asked.slug);
  if (!isCountry(asked.country))
    throw new Refusal('INVALID', 'A country is two capital letters of ISO 3166, such as DE.', 'country');
  checkTimeZone(asked.zone, 'zone');
  if (asked.currency != null && currencyExponent(asked.currency) === undefined)
    throw new Refusal('INVALID', `${asked.currency.slice(0, 8)} is no currency in use.`, 'currency');
  const region = regionFor(asked.region ?? regionOf(asked), asked.country);
  const email = emailAddress(asked.admin.email, 'admin.email').toLowerCase();
  return {
    profile: {
      slug,
      name: text(asked.name, 120, 'name', { name: 'A name', min: 2 }),
      legalName: optionalText(asked.legalName, 200, 'legalName', { name: 'A legal name' }),
      country: asked.country,
      zone: asked.zone,
      locale: languageTag(asked.locale ?? `en-${asked.country}`, 'locale') as string,
      currency: asked.currency ?? null,
      contactEmail: email,
      billingEmail: asked.billingEmail == null ? email : emailAddress(asked.billingEmail, 'billingEmail'),
    },
    wanted: {
      ...{ slug, region, plan: checkPlan(asked.plan) },
      isolation: asked.isolation ?? 'SHARED',
      interval: asked.interval ?? 'MONTH',
      isTrial: asked.isTrial ?? false,
      admin: { email, name: text(asked.admin.name, 120, 'admin.name', { name: 'A name' }) },
    },
  };
}
