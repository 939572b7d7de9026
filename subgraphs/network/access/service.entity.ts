import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Address } from '../../../schema/address.ts';
import { GeoPoint } from '../../../schema/geo.ts';
import { DateTime } from '../../../schema/scalars.ts';
import type { ServiceLifecycle } from './service.rules.ts';

export const ServiceStatusEnum = { REQUESTED: 'REQUESTED', ACTIVE: 'ACTIVE', CANCELLED: 'CANCELLED' } as const;
registerEnumType(ServiceStatusEnum, { name: 'ServiceStatus' });

@ObjectType({ description: 'Where a service ends: copied when it was asked for.' })
export class Premises {
  @Field(() => Address) address!: Address;
  @Field(() => GeoPoint, { nullable: true }) point?: GeoPoint | null;
}

@ObjectType({ description: 'What a customer was promised at one place: a line, a channel, a number.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'network', tableName: 'service' })
export class Service {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string;
  @Field(() => String, { description: 'What people call it by: `SVC-000042`.' })
  @Property({ type: 'string' })
  number!: string;
  @Property({ type: 'uuid' })
  customerId!: string;
  @Property({ type: 'uuid' })
  planId!: string;
  @Property({ type: 'string' })
  lifecycle!: ServiceLifecycle;
  @Property({ type: 'json' })
  premisesAddress!: Address;
  @Property({ type: 'double', nullable: true })
  longitude?: number | null;
  @Property({ type: 'double', nullable: true })
  latitude?: number | null;
  @Field(() => DateTime, { nullable: true })
  @Property({ type: 'datetime', nullable: true })
  activatedAt?: Date | null;
  @Field(() => Int)
  @Property({ type: 'integer' })
  version!: number;
}
