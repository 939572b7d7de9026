import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Directive, Field, ObjectType } from 'type-graphql';
import type { TokenKeyState } from './token-key.rules.ts';

/** An Ed25519 key access tokens are signed with, and what a gateway knows of it. */
@ObjectType('TokenKeyView')
@Directive('@inaccessible')
@Entity({ schema: 'identity', tableName: 'token_key' })
export class TokenKey {
  @Field(() => String) @PrimaryKey({ type: 'string' }) kid!: string;
  /** Raw 32 bytes, base64url. */
  @Field(() => String) @Property({ type: 'string' }) publicKey!: string;
  /** The seed of the private half, sealed; gone when the key is RETIRED. */
  @Property({ type: 'string', nullable: true }) sealed?: string | null;
  @Field(() => String) @Property({ type: 'string' }) state!: TokenKeyState;
  @Property({ type: 'datetime' }) madeAt!: Date;
  @Property({ type: 'datetime', nullable: true }) activeAt?: Date | null;
  @Property({ type: 'datetime', nullable: true }) retiringAt?: Date | null;
}
