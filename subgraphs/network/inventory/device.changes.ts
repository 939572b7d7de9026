import { asWhole, keyAfter } from '../../../schema/cursor.ts';
import type { LoggedEvent } from '../../../schema/events.ts';
import { isId } from '../../../schema/ids.ts';
import { encodeCursor } from '../../../schema/page.ts';
import type { Context } from '../../_kernel/context.ts';
import { logHead, readLog } from '../../_kernel/events.ts';
import { follow } from '../../_kernel/live.ts';
import { Device, type DeviceStatusChange } from './device.entity.ts';

const CHANGES = new Set(['network.device.registered', 'network.device.commissioned', 'network.device.retired']);

/** Devices a stream begins with at most, and events it catches up on; who is further behind begins anew. */
const MAX_SNAPSHOT = 1_000;
const MAX_MISSED = 1_000;

export interface FollowedDevices {
  siteId?: string | null;
  after?: string | null;
}

/** The devices as they are, or what happened to them after a cursor; then each change as it happens. */
export function deviceChanges(ctx: Context, { siteId, after }: FollowedDevices): AsyncGenerator<DeviceStatusChange> {
  const seen = keyAfter({ after }, asWhole);
  const where = siteId ? { siteId } : {};
  const isNowhere = Boolean(siteId && !isId(siteId));

  const told = async (events: readonly LoggedEvent[], reader: Context): Promise<DeviceStatusChange[]> => {
    const changes = events.filter((event) => CHANGES.has(event.name)) as LoggedEvent<'network.device.registered'>[];
    if (isNowhere || changes.length === 0) return [];
    const ids = [...new Set(changes.map(({ payload }) => payload.deviceId))];
    const devices = await (await reader.em()).find(Device, { ...where, id: { $in: ids } });
    const byId = new Map(devices.map((device) => [device.id, device]));
    return changes.flatMap(({ payload, at, seq }) => {
      const device = byId.get(payload.deviceId);
      return device ? [{ device, at, cursor: encodeCursor([seq]) }] : [];
    });
  };

  return follow(
    ctx,
    async (reader) => {
      const em = await reader.em();
      const head = await logHead(em);
      const missed = seen === null ? undefined : await readLog(em, seen, MAX_MISSED + 1);
      if (missed && missed.length <= MAX_MISSED)
        return { upTo: missed.at(-1)?.seq ?? head, first: await told(missed, reader) };
      const devices = isNowhere ? [] : await em.find(Device, where, { orderBy: { name: 'asc' }, limit: MAX_SNAPSHOT });
      const cursor = encodeCursor([head]);
      return { upTo: head, first: devices.map((device) => ({ device, at: reader.now(), cursor })) };
    },
    told,
  );
}
