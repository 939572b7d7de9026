import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Address } from '../../../schema/address.ts';
import { TimeZone } from '../../../schema/scalars.ts';
import type { SiteKind } from './site.rules.ts';

export const SiteKindEnum = {
  POP: 'POP',
  DATA_CENTRE: 'DATA_CENTRE',
  CABINET: 'CABINET',
  TOWER: 'TOWER',
  MANHOLE: 'MANHOLE',
} as const;
registerEnumType(SiteKindEnum, { name: 'SiteKind' });

@ObjectType({ description: "A place of the network's own. Customers' premises belong to their services." })
@Directive('@key(fields: "id")')
@Entity({ schema: 'network', tableName: 'site' })
export class Site {
  @Field(() => ID)
  @PrimaryKey({ type: 'uuid' })
  id!: string;
  @Field(() => String)
  @Property({ type: 'string' })
  name!: string;
  @Field(() => SiteKindEnum)
  @Property({ type: 'string' })
  kind!: SiteKind;
  @Field(() => Address, { nullable: true })
  @Property({ type: 'json', nullable: true })
  address?: Address | null;
  @Property({ type: 'double', nullable: true })
  longitude?: number | null;
  @Property({ type: 'double', nullable: true })
  latitude?: number | null;
  @Field(() => TimeZone)
  @Property({ type: 'string' })
  zone!: string;
  @Field(() => Int)
  @Property({ type: 'integer' })
  version!: number;
}
