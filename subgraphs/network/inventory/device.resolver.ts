import {
  Arg,
  Args,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql';
import { RequiresPermission } from '../../../schema/directives.ts';
import { checkPage, connectionOf, PageArgs } from '../../../schema/page.ts';
import { payload, payloadOf } from '../../../schema/payload.ts';
import type { Context } from '../../_kernel/context.ts';
import { deviceChanges, type FollowedDevices } from './device.changes.ts';
import { Device, DeviceKindEnum, DeviceLifecycleEnum, DeviceStatusChange } from './device.entity.ts';
import type { DeviceKind, DeviceLifecycle } from './device.rules.ts';
import * as service from './device.service.ts';
import { deviceById, siteById } from './loaders.ts';
import { IpAddress, MacAddress } from './scalars.ts';
import { Site } from './site.entity.ts';

const DeviceConnection = connectionOf(Device, 'Device');
const DevicePayload = payloadOf('DevicePayload', 'device', () => Device);

@InputType()
class DeviceFilter {
  @Field(() => String, { nullable: true, description: 'Anywhere in name or serial number.' }) text?: string | null;
  @Field(() => DeviceKindEnum, { nullable: true }) kind?: DeviceKind | null;
  @Field(() => DeviceLifecycleEnum, { nullable: true }) lifecycle?: DeviceLifecycle | null;
  @Field(() => ID, { nullable: true }) siteId?: string | null;
}

@InputType()
class RegisterDeviceInput {
  @Field(() => String, { description: '1 to 63 characters, used once.' }) name!: string;
  @Field(() => DeviceKindEnum) kind!: DeviceKind;
  @Field(() => String) vendor!: string;
  @Field(() => String) model!: string;
  @Field(() => String, { description: 'Once per vendor.' }) serial!: string;
  @Field(() => MacAddress, { nullable: true }) mac?: string | null;
  @Field(() => IpAddress, { nullable: true }) managementAddress?: string | null;
  @Field(() => ID, { nullable: true }) siteId?: string | null;
}

@InputType()
class CommissionDeviceInput {
  @Field(() => ID) deviceId!: string;
}

@InputType()
class RetireDeviceInput {
  @Field(() => ID) deviceId!: string;
}

@Resolver(() => Device)
export class DeviceResolver {
  @Query(() => Device, { nullable: true })
  @RequiresPermission('network.inventory.read')
  device(@Arg('id', () => ID) id: string, @Ctx() ctx: Context) {
    return ctx.load(deviceById, id);
  }

  @Query(() => DeviceConnection, { description: 'By name.' })
  @RequiresPermission('network.inventory.read')
  devices(
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => DeviceFilter, { nullable: true }) filter: DeviceFilter | null,
    @Ctx() ctx: Context,
  ) {
    checkPage(page);
    return service.listDevices(ctx, filter ?? {}, page);
  }

  @FieldResolver(() => Site, { nullable: true })
  site(@Root() device: Device, @Ctx() ctx: Context) {
    return device.siteId ? ctx.load(siteById, device.siteId) : null;
  }

  @Mutation(() => DevicePayload, {
    description: 'As planned. What an operator runs takes a unit of the quota `devices`.',
  })
  @RequiresPermission('network.inventory.manage')
  registerDevice(@Arg('input', () => RegisterDeviceInput) input: RegisterDeviceInput, @Ctx() ctx: Context) {
    return payload(async () => ({ device: await service.registerDevice(ctx, input) }));
  }

  @Mutation(() => DevicePayload)
  @RequiresPermission('network.inventory.manage')
  commissionDevice(@Arg('input', () => CommissionDeviceInput) input: CommissionDeviceInput, @Ctx() ctx: Context) {
    return payload(async () => ({ device: await service.commissionDevice(ctx, input.deviceId) }));
  }

  @Mutation(() => DevicePayload, { description: 'For good. Its unit of the quota is free again.' })
  @RequiresPermission('network.inventory.manage')
  retireDevice(@Arg('input', () => RetireDeviceInput) input: RetireDeviceInput, @Ctx() ctx: Context) {
    return payload(async () => ({ device: await service.retireDevice(ctx, input.deviceId) }));
  }

  @Subscription(() => DeviceStatusChange, {
    description: 'The devices as they are, then each change. With `after` only what happened since.',
    subscribe: ({ args, context }) => deviceChanges(context as Context, args as FollowedDevices) as never,
  })
  @RequiresPermission('network.inventory.read')
  deviceStatusChanged(
    @Root() change: DeviceStatusChange,
    @Arg('siteId', () => ID, { nullable: true }) _siteId: string | null,
    @Arg('after', () => String, { nullable: true }) _after: string | null,
  ): DeviceStatusChange {
    return change;
  }
}
