import { type Address, type AddressInput, checkAddress } from '../../../schema/address.ts';
import { checkPoint, type GeoPointInput } from '../../../schema/geo.ts';
import { checkTimeZone, text } from '../../../schema/words.ts';

export type SiteKind = 'POP' | 'DATA_CENTRE' | 'CABINET' | 'TOWER' | 'MANHOLE';

export interface NewSite {
  name: string;
  kind: SiteKind;
  address?: AddressInput | null;
  point?: GeoPointInput | null;
  zone?: string | null;
}

/** A site's columns from what was given; refuses what is malformed with INVALID and the field. */
export function checkSite({ name, kind, address, point, zone }: NewSite, tenantZone: string) {
  const place = point ? checkPoint(point, 'point') : null;
  checkTimeZone(zone, 'zone');
  return {
    name: text(name, 80, 'name'),
    kind,
    address: (address ? checkAddress(address, 'address') : null) as Address | null,
    longitude: place?.longitude ?? null,
    latitude: place?.latitude ?? null,
    zone: zone ?? tenantZone,
  };
}
