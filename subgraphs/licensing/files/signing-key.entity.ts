import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../../../schema/scalars.ts';
import type { SigningKeyStatus } from './signing-key.rules.ts';

export const SigningKeyStatusEnum = {
  NEXT: 'NEXT',
  ACTIVE: 'ACTIVE',
  RETIRING: 'RETIRING',
  RETIRED: 'RETIRED',
  REVOKED: 'REVOKED',
} as const;
registerEnumType(SigningKeyStatusEnum, {
  name: 'SigningKeyStatus',
  description: 'NEXT is published and does not sign yet; RETIRING signs no more and what it signed is still good.',
});

@ObjectType({ description: 'An Ed25519 key that signs licence files, without its private half.' })
@Entity({ schema: 'licensing', tableName: 'signing_key' })
export class SigningKey {
  @Field(() => String, { description: 'Its thumbprint, RFC 7638.' }) @PrimaryKey({ type: 'string' }) kid!: string;
  @Field(() => String, { description: 'Raw 32 bytes, base64url.' }) @Property({ type: 'string' }) publicKey!: string;
  @Field(() => String, { description: 'What one of the two roots says of it: a compact JWS.' })
  @Property({ type: 'string' })
  statement!: string;
  @Field(() => SigningKeyStatusEnum) @Property({ type: 'string' }) status!: SigningKeyStatus;
  @Field(() => DateTime) @Property({ type: 'datetime' }) madeAt!: Date;
  @Field(() => DateTime, { description: 'When it takes over, or did.' })
  @Property({ type: 'datetime' })
  activeAt!: Date;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) retiringAt!: Date | null;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) retiredAt!: Date | null;
  @Field(() => DateTime, { nullable: true }) @Property({ type: 'datetime', nullable: true }) revokedAt!: Date | null;
  @Field(() => String, { nullable: true, description: 'Why it was made out of turn, or revoked.' })
  @Property({ type: 'string', nullable: true })
  reason!: string | null;
}
