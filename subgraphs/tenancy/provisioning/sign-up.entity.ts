import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { Wanted } from './request.rules.ts';

/** Somebody asked for a tenant and has to prove their mail. Its id becomes that of the run. */
@Entity({ schema: 'tenancy', tableName: 'sign_up' })
export class SignUp {
  @PrimaryKey({ type: 'uuid' }) id!: string;
  /** The tenant asked for; the database fills it in. */
  @Property({ type: 'uuid', generated: 'in the migration' }) homeId!: Opt<string>;
  /** SHA-256. */
  @Property({ type: 'string' }) tokenHash!: string;
  /** Forgotten once it is confirmed or has lapsed. */
  @Property({ type: 'json', nullable: true }) wanted!: Wanted | null;
  @Property({ type: 'string' }) termsVersion!: string;
  @Property({ type: 'string' }) state!: 'PENDING' | 'CONFIRMED' | 'LAPSED';
  @Property({ type: 'datetime' }) expiresAt!: Date;
  @Property({ type: 'datetime' }) createdAt!: Date;
}
