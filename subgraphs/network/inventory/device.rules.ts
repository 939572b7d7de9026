import { Refusal } from '../../../schema/errors.ts';
import { text } from '../../../schema/words.ts';
import { canonicalMac } from './address.rules.ts';

export type DeviceKind = 'OLT' | 'ONU' | 'ROUTER' | 'NAS' | 'SWITCH' | 'AP' | 'CPE' | 'SPLITTER';
export type DeviceLifecycle = 'PLANNED' | 'IN_SERVICE' | 'RETIRED';

const NEXT: Record<DeviceLifecycle, readonly DeviceLifecycle[]> = {
  PLANNED: ['IN_SERVICE'],
  IN_SERVICE: ['RETIRED'],
  RETIRED: [],
};

/** Moves a device on, or refuses with INVALID_STATE. */
export function advance(from: DeviceLifecycle, to: DeviceLifecycle): DeviceLifecycle {
  if (!NEXT[from].includes(to))
    throw new Refusal('INVALID_STATE', `A device that is ${from} cannot become ${to}.`, 'lifecycle');
  return to;
}

export const COUNTED: ReadonlySet<DeviceKind> = new Set(['OLT', 'ROUTER', 'NAS', 'SWITCH', 'AP']);

/** Whether a device takes a unit of the quota `devices`: what an operator runs does, what stands at homes does not. */
export const isCounted = (kind: DeviceKind): boolean => COUNTED.has(kind);

export interface NewDevice {
  name: string;
  kind: DeviceKind;
  vendor: string;
  model: string;
  serial: string;
  mac?: string | null;
  managementAddress?: string | null;
  siteId?: string | null;
}

/** A device's columns from what was given; refuses what is malformed with INVALID and the field. */
export function checkDevice(given: NewDevice) {
  const mac = given.mac == null ? null : canonicalMac(given.mac);
  if (given.mac != null && !mac)
    throw new Refusal('INVALID', 'This is not the MAC address of a device, such as aa:bb:cc:00:11:22.', 'mac');
  return {
    name: text(given.name, 63, 'name'),
    kind: given.kind,
    vendor: text(given.vendor, 80, 'vendor'),
    model: text(given.model, 80, 'model'),
    serial: text(given.serial, 80, 'serial'),
    mac,
    managementAddress: given.managementAddress ?? null,
    siteId: given.siteId ?? null,
  };
}
