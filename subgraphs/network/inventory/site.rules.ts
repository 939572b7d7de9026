import { type Address, type AddressInput, checkAddress } from '../../../schema/address.ts';
import { isTimeZone } from '../../../schema/calendar.ts';
import { Refusal } from '../../../schema/errors.ts';
import { checkPoint, type GeoPointInput } from '../../../schema/geo.ts';
import { checkText } from './texts.rules.ts';

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
  if (zone != null && !isTimeZone(zone))
    throw new Refusal('INVALID', 'A zone is an IANA name, such as Europe/Berlin.', 'zone');
  return {
    name: checkText(name, 80, 'name'),
    kind,
    address: (address ? checkAddress(address, 'address') : null) as Address | null,
    longitude: place?.longitude ?? null,
    latitude: place?.latitude ?? null,
    zone: zone ?? tenantZone,
  };
}
