import { isId } from '../../../schema/ids.ts';
import { defineLoader } from '../../_kernel/loader.ts';
import { Device } from './device.entity.ts';
import { Site } from './site.entity.ts';

export const siteById = defineLoader<Site>('site', async (em, ids) =>
  (await em.find(Site, { id: { $in: ids.filter(isId) } })).map((site) => [site.id, site]),
);

export const deviceById = defineLoader<Device>('device', async (em, ids) =>
  (await em.find(Device, { id: { $in: ids.filter(isId) } })).map((device) => [device.id, device]),
);
