import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { CertificateState, DomainState, ProofMethod } from './tenant-domain.rules.ts';

export const DomainKindEnum = { PLATFORM_SUBDOMAIN: 'PLATFORM_SUBDOMAIN', CUSTOM: 'CUSTOM' } as const;
export const DomainMethodEnum = { DNS_TXT: 'DNS_TXT', DNS_CNAME: 'DNS_CNAME' } as const;
export const DomainStateEnum = {
  PENDING: 'PENDING',
  VERIFIED: 'VERIFIED',
  ACTIVE: 'ACTIVE',
  EXPIRED: 'EXPIRED',
  LOST: 'LOST',
  RELEASED: 'RELEASED',
} as const satisfies { [S in DomainState]: S };
export const CertificateStateEnum = {
  NONE: 'NONE',
  PENDING: 'PENDING',
  ISSUED: 'ISSUED',
  FAILED: 'FAILED',
  EXPIRING: 'EXPIRING',
} as const satisfies { [S in CertificateState]: S };
registerEnumType(DomainKindEnum, { name: 'DomainKind' });
registerEnumType(DomainMethodEnum, { name: 'DomainMethod', description: 'How a name is proved to be its claimant’s.' });
registerEnumType(DomainStateEnum, { name: 'DomainState' });
registerEnumType(CertificateStateEnum, { name: 'CertificateState' });

@ObjectType({ description: 'A name a tenant is reached under, or claims.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'tenancy', tableName: 'tenant_domain' })
export class TenantDomain {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  /** The tenant it is of; the database fills it in. */
  @Property({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  @Field(() => String, { description: 'Lower-case ASCII.' }) @Property({ type: 'string' }) host!: string;
  @Field(() => DomainKindEnum) @Property({ type: 'string' }) kind!: 'PLATFORM_SUBDOMAIN' | 'CUSTOM';
  @Field(() => DomainMethodEnum, { nullable: true })
  @Property({ type: 'string', nullable: true })
  method?: ProofMethod | null;
  @Field(() => String, { nullable: true, description: 'The DNS record that proves it.' })
  @Property({ type: 'string', nullable: true })
  recordName?: string | null;
  @Field(() => String, { nullable: true, description: 'What that record has to hold.' })
  @Property({ type: 'string', nullable: true })
  recordValue?: string | null;
  @Field(() => DomainStateEnum) @Property({ type: 'string' }) state!: DomainState;
  @Field(() => CertificateStateEnum) @Property({ type: 'string', default: 'NONE' }) certificate!: Opt<CertificateState>;
  @Property({ type: 'datetime', nullable: true }) certificateEndsAt?: Date | null;
  @Field(() => Boolean) @Property({ type: 'boolean', default: false }) isPrimary!: Opt<boolean>;
  @Field(() => DateTime, { nullable: true, description: 'Until when it has to be proved.' })
  @Property({ type: 'datetime', nullable: true })
  expiresAt?: Date | null;
  /** How often it was looked at since it was claimed. */
  @Property({ type: 'integer', default: 0 }) checks!: Opt<number>;
  /** How often in a row the proof was not there. */
  @Property({ type: 'integer', default: 0 }) failedChecks!: Opt<number>;
  @Property({ type: 'datetime', nullable: true }) nextCheckAt?: Date | null;
  @Property({ type: 'datetime' }) createdAt!: Date;
}

/** Whose a host is: what a gateway holds. */
@ObjectType()
@Directive('@inaccessible')
export class HostOwner {
  @Field(() => String) host!: string;
  @Field(() => ID) tenantId!: string;
  @Field(() => String, { nullable: true }) redirectTo?: string;
  @Field(() => DateTime, { nullable: true }) redirectUntil?: Date;
}
