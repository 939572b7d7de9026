import type { Permission } from '../../schema/permissions.ts';
import type { Context } from '../_kernel/context.ts';
import type { Loader } from '../_kernel/loader.ts';
import { hears, type ResolveReference, type SubgraphDefinition } from '../_kernel/subgraph.ts';
import { Customer, CustomerServicesResolver } from './access/customer.stub.ts';
import { planById, serviceById } from './access/loaders.ts';
import { Service } from './access/service.entity.ts';
import { ServiceResolver } from './access/service.resolver.ts';
import { ServicePlan } from './access/service-plan.entity.ts';
import { ServicePlanResolver } from './access/service-plan.resolver.ts';
import { Device } from './inventory/device.entity.ts';
import { DeviceResolver } from './inventory/device.resolver.ts';
import { recountDevices } from './inventory/device.service.ts';
import { deviceById, siteById } from './inventory/loaders.ts';
import { Site } from './inventory/site.entity.ts';
import { SiteResolver } from './inventory/site.resolver.ts';
import { seed } from './seed.ts';

/** Resolves what others point at for those who could also have asked for it here. */
const byPermission =
  <T extends object>(permission: Permission, loader: Loader<T>): ResolveReference =>
  (ctx: Context, { id }) =>
    ctx.can(permission) ? ctx.load(loader, id) : null;

/** The same for what a portal customer sees of its own. */
const byPermissionOrOwn =
  <T extends object>(permission: Permission, loader: Loader<T>): ResolveReference =>
  (ctx: Context, { id }) =>
    ctx.can(permission) || ctx.envelope.customerId ? ctx.load(loader, id) : null;

export const network: SubgraphDefinition = {
  name: 'network',
  resolvers: [SiteResolver, DeviceResolver, ServicePlanResolver, ServiceResolver, CustomerServicesResolver],
  types: [Customer],
  entities: [Site, Device, ServicePlan, Service],
  references: {
    Site: byPermission('network.inventory.read', siteById),
    Device: byPermission('network.inventory.read', deviceById),
    ServicePlan: byPermissionOrOwn('network.plan.read', planById),
    Service: byPermissionOrOwn('network.service.read', serviceById),
  },
  subscribers: { recountDevices: hears('licensing.usage.day_closed', (ctx) => recountDevices(ctx)) },
  isAtHome: true,
  seed,
};
