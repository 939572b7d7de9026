import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { DeviceKind, DeviceLifecycle } from './device.rules.ts';
import { IpAddress, MacAddress } from './scalars.ts';

export const DeviceKindEnum = {
  OLT: 'OLT',
  ONU: 'ONU',
  ROUTER: 'ROUTER',
  NAS: 'NAS',
  SWITCH: 'SWITCH',
  AP: 'AP',
  CPE: 'CPE',
  SPLITTER: 'SPLITTER',
} as const;
export const DeviceLifecycleEnum = { PLANNED: 'PLANNED', IN_SERVICE: 'IN_SERVICE', RETIRED: 'RETIRED' } as const;
registerEnumType(DeviceKindEnum, {
  name: 'DeviceKind',
  description: 'OLT, ROUTER, NAS, SWITCH and AP count towards the quota `devices`; what stands at homes does not.',
});
registerEnumType(DeviceLifecycleEnum, { name: 'DeviceLifecycle' });

@ObjectType({ description: 'A piece of equipment of the network.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'network', tableName: 'device' })
export class Device {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string;
  @Field(() => String)
  @Property({ type: 'string' })
  name!: string;
  @Field(() => DeviceKindEnum)
  @Property({ type: 'string' })
  kind!: DeviceKind;
  @Field(() => String)
  @Property({ type: 'string' })
  vendor!: string;
  @Field(() => String)
  @Property({ type: 'string' })
  model!: string;
  @Field(() => String, { description: 'Once per vendor.' })
  @Property({ type: 'string' })
  serial!: string;
  @Field(() => MacAddress, { nullable: true })
  @Property({ type: 'string', nullable: true })
  mac?: string | null;
  @Field(() => IpAddress, { nullable: true, description: 'Where it is operated from.' })
  @Property({ type: 'string', nullable: true })
  managementAddress?: string | null;
  @Field(() => DeviceLifecycleEnum)
  @Property({ type: 'string' })
  lifecycle!: DeviceLifecycle;
  @Property({ type: 'uuid', nullable: true })
  siteId?: string | null;
  @Field(() => Int)
  @Property({ type: 'integer' })
  version!: number;
}

@ObjectType({ description: 'What became of a device.' })
export class DeviceStatusChange {
  @Field(() => Device) device!: Device;
  @Field(() => DateTime) at!: Date;
  @Field(() => String, { description: 'Where to go on from after an interruption.' }) cursor!: string;
}
