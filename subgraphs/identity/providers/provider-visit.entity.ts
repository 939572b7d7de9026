import { ArrayType, type Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { Transport } from '../session.rules.ts';
import type { OAuthIntent } from './provider.rules.ts';

/** Somebody who has gone to another provider. Coming back makes `codeHash`, redeeming that deletes the row. */
@Entity({ schema: 'identity', tableName: 'provider_visit' })
export class ProviderVisit {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  @Property({ type: 'string' }) stateHash!: string;
  @Property({ type: 'string' }) connection!: string;
  /** Of a tenant's connection: as it was when they went. */
  @Property({ type: 'integer', nullable: true }) connectionVersion!: number | null;
  @Property({ type: 'uuid', nullable: true }) homeId!: string | null;
  @Property({ type: 'string' }) intent!: OAuthIntent;
  /** The session that links an account or tries a connection. */
  @Property({ type: 'uuid', nullable: true }) sessionId!: string | null;
  @Property({ type: 'string' }) returnTo!: string;
  @Property({ type: 'string' }) codeChallenge!: string;
  @Property({ type: 'string' }) transport!: Transport;
  @Property({ type: 'string', nullable: true }) tenant!: string | null;
  @Property({ type: 'boolean' }) isBack: Opt<boolean> = false;
  @Property({ type: 'string', nullable: true }) codeHash?: string | null;
  @Property({ type: 'string', nullable: true }) issuer?: string | null;
  @Property({ type: 'string', nullable: true }) subject?: string | null;
  @Property({ type: 'string', nullable: true }) email?: string | null;
  @Property({ type: 'boolean' }) isEmailVerified: Opt<boolean> = false;
  @Property({ type: 'boolean' }) hasSecondFactor: Opt<boolean> = false;
  @Property({ type: ArrayType }) groups: Opt<string[]> = [];
  @Property({ type: 'datetime' }) expiresAt!: Date;
}
