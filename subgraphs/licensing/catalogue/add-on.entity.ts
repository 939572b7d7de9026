import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime, Decimal, Quantity, QuotaKeyScalar } from '../../../schema/scalars.ts';
import type { Meter } from './add-on.rules.ts';
import type { LimitMode, StoredLimit } from './plan.rules.ts';
import type { VersionStatus } from './version.rules.ts';

export type PluginTier = 'FREE' | 'BASIC' | 'PREMIUM' | 'ENTERPRISE';
export const PluginTierEnum = { FREE: 'FREE', BASIC: 'BASIC', PREMIUM: 'PREMIUM', ENTERPRISE: 'ENTERPRISE' } as const;
export const LimitModeEnum = { ADD: 'ADD', SET: 'SET' } as const;
registerEnumType(PluginTierEnum, { name: 'PluginTier', description: 'The shelf of the marketplace, not a right.' });
registerEnumType(LimitModeEnum, {
  name: 'LimitMode',
  description: 'Adds to a limit per piece, or lifts it to at least this.',
});

@Entity({ schema: 'licensing', tableName: 'add_on_version' })
export class AddOnVersion {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) addOnId!: string;
  @Property({ type: 'integer' }) version!: number;
  @Property({ type: 'string' }) status!: VersionStatus;
  @Property({ type: 'bigint' }) priceMinor!: bigint;
  @Property({ type: 'bigint' }) setupFeeMinor!: bigint;
  @Property({ type: 'string' }) currency!: string;
  @Property({ type: 'array' }) features!: string[];
  @Property({ type: 'json' }) limits!: StoredLimit[];
  @Property({ type: 'array' }) requires!: string[];
  @Property({ type: 'integer' }) maxQuantity!: number;
  @Property({ type: 'json', nullable: true }) meter!: Meter | null;
}

@ObjectType({
  description:
    'Something of the marketplace that widens a licence. Shown is the version for sale now, or the last one.',
})
@Directive('@key(fields: "id")')
@Directive('@key(fields: "code")')
@Entity({ schema: 'licensing', tableName: 'add_on' })
export class AddOn {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => String) @Property({ type: 'string' }) code!: string;
  @Field(() => String) @Property({ type: 'string' }) name!: string;
  @Field(() => PluginTierEnum) @Property({ type: 'string' }) ladder!: PluginTier;
}

@ObjectType('AddOnLimit', { description: 'What an add-on does to a quota.' })
export class AddOnLimitNode {
  @Field(() => QuotaKeyScalar) key!: string;
  @Field(() => LimitModeEnum) mode!: LimitMode;
  @Field(() => Quantity, { nullable: true, description: 'In the base unit of the quota; null is unlimited.' })
  amount!: bigint | null;
}

@ObjectType('AddOnMeter', {
  description:
    'While the add-on is held, use of a quota above its limit is let in and charged. Of several rates the lowest counts.',
})
export class AddOnMeter {
  @Field(() => QuotaKeyScalar) quota!: string;
  @Field(() => Decimal, { description: 'Price of one unit above the limit.' }) unitRate!: string;
}

@ObjectType({ description: 'An add-on of a licence, in the version it was bought in.' })
@Entity({ schema: 'licensing', tableName: 'license_add_on' })
export class LicenseAddOn {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) licenseId!: string;
  @Property({ type: 'uuid' }) addOnVersionId!: string;
  @Field(() => Int) @Property({ type: 'integer' }) quantity!: number;
  @Field(() => DateTime) @Property({ type: 'datetime' }) startsAt!: Date;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) endsAt!: Date | null;
  @Field(() => AddOn) addOn?: AddOn;
  @Field(() => Int, { description: 'The version of the add-on it was bought in.' }) version?: number;
}
