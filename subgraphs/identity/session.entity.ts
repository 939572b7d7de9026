import { ArrayType } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ID, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../schema/scalars.ts';
import type { EndReason, MustDo, ProofMethod, Transport } from './session.rules.ts';
import { Tenant } from './tenant.stub.ts';

export const TransportEnum = { COOKIE: 'COOKIE', BODY: 'BODY' } as const;
export const ProofMethodEnum = {
  PWD: 'PWD',
  OTP: 'OTP',
  KEY: 'KEY',
  REC: 'REC',
  OAUTH: 'OAUTH',
  SSO: 'SSO',
} as const satisfies { [M in ProofMethod]: M };
export const MustDoEnum = { ENROL_SECOND_FACTOR: 'ENROL_SECOND_FACTOR' } as const satisfies { [M in MustDo]: M };
export const EndReasonEnum = {
  SIGNED_OUT: 'SIGNED_OUT',
  ENDED_BY_OWNER: 'ENDED_BY_OWNER',
  TOO_MANY: 'TOO_MANY',
  IDLE: 'IDLE',
  EXPIRED: 'EXPIRED',
  REUSED: 'REUSED',
  PASSWORD_CHANGED: 'PASSWORD_CHANGED',
  EMAIL_CHANGED: 'EMAIL_CHANGED',
  POLICY: 'POLICY',
  FACTOR_CHANGED: 'FACTOR_CHANGED',
  USER_SUSPENDED: 'USER_SUSPENDED',
  USER_ERASED: 'USER_ERASED',
  MEMBERSHIP_SUSPENDED: 'MEMBERSHIP_SUSPENDED',
  MEMBERSHIP_FROZEN: 'MEMBERSHIP_FROZEN',
  MEMBERSHIP_ENDED: 'MEMBERSHIP_ENDED',
  TENANT_SUSPENDED: 'TENANT_SUSPENDED',
  PORTAL_CLOSED: 'PORTAL_CLOSED',
  PROVIDER_OFF: 'PROVIDER_OFF',
  ENDED_BY_ADMIN: 'ENDED_BY_ADMIN',
} as const satisfies { [R in EndReason]: R };
registerEnumType(TransportEnum, {
  name: 'SessionTransport',
  description: 'How the refresh token travels: as a cookie no script can read, or in the answer.',
});
registerEnumType(ProofMethodEnum, {
  name: 'ProofMethod',
  description: 'How somebody proved who they are.',
  valuesConfig: {
    PWD: { description: 'A password.' },
    OTP: { description: 'A code of an authenticator app, or what a provider vouches for in its place.' },
    KEY: { description: 'A passkey, which is both factors at once.' },
    REC: { description: 'A recovery code.' },
    OAUTH: { description: 'An account at Google, Microsoft or GitHub.' },
    SSO: { description: "The tenant's own provider." },
  },
});
registerEnumType(MustDoEnum, {
  name: 'MustDo',
  description: 'What somebody must do before anything else is open to them.',
});
registerEnumType(EndReasonEnum, {
  name: 'SessionEndReason',
  valuesConfig: {
    PORTAL_CLOSED: { description: 'The provider has closed its portal.' },
    PROVIDER_OFF: { description: "The tenant's own provider it was opened by was taken out of use." },
  },
});

@ObjectType({ description: 'A signed-in device of a person.' })
@Directive('@key(fields: "id")')
@Entity({ schema: 'identity', tableName: 'session' })
export class Session {
  @Field(() => ID) @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'uuid' }) userId!: string;
  /** The tenant it is now for, and the membership there. */
  @Property({ type: 'uuid', nullable: true }) homeId!: string | null;
  @Property({ type: 'uuid', nullable: true }) membershipId!: string | null;
  /** To the tenant's own provider, where that opened it. */
  @Property({ type: 'uuid', nullable: true }) connectionId!: string | null;
  @Field(() => [ProofMethodEnum]) @Property({ type: ArrayType }) methods!: ProofMethod[];
  @Property({ type: 'datetime', nullable: true }) strongAt!: Date | null;
  @Property({ type: ArrayType }) mustDo!: MustDo[];
  @Property({ type: 'integer' }) generation!: number;
  @Property({ type: 'datetime' }) rotatedAt!: Date;
  @Field(() => TransportEnum) @Property({ type: 'string' }) transport!: Transport;
  @Field(() => String, { nullable: true }) @Property({ type: 'string', nullable: true }) address!: string | null;
  @Field(() => String, { nullable: true, description: 'What program it said it is.' })
  @Property({ type: 'string', nullable: true })
  agent!: string | null;
  @Field(() => DateTime) @Property({ type: 'datetime' }) startedAt!: Date;
  @Field(() => DateTime) @Property({ type: 'datetime' }) lastUsedAt!: Date;
  @Field(() => DateTime, { description: 'It ends then if it is not used.' })
  @Property({ type: 'datetime' })
  idleUntil!: Date;
  @Field(() => DateTime, { description: 'It ends then whatever happens.' })
  @Property({ type: 'datetime' })
  endsAt!: Date;
  @Property({ type: 'datetime', nullable: true }) endedAt!: Date | null;
  @Property({ type: 'string', nullable: true }) endReason!: EndReason | null;
}

@ObjectType({
  description: 'What a client holds of its session. Tokens are secrets: keep them out of logs and addresses.',
})
export class SessionTokens {
  @Field(() => String, { description: 'For `Authorization: Bearer`, five minutes.' }) accessToken!: string;
  @Field(() => DateTime) expiresAt!: Date;
  @Field(() => String, {
    nullable: true,
    description: 'Good for one `refreshSession`; null when it travels as a cookie.',
  })
  refreshToken!: string | null;
  @Field(() => DateTime, { nullable: true }) refreshExpiresAt!: Date | null;
  @Field(() => ID) sessionId!: string;
  @Field(() => Tenant, { nullable: true, description: 'The tenant the tokens are for; null while none is chosen.' })
  @Directive('@provides(fields: "name")')
  tenant!: Tenant | null;
  @Field(() => String, {
    description: 'Keep it on the device for its next `signIn`: strangers who try passwords do not lock it out then.',
  })
  deviceMark!: string;
  @Field(() => [MustDoEnum], { description: 'Until it is done only `me`, enrolment and signing out are open.' })
  mustDo!: MustDo[];
}

@ObjectType({ description: 'The end of a session.' })
export class SessionEnd {
  @Field(() => ID) sessionId!: string;
  @Field(() => EndReasonEnum) reason!: EndReason;
  @Field(() => DateTime) at!: Date;
}
