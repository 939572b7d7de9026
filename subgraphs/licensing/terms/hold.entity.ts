import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { HoldLevel } from './license.rules.ts';

export type HoldKind = 'TENANT_SUSPENDED' | 'ABUSE' | 'LEGAL' | 'OPERATOR';
export const HoldKindEnum = {
  TENANT_SUSPENDED: 'TENANT_SUSPENDED',
  ABUSE: 'ABUSE',
  LEGAL: 'LEGAL',
  OPERATOR: 'OPERATOR',
} as const;
export const HoldLevelEnum = { RESTRICTED: 'RESTRICTED', SUSPENDED: 'SUSPENDED' } as const;
registerEnumType(HoldKindEnum, { name: 'HoldKind' });
registerEnumType(HoldLevelEnum, { name: 'HoldLevel', description: 'How far a hold closes a licence at least.' });

@ObjectType({ description: 'Keeps a licence at least as closed as its level until it is lifted.' })
@Entity({ schema: 'licensing', tableName: 'hold' })
export class Hold {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) licenseId!: string;
  @Field(() => HoldKindEnum) @Property({ type: 'string' }) kind!: HoldKind;
  @Field(() => HoldLevelEnum) @Property({ type: 'string' }) level!: HoldLevel;
  @Field(() => String) @Property({ type: 'string' }) reason!: string;
  @Field(() => DateTime) @Property({ type: 'datetime' }) placedAt!: Date;
  @Field(() => String) @Property({ type: 'string' }) placedBy!: string;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) liftedAt!: Date | null;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) liftedBy!: string | null;
}
