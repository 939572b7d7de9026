import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../schema/scalars.ts';
import type { AccessMode, SuspensionReason, TenantKind, TenantState } from './tenant.rules.ts';

export const TenantKindEnum = { PRODUCTION: 'PRODUCTION', SANDBOX: 'SANDBOX', PLATFORM: 'PLATFORM' } as const;
export const TenantStateEnum = {
  REQUESTED: 'REQUESTED',
  PROVISIONING: 'PROVISIONING',
  FAILED: 'FAILED',
  ACTIVE: 'ACTIVE',
  SUSPENDED: 'SUSPENDED',
  CLOSING: 'CLOSING',
  PURGING: 'PURGING',
  PURGED: 'PURGED',
} as const satisfies { [S in TenantState]: S };
export const AccessModeEnum = { NORMAL: 'NORMAL', READ_ONLY: 'READ_ONLY', BLOCKED: 'BLOCKED' } as const;
export const SuspensionReasonEnum = {
  NON_PAYMENT: 'NON_PAYMENT',
  ABUSE: 'ABUSE',
  LEGAL: 'LEGAL',
  SECURITY: 'SECURITY',
  OWNER_REQUEST: 'OWNER_REQUEST',
  LICENSE_LAPSED: 'LICENSE_LAPSED',
} as const;
registerEnumType(TenantKindEnum, { name: 'TenantKind' });
registerEnumType(TenantStateEnum, { name: 'TenantState' });
registerEnumType(AccessModeEnum, { name: 'AccessMode', description: 'What the state leaves open to its people.' });
registerEnumType(SuspensionReasonEnum, { name: 'SuspensionReason' });

@ObjectType({ description: 'Why and since when a tenant is suspended.' })
export class Suspension {
  @Field(() => SuspensionReasonEnum) reason!: SuspensionReason;
  @Field(() => String, { nullable: true }) note?: string | null;
  @Field(() => DateTime) since!: Date;
  @Field(() => Boolean, { description: "Whether its subscribers' service was cut at once." }) cutService!: boolean;
  @Field(() => DateTime, { nullable: true, description: "Until then its subscribers' service goes on." })
  continuityUntil?: Date | null;
}

@ObjectType({ description: 'An organisation on the platform: an Internet Service Provider, or the platform itself.' })
@Directive('@key(fields: "id")')
@Directive('@key(fields: "slug")')
@Entity({ schema: 'tenancy', tableName: 'tenant' })
export class Tenant {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Field(() => String, { description: 'Its short name in addresses; never used twice.' })
  @Property({ type: 'string' })
  slug!: string;
  /** Shown by identity, too: to members of other tenants, who see no more of this one. */
  @Field(() => String)
  @Directive('@shareable')
  @Property({ type: 'string' })
  name!: string;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) legalName?: string | null;
  @Field(() => TenantKindEnum) @Property({ type: 'string' }) kind!: TenantKind;
  @Field(() => TenantStateEnum) @Property({ type: 'string' }) state!: TenantState;
  @Property({ type: 'datetime', nullable: true }) suspendedAt?: Date | null;
  @Property({ type: 'string', nullable: true }) suspensionReason?: SuspensionReason | null;
  @Property({ type: 'string', nullable: true }) suspensionNote?: string | null;
  @Property({ type: 'boolean' }) cutService!: boolean;
  @Property({ type: 'datetime', nullable: true }) continuityUntil?: Date | null;
  /** Its writes pause while it moves to another home. */
  @Property({ type: 'boolean' }) isWritePaused!: boolean;
  @Field(() => DateTime, { nullable: true, description: 'From then on it may be deleted, while it is closing.' })
  @Property({ type: 'datetime', nullable: true })
  closesAt?: Date | null;
  @Property({ type: 'datetime', nullable: true }) closedAt?: Date | null;
  /** Who closed it wants no export of its data. */
  @Property({ type: 'boolean' }) waivesExport!: boolean;
  @Field(() => String, { description: 'ISO 3166-1 alpha-2.' }) @Property({ type: 'string' }) country!: string;
  @Field(() => String, { description: 'IANA time zone.' }) @Property({ type: 'string' }) zone!: string;
  @Field(() => String, { description: 'BCP 47.' }) @Property({ type: 'string' }) locale!: string;
  @Field(() => String, { description: 'ISO 4217.' }) @Property({ type: 'string' }) currency!: string;
  @Property({ type: 'string', nullable: true }) contactEmail?: string | null;
  @Property({ type: 'string', nullable: true }) billingEmail?: string | null;
  @Field(() => Int, { description: 'How far its clock runs ahead: 0 for all but a sandbox.' })
  @Property({ type: 'integer' })
  clockOffsetSeconds!: number;
  /** A sandbox is closed then, by the true time. */
  @Property({ type: 'datetime', nullable: true }) sandboxEndsAt?: Date | null;
  @Field(() => Int) @Property({ type: 'integer' }) version!: number;
  @Property({ type: 'datetime' }) createdAt!: Date;
}

/** What a gateway holds of a tenant. */
@ObjectType()
@Directive('@inaccessible')
export class TenantView {
  @Field(() => ID) id!: string;
  @Field(() => TenantStateEnum) state!: TenantState;
  @Field(() => AccessModeEnum) accessMode!: AccessMode;
  @Field(() => Int) clockOffsetSeconds!: number;
  @Field(() => Int) placementVersion!: number;
}

@ObjectType()
@Directive('@inaccessible')
export class TenantFeedPage {
  @Field(() => Int) head!: number;
  @Field(() => [TenantView]) tenants!: TenantView[];
  /** Those that changed and are no more. */
  @Field(() => [ID]) gone!: string[];
}
