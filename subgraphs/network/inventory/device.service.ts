import { uuidv7 } from 'uuidv7';
import { anywhere, asText, keyAfter } from '../../../schema/cursor.ts';
import { Refusal } from '../../../schema/errors.ts';
import { isId } from '../../../schema/ids.ts';
import { type Connection, connect, type PageArgs } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import type { EntityManager } from '../../_kernel/db.ts';
import { emit } from '../../_kernel/events.ts';
import { lockOrRefuse } from '../../_kernel/lock.ts';
import { consume, recount, release } from '../../_kernel/quota.ts';
import { type Conflicts, saveUnique } from './conflicts.ts';
import { Device } from './device.entity.ts';
import {
  advance,
  COUNTED,
  checkDevice,
  type DeviceKind,
  type DeviceLifecycle,
  isCounted,
  type NewDevice,
} from './device.rules.ts';
import { Site } from './site.entity.ts';

export interface DeviceFilter {
  text?: string | null;
  kind?: DeviceKind | null;
  lifecycle?: DeviceLifecycle | null;
  siteId?: string | null;
}

const CONFLICTS: Conflicts = {
  device_name: ['There is a device of this name.', 'name'],
  device_serial: ['There is a device of this vendor with this serial number.', 'serial'],
};

/** The key under which a device takes its unit of the quota and gives it back. */
const quotaKey = (deviceId: string) => `device:${deviceId}`;

/** Devices by name, those whose name or serial holds `text`. */
export async function listDevices(ctx: Context, filter: DeviceFilter, page: PageArgs): Promise<Connection<Device>> {
  const after = keyAfter(page, asText);
  if (filter.siteId && !isId(filter.siteId)) return connect([], page, () => []);
  const text = filter.text?.trim() ? anywhere(filter.text) : null;
  const rows = await (await ctx.em()).find(
    Device,
    {
      ...(after === null ? {} : { name: { $gt: after } }),
      ...(filter.kind ? { kind: filter.kind } : {}),
      ...(filter.lifecycle ? { lifecycle: filter.lifecycle } : {}),
      ...(filter.siteId ? { siteId: filter.siteId } : {}),
      ...(text ? { $or: [{ name: { $ilike: text } }, { serial: { $ilike: text } }] } : {}),
    },
    { orderBy: { name: 'asc' }, limit: page.first + 1 },
  );
  return connect(rows, page, (device) => [device.name]);
}

/**
 * Writes a device down as planned. What an operator runs takes a unit of the quota `devices` with the row it pays for.
 * Throws QUOTA_EXCEEDED; refuses CONFLICT for a name or a vendor's serial that is there already.
 */
export function registerDevice(ctx: Context, given: NewDevice, id = uuidv7()): Promise<Device> {
  return ctx.tx(async (em) => {
    const device = checkDevice(given);
    if (device.siteId) await refuseUnknownSite(em, device.siteId);
    if (isCounted(device.kind)) await consume(ctx, em, 'devices', 1n, quotaKey(id));
    const made = em.create(Device, { ...device, id, lifecycle: 'PLANNED', version: 1 });
    em.persist(made);
    await saveUnique(em, CONFLICTS);
    emit(em, 'network.device.registered', { deviceId: id, kind: made.kind });
    return made;
  });
}

/** The device is in place and works from now on. */
export function commissionDevice(ctx: Context, deviceId: string): Promise<Device> {
  return ctx.tx(async (em) => {
    const device = await lockDevice(em, deviceId);
    device.lifecycle = advance(device.lifecycle, 'IN_SERVICE');
    device.version += 1;
    emit(em, 'network.device.commissioned', { deviceId, kind: device.kind });
    return device;
  });
}

/** Takes a device out for good; its unit of the quota is free again. */
export function retireDevice(ctx: Context, deviceId: string): Promise<Device> {
  return ctx.tx(async (em) => {
    const device = await lockDevice(em, deviceId);
    device.lifecycle = advance(device.lifecycle, 'RETIRED');
    device.version += 1;
    if (isCounted(device.kind)) await release(ctx, em, 'devices', 1n, quotaKey(deviceId));
    emit(em, 'network.device.retired', { deviceId, kind: device.kind });
    return device;
  });
}

/** Holds the quota `devices` against what there is; a difference is mended. */
export function recountDevices(ctx: Context): Promise<void> {
  return ctx.tx((em) =>
    recount(ctx, em, 'devices', () => em.count(Device, { kind: { $in: [...COUNTED] }, lifecycle: { $ne: 'RETIRED' } })),
  );
}

const lockDevice = (em: EntityManager, id: string) => lockOrRefuse(em, Device, id, 'device');

async function refuseUnknownSite(em: EntityManager, id: string): Promise<void> {
  if (!isId(id) || !(await em.findOne(Site, { id })))
    throw new Refusal('NOT_FOUND', 'There is no such site.', 'siteId');
}
