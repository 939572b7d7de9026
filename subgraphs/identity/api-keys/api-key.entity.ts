import { ArrayType, type Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { ApiKeyMode } from '../../_kernel/api-key.ts';
import type { ApiKeyState } from './api-key.rules.ts';

export const ApiKeyModeEnum = { LIVE: 'LIVE', TEST: 'TEST' } as const;
export const ApiKeyStateEnum = {
  ACTIVE: 'ACTIVE',
  ROTATING: 'ROTATING',
  RETIRED: 'RETIRED',
  REVIEW: 'REVIEW',
  SUSPENDED: 'SUSPENDED',
  REVOKED: 'REVOKED',
  EXPIRED: 'EXPIRED',
} as const satisfies { [S in ApiKeyState]: S };
registerEnumType(ApiKeyModeEnum, {
  name: 'ApiKeyMode',
  description: 'LIVE keys work everywhere but in sandboxes, TEST keys there alone.',
});
registerEnumType(ApiKeyStateEnum, {
  name: 'ApiKeyState',
  valuesConfig: {
    ROTATING: { description: 'Another key has taken its place; it works until the overlap is over.' },
    REVIEW: {
      description:
        'Who made it may no longer do what it does. It works until somebody answers for it, 14 days at most.',
    },
  },
});

@ObjectType({
  description: 'A key with which a program of the ISP asks. The key itself is shown once, when it is made.',
})
@Directive('@key(fields: "id")')
@Entity({ schema: 'identity', tableName: 'api_key' })
export class ApiKey {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  /** The tenant it is in; the database fills it in. */
  @Property({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  @Field(() => String) @Property({ type: 'string' }) name!: string;
  @Field(() => ApiKeyModeEnum) @Property({ type: 'string' }) mode!: ApiKeyMode;
  @Field(() => String, { description: 'Its first 12 letters, to tell keys apart.' })
  @Property({ type: 'string' })
  start!: string;
  @Property({ type: 'string' }) hash!: string;
  @Field(() => [String], { description: 'What it may do, `domain.noun.action`.' })
  @Property({ type: ArrayType })
  scopes!: string[];
  @Field(() => [String], { description: 'Networks it may be used from; empty is any.' })
  @Property({ type: ArrayType })
  addresses!: string[];
  @Field(() => Int) @Property({ type: 'integer' }) requestsPerSecond!: number;
  @Field(() => ApiKeyStateEnum) @Property({ type: 'string' }) state!: ApiKeyState;
  @Property({ type: 'uuid', nullable: true }) madeBy!: string | null;
  @Field(() => ID, { nullable: true, description: 'The key that took its place.' })
  @Property({ type: 'uuid', nullable: true })
  replacedBy!: string | null;
  @Field(() => DateTime, { nullable: true, description: 'Until when it works beside the key that took its place.' })
  @Property({ type: 'datetime', nullable: true })
  retiresAt!: Date | null;
  @Property({ type: 'datetime', nullable: true }) reviewSince!: Date | null;
  @Property({ type: 'integer', nullable: true }) warnedDays!: number | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) expiresAt!: Date;
  @Field(() => DateTime, { nullable: true, description: 'To the hour.' })
  @Property({ type: 'datetime', nullable: true })
  lastUsedAt!: Date | null;
  @Field(() => Int) @Property({ type: 'integer' }) version!: number;
  @Field(() => DateTime) @Property({ type: 'datetime' }) createdAt!: Date;
}

/** What a gateway holds of a key. */
@ObjectType('ApiKeyGrant')
@Directive('@inaccessible')
export class ApiKeyGrant {
  @Field(() => String) hash!: string;
  @Field(() => ID) keyId!: string;
  @Field(() => ID) tenantId!: string;
  @Field(() => Boolean, { description: 'Whether it opens anything.' }) isWorking!: boolean;
  @Field(() => String) catalogue!: string;
  @Field(() => String) bits!: string;
  @Field(() => [String]) addresses!: string[];
  @Field(() => Int) requestsPerSecond!: number;
  @Field(() => Float, { description: 'Milliseconds since 1970.' }) expiresAt!: number;
}
