import { Refusal } from '../../../schema/errors.ts';

export type Isolation = 'SHARED' | 'DEDICATED';
export type Hosting = 'PLATFORM' | 'CUSTOMER';
export type Channel = 'STABLE' | 'NEXT';
export type Region = (typeof REGIONS)[number];

/** Where data may lie. */
export const REGIONS = ['us', 'eu', 'uk', 'apac', 'canada', 'australia', 'middle_east', 'africa'] as const;

const OF_COUNTRY: Partial<Record<string, Region>> = { GB: 'uk', CA: 'canada', AU: 'australia', NZ: 'australia' };
const MIDDLE_EAST = ['AE', 'BH', 'IL', 'IQ', 'IR', 'JO', 'KW', 'LB', 'OM', 'PS', 'QA', 'SA', 'SY', 'TR', 'YE'];
const OF_ZONE: Partial<Record<string, Region>> = { Africa: 'africa', America: 'us', Europe: 'eu' };

/** Members of the European Economic Area, ISO 3166-1. */
const EEA = new Set(
  'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK'.split(' '),
);

/** The region a tenant's data may not leave: that of the General Data Protection Regulation. Null where none is set. */
export const dataRegionOf = (country: string): Region | null => (EEA.has(country) ? 'eu' : null);

/** The region a new tenant's rows go to: where they have to be, or what is nearest to its country and IANA time zone. */
export function regionOf({ country, zone }: { country: string; zone: string }): Region {
  if (MIDDLE_EAST.includes(country)) return 'middle_east';
  return dataRegionOf(country) ?? OF_COUNTRY[country] ?? OF_ZONE[zone.split('/')[0] as string] ?? 'apac';
}

/**
 * The region a tenant's rows are asked to go to. Refuses with INVALID one that there is not, and one that its data may not
 * go to, by its country or by its own setting.
 */
export function regionFor(asked: string, country: string, setByTenant?: string): Region {
  const region = REGIONS.find((known) => known === asked);
  if (!region) throw new Refusal('INVALID', `A region is one of ${REGIONS.join(', ')}.`, 'region');
  const bound = setByTenant ?? dataRegionOf(country);
  if (bound && region !== bound)
    throw new Refusal('INVALID', `The data of this tenant may not leave the region ${bound}.`, 'region');
  return region;
}

/** The name of a home of a tenant's own: short, for it becomes part of the name of a database, and new with each move. */
export const homeNameOf = (tenantId: string, version: number): string => `h${tenantId.slice(-12)}_${version}`;
