import { Refusal } from '../../../schema/errors.ts';

export type Isolation = 'SHARED' | 'DEDICATED';
export type Hosting = 'PLATFORM' | 'CUSTOMER';
export type Channel = 'STABLE' | 'NEXT';
export type Region = (typeof REGIONS)[number];

/** Where data may lie. */
export const REGIONS = ['us', 'eu', 'africa', 'apac'] as const;

const REGION_OF_ZONES: Record<string, Region> = {
  Europe: 'eu',
  Africa: 'africa',
  Asia: 'apac',
  Australia: 'apac',
  Pacific: 'apac',
};

/** Members of the European Economic Area, ISO 3166-1. */
const EEA = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK'.split(' '),
);

/** The region a tenant's data may not leave: that of the General Data Protection Regulation. Null where none is set. */
export const dataRegionOf = (country: string): Region | null => (EEA.has(country) ? 'eu' : null);

/** The region a new tenant's rows go to: where they have to be, or what is nearest to its IANA time zone. */
export const regionOf = ({ country, zone }: { country: string; zone: string }): Region =>
  dataRegionOf(country) ?? REGION_OF_ZONES[zone.split('/')[0] as string] ?? 'us';

/**
 * The region a tenant's rows go to: the one that is asked for, or the one they are in. Refuses with INVALID one that there
 * is not, and one that its data may not go to.
 */
export function regionFor(asked: string | null | undefined, present: string, country: string): string {
  const region = asked ?? present;
  if (!REGIONS.includes(region as Region))
    throw new Refusal('INVALID', `A region is one of ${REGIONS.join(', ')}.`, 'region');
  const bound = dataRegionOf(country);
  if (bound && region !== bound)
    throw new Refusal('INVALID', `The data of this tenant may not leave the region ${bound}.`, 'region');
  return region;
}

/** The name of a home of a tenant's own: short, for it becomes part of the name of a database, and new with each move. */
export const homeNameOf = (tenantId: string, version: number): string => `h${tenantId.slice(-12)}_${version}`;
